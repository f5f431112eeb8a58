import CRabbitMQ
import DequeModule

/// The channel; consuming and acknowledging.
extension Connection {
  /// Opens the channel, or reopens it after the broker or `closeChannel()` has closed it. Consumers, unacknowledged
  /// deliveries and confirms of the old channel are lost.
  package func openChannel() throws(AMQPError) {
    if failure?.isChannelError == true { failure = nil }
    forgetChannel()
    let request = amqp_channel_open_t(out_of_band: amqp_empty_bytes)
    try call(AMQP_CHANNEL_OPEN_METHOD, request, reply: AMQP_CHANNEL_OPEN_OK_METHOD)
    isChannelOpen = true
  }

  /// Closes the channel. The broker requeues unacknowledged deliveries in order. Deliveries that arrive meanwhile are
  /// discarded.
  package func closeChannel() throws(AMQPError) {
    let request = amqp_channel_close_t(
      reply_code: ReplyCode.success, reply_text: amqp_empty_bytes, class_id: 0, method_id: 0)
    try call(AMQP_CHANNEL_CLOSE_METHOD, request, reply: AMQP_CHANNEL_CLOSE_OK_METHOD)
    isChannelOpen = false
    forgetChannel()
  }

  private func forgetChannel() {
    content.reset()
    pending.removeAll { !$0.concernsConnection }
    lastSequence = nil
  }

  /// Enables publisher confirms for the messages published from now on.
  package func enableConfirms() throws(AMQPError) {
    try call(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t(nowait: 0), reply: AMQP_CONFIRM_SELECT_OK_METHOD)
    lastSequence = lastSequence ?? 0
  }

  /// Starts deliveries from a queue.
  ///
  /// - Parameters:
  ///   - prefetch: The most deliveries that may be unacknowledged at a time; 0 for no limit.
  ///   - tag: The consumer tag, at most 255 bytes; the broker chooses one when it is empty.
  ///   - acknowledges: False for automatic acknowledgement.
  /// - Returns: The consumer tag.
  @discardableResult
  package func consume(
    _ queue: String, prefetch: UInt16, tag: String = "", acknowledges: Bool = true, exclusive: Bool = false
  ) throws(AMQPError) -> String {
    // Not global: the limit is the consumer's, and quorum queues support no other.
    try call(
      AMQP_BASIC_QOS_METHOD, amqp_basic_qos_t(prefetch_size: 0, prefetch_count: prefetch, global: 0),
      reply: AMQP_BASIC_QOS_OK_METHOD)
    arena.recycle()
    let request = amqp_basic_consume_t(
      ticket: 0, queue: arena.bytes(queue), consumer_tag: arena.bytes(tag), no_local: 0, no_ack: acknowledges ? 0 : 1,
      exclusive: exclusive ? 1 : 0, nowait: 0, arguments: amqp_empty_table)
    return try call(AMQP_BASIC_CONSUME_METHOD, request, reply: AMQP_BASIC_CONSUME_OK_METHOD) {
      $0?.load(as: amqp_basic_consume_ok_t.self).consumer_tag.string ?? ""
    }
  }

  /// Cancels a consumer. Deliveries that have arrived or still arrive remain to be acknowledged.
  package func cancel(_ consumerTag: String) throws(AMQPError) {
    arena.recycle()
    try call(
      AMQP_BASIC_CANCEL_METHOD, amqp_basic_cancel_t(consumer_tag: arena.bytes(consumerTag), nowait: 0),
      reply: AMQP_BASIC_CANCEL_OK_METHOD)
  }

  /// Acknowledges a delivery, or with `multiple` all up to it. For a tag that is not outstanding the broker closes the
  /// channel (406).
  package func acknowledge(_ tag: UInt64, multiple: Bool = false) throws(AMQPError) {
    try send(AMQP_BASIC_ACK_METHOD, amqp_basic_ack_t(delivery_tag: tag, multiple: multiple ? 1 : 0))
  }

  /// Rejects a delivery without requeue: it goes to the queue's dead-letter exchange. (A requeue would change the order.)
  package func reject(_ tag: UInt64) throws(AMQPError) {
    try send(AMQP_BASIC_REJECT_METHOD, amqp_basic_reject_t(delivery_tag: tag, requeue: 0))
  }
}

extension Connection.Event {
  /// Whether the event concerns the connection and not its channel.
  fileprivate var concernsConnection: Bool {
    switch self {
    case .blocked, .unblocked: true
    case .delivery, .confirmed, .returned, .consumerCancelled, .markerAnswered: false
    }
  }
}
