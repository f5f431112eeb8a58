import CRabbitMQ
import DequeModule

/// Reading. Every frame of the broker passes through `handle`, also while a request waits for its reply.
extension Connection {
  /// The next frame; nil when none comes within the limit. Serves heartbeats.
  func receiveFrame(within limit: Duration) throws(AMQPError) -> amqp_frame_t? {
    let state = try usable()
    var frame = amqp_frame_t()
    var timeout = limit.timeval
    let status = amqp_simple_wait_frame_noblock(state, &frame, &timeout)
    if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
    if status < 0 { throw fail(status: status) }
    return frame
  }

  /// Sends a method and waits for its reply. Handles the frames that come before it.
  ///
  /// - Parameter read: Reads the reply. Its memory belongs to the library and is valid only inside the closure.
  func call<Request: BitwiseCopyable, Reply>(
    _ method: amqp_method_number_t, _ request: Request, reply: amqp_method_number_t,
    on channel: amqp_channel_t = Connection.channel, within limit: Duration? = nil,
    read: (UnsafeMutableRawPointer?) -> Reply
  ) throws(AMQPError) -> Reply {
    try send(method, request, on: channel)
    let deadline = SuspendingClock.now + (limit ?? options.rpcTimeout)
    while case let remaining = deadline - SuspendingClock.now, remaining > .zero,
      let frame = try receiveFrame(within: remaining)
    {
      defer { releaseBuffers(frame.channel) }
      if frame.frame_type == AMQP_FRAME_METHOD, frame.channel == channel, frame.payload.method.id == reply {
        return read(frame.payload.method.decoded)
      }
      try handle(frame)
    }
    // A late reply would be mistaken for that of the next request, so the connection fails.
    throw fail(error(.timeout, "no \(methodName(reply)) within \(limit ?? options.rpcTimeout)"))
  }

  /// As above, for replies without content.
  func call(
    _ method: amqp_method_number_t, _ request: some BitwiseCopyable, reply: amqp_method_number_t,
    on channel: amqp_channel_t = Connection.channel, within limit: Duration? = nil
  ) throws(AMQPError) {
    try call(method, request, reply: reply, on: channel, within: limit) { _ in }
  }

  /// Sends a method that has no reply.
  func send(
    _ method: amqp_method_number_t, _ request: some BitwiseCopyable, on channel: amqp_channel_t = Connection.channel
  ) throws(AMQPError) {
    let state = try usable()
    if channel == Self.channel, method != AMQP_CHANNEL_OPEN_METHOD { try requireChannel() }
    var request = request
    let status = withUnsafeMutablePointer(to: &request) { amqp_send_method(state, channel, method, $0) }
    if status < 0 { throw fail(status: status) }
  }

  /// The broker closes a connection that uses a channel which is not open.
  func requireChannel() throws(AMQPError) {
    if !isChannelOpen { throw error(.channelClosed(code: ReplyCode.success), "it was closed by this client") }
  }

  /// Turns a frame into an event, a reply to the broker or an error.
  func handle(_ frame: amqp_frame_t) throws(AMQPError) {
    do throws(ContentAssembly.Violation) {
      switch CInt(frame.frame_type) {
      case AMQP_FRAME_HEARTBEAT: return
      case AMQP_FRAME_METHOD where frame.channel == 0: try handleConnectionMethod(frame.payload.method)
      case _ where frame.channel != Self.channel: throw .init(text: "received a frame on channel \(frame.channel)")
      case AMQP_FRAME_METHOD: try handleChannelMethod(frame.payload.method)
      case AMQP_FRAME_HEADER:
        let header = frame.payload.properties
        guard CInt(header.class_id) == AMQP_BASIC_CLASS, let decoded = header.decoded else {
          throw .init(text: "received a content header of class \(header.class_id)")
        }
        let properties = Properties(decoded.load(as: amqp_basic_properties_t.self))
        let block = options.keepsRawProperties ? header.raw.array : nil
        add(try content.add(ContentAssembly.Header(properties, block: block, bodySize: header.body_size)))
      case AMQP_FRAME_BODY:
        let body = frame.payload.body_fragment
        add(try content.addBody(UnsafeRawBufferPointer(start: body.bytes, count: body.len)))
      default: throw .init(text: "received a frame of type \(frame.frame_type)")
      }
    } catch {
      throw fail(self.error(.protocolViolation, error.text))
    }
    if let failure { throw failure }
  }

