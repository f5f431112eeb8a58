import CRabbitMQ

/// What a login may do, found by trying it. Nothing reaches a queue, and nothing is taken from one.
extension Connection {
  /// What the broker says to a message before it looks for queues.
  package enum PublishVerdict: Sendable, Hashable {
    case allowed
    /// 403 without the right to the exchange or the topic; 406 for the `user_id`, or for the size.
    case refused(AMQPError)
    /// It takes no messages now (memory or disk alarm). The connection cannot be used any more.
    case blocked
  }

  /// Publishes a message in a transaction that is rolled back: the broker makes all its checks and then drops it. The
  /// channel is a new one afterwards.
  ///
  /// - Parameter bodyBytes: The size of the message.
  package func verdictOfPublish(
    to exchange: String, routingKey: String, userID: String?, bodyBytes: Int = 0
  ) throws(AMQPError) -> PublishVerdict {
    var properties = Properties()
    properties.userID = userID
    try call(AMQP_TX_SELECT_METHOD, amqp_tx_select_t(dummy: 0), reply: AMQP_TX_SELECT_OK_METHOD)
    do {
      try publish(
        Message(
          exchange: exchange, routingKey: routingKey, properties: properties,
          body: [UInt8](repeating: UInt8(ascii: " "), count: bodyBytes)))
      try call(AMQP_TX_ROLLBACK_METHOD, amqp_tx_rollback_t(dummy: 0), reply: AMQP_TX_ROLLBACK_OK_METHOD)
    } catch  where error.isChannelError {
      try openChannel()
      return .refused(error)
    } catch  where error.kind == .timeout && pending.contains(where: \.isBlocked) {
      return .blocked
    }
    try closeChannel()
    try openChannel()
    return .allowed
  }

  /// The refusal of a `basic.get` from a queue: 405 of a quorum queue with a single active consumer, if it may be read.
  /// The channel is open again.
  ///
  /// - Returns: Nil when the broker would give what is in the queue; then the connection is of no more use, so that a
  ///   message, if one came, is back in its place.
  package func refusalOfGet(from queue: String) throws(AMQPError) -> AMQPError? {
    arena.recycle()
    let request = amqp_basic_get_t(ticket: 0, queue: arena.bytes(queue), no_ack: 0)
    do {
      try call(AMQP_BASIC_GET_METHOD, request, reply: AMQP_BASIC_GET_EMPTY_METHOD)
      _ = fail(error(.protocolViolation, "it gave what nobody wanted"))
      return nil
    } catch  where error.isChannelError {
      try openChannel()
      return error
    } catch  where error.kind == .protocolViolation {
      return nil  // a message came
    }
  }
}

extension Connection.Event {
  fileprivate var isBlocked: Bool {
    if case .blocked = self { true } else { false }
  }
}
