import CRabbitMQ
import Glibc

/// Publishing. Encoded messages are written to the socket directly, many at a time. (The library would make three system
/// calls for each.)
extension Connection {
  /// Sends a message. On return the kernel has it; only a confirm shows that the broker has it.
  ///
  /// - Returns: The sequence number that its confirm will name; 0 while confirms are off.
  @discardableResult
  package func publish(_ message: Message) throws(AMQPError) -> UInt64 {
    try publish(MessageBatch(frameMax: server.frameMax) { $0.add(message, number: 0) })
  }

  /// As above, for a message of another client.
  @discardableResult
  package func publish(_ message: RawMessage) throws(AMQPError) -> UInt64 {
    try publish(MessageBatch(frameMax: server.frameMax) { $0.add(message, number: 0) })
  }

  /// Sends a batch of one message.
  private func publish(_ batch: MessageBatch) throws(AMQPError) -> UInt64 {
    if let unsendable = batch.unsendable.first { throw unsendable.error }
    try publish(MessageBatch.Slice(batch: batch, entries: 0..<1))
    return lastSequence ?? 0
  }

  /// Sends messages that were encoded for this connection's frame size.
  func publish(_ slice: MessageBatch.Slice) throws(AMQPError) {
    let state = try usable()
    try requireChannel()
    if url.usesTLS {
      try publishByLibrary(slice, state)
    } else {
      try write(slice, to: amqp_get_sockfd(state))
    }
    if let last = lastSequence { lastSequence = last + UInt64(slice.entries.count) }
  }

  /// Sends a request whose reply shows that the broker accepted every message before it: if it refused one, it would close
  /// the channel first. On a channel without consumers, `basic.qos` has no effect, requires no right and waits for no queue.
  func sendMarker() throws(AMQPError) {
    try send(AMQP_BASIC_QOS_METHOD, amqp_basic_qos_t(prefetch_size: 0, prefetch_count: 0, global: 0))
  }

  /// Writes the whole slice: half a message closes the connection. When the socket takes nothing for two heartbeats, the
  /// connection counts as lost.
  private func write(_ slice: MessageBatch.Slice, to socket: CInt) throws(AMQPError) {
    let end = slice.bytes.upperBound
    var start = slice.bytes.lowerBound
    while start < end {
      let (count, failure) = slice.batch.withBytes {
        (Glibc.send(socket, $0.baseAddress.map { $0 + start }, end - start, CInt(MSG_NOSIGNAL)), errno)
      }
      if count >= 0 {
        start += count
      } else if failure == EAGAIN {
        let limit = server.heartbeatSeconds > 0 ? .seconds(2 * server.heartbeatSeconds) : options.rpcTimeout
        guard poll(for: POLLOUT, on: socket, within: limit) else {
          throw fail(error(.connectionLost, "the broker read nothing for \(limit)"))
        }
      } else if failure != EINTR {
        throw fail(error(.connectionLost, String(cString: strerror(failure))))
      }
    }
  }

  /// Decodes the messages again and sends them through the library, which alone can write to a TLS connection.
  private func publishByLibrary(_ slice: MessageBatch.Slice, _ state: amqp_connection_state_t) throws(AMQPError) {
    setCork(true)
    defer { setCork(false) }
    for index in slice.entries {
      arena.recycle()
      let status = slice.batch.withFrames(of: index, in: arena) { method, properties, body in
        amqp_basic_publish(
          state, Self.channel, method.exchange, method.routing_key, amqp_boolean_t(method.mandatory), 0, properties,
          body)
      }
      if status < 0 { throw fail(status: status) }
    }
  }

  /// Sets TCP_CORK: while on, the kernel holds back partly filled packets.
  private func setCork(_ isOn: Bool) {
    guard let state else { return }
    var value: CInt = isOn ? 1 : 0
    setsockopt(
      amqp_get_sockfd(state), CInt(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout.size(ofValue: value)))
  }
}