  /// Allows the library to reuse the frame's memory. Call it after copying what is needed.
  func releaseBuffers(_ channel: amqp_channel_t) {
    if let state { amqp_maybe_release_buffers_on_channel(state, channel) }
  }

  private func add(_ event: Event?) {
    if let event { pending.append(event) }
  }

  private func handleConnectionMethod(_ method: amqp_method_t) throws(ContentAssembly.Violation) {
    switch method.id {
    case AMQP_CONNECTION_CLOSE_METHOD:
      let close = method.decoded.load(as: amqp_connection_close_t.self)
      answer(AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t(), on: 0)
      failure = error(.connectionClosed(code: close.reply_code), close.reply_text.string)
    case AMQP_CONNECTION_BLOCKED_METHOD:
      add(.blocked(reason: method.decoded.load(as: amqp_connection_blocked_t.self).reason.string))
    case AMQP_CONNECTION_UNBLOCKED_METHOD: add(.unblocked)
    default: throw .init(text: "received an unexpected \(methodName(method.id))")
    }
  }

  private func handleChannelMethod(_ method: amqp_method_t) throws(ContentAssembly.Violation) {
    switch method.id {
    case AMQP_BASIC_DELIVER_METHOD:
      let deliver = method.decoded.load(as: amqp_basic_deliver_t.self)
      try content.open(
        .delivery(
          tag: deliver.delivery_tag, consumerTag: deliver.consumer_tag.string, redelivered: deliver.redelivered != 0,
          exchange: deliver.exchange.string, routingKey: deliver.routing_key.array))
    case AMQP_BASIC_RETURN_METHOD:
      let returned = method.decoded.load(as: amqp_basic_return_t.self)
      try content.open(
        .returned(
          code: returned.reply_code, text: returned.reply_text.string, exchange: returned.exchange.string,
          routingKey: returned.routing_key.array))
    case AMQP_BASIC_ACK_METHOD:
      let ack = method.decoded.load(as: amqp_basic_ack_t.self)
      add(.confirmed(sequence: ack.delivery_tag, multiple: ack.multiple != 0, accepted: true))
    case AMQP_BASIC_NACK_METHOD:
      let nack = method.decoded.load(as: amqp_basic_nack_t.self)
      add(.confirmed(sequence: nack.delivery_tag, multiple: nack.multiple != 0, accepted: false))
    case AMQP_BASIC_CANCEL_METHOD:
      add(.consumerCancelled(tag: method.decoded.load(as: amqp_basic_cancel_t.self).consumer_tag.string))
    case AMQP_BASIC_QOS_OK_METHOD: add(.markerAnswered)
    case AMQP_CHANNEL_CLOSE_METHOD:
      let close = method.decoded.load(as: amqp_channel_close_t.self)
      answer(AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t(), on: Self.channel)
      isChannelOpen = false
      if failure == nil { failure = error(.channelClosed(code: close.reply_code), close.reply_text.string) }
    // Both sides closed at the same time.
    case AMQP_CHANNEL_CLOSE_OK_METHOD: break
    default: throw .init(text: "received an unexpected \(methodName(method.id))")
    }
  }

  /// Replies to the broker's close. A failure is ignored: it shows as a lost connection.
  private func answer(_ method: amqp_method_number_t, _ request: some BitwiseCopyable, on channel: amqp_channel_t) {
    try? send(method, request, on: channel)
  }

  private func methodName(_ id: amqp_method_number_t) -> String {
    amqp_method_name(id).map { String(cString: $0) } ?? "method \(id)"
  }
}
