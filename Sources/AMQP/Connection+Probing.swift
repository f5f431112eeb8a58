import CRabbitMQ

/// Probes for a login's rights. They neither add a message to a queue nor remove one.
extension Connection {
  /// The broker's checks of a message before it routes it.
  package enum PublishVerdict: Sendable, Hashable {
    case allowed
    /// 403 without the right to the exchange or the topic; 406 because of the `user_id` or the size.
    case refused(AMQPError)
    /// Publishing is blocked (memory or disk alarm). The connection is unusable afterwards.
    case blocked
  }

  /// Publishes a message in a transaction and rolls it back: the broker makes all its checks, then drops the message.
  /// Reopens the channel.
  ///
  /// - Parameter bodyBytes: The size of the message's body.
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

  /// The broker's error for a `basic.get` from a queue: 405 for a quorum queue with a single active consumer, if the login may
  /// read it. Reopens the channel.
  ///
  /// - Returns: Nil when the broker allows it. The connection is then unusable, so that a message, if one came, is requeued.
  package func refusalOfGet(from queue: String) throws(AMQPError) -> AMQPError? {
    arena.recycle()
    let request = amqp_basic_get_t(ticket: 0, queue: arena.bytes(queue), no_ack: 0)
    do {
      try call(AMQP_BASIC_GET_METHOD, request, reply: AMQP_BASIC_GET_EMPTY_METHOD)
      _ = fail(error(.protocolViolation, "basic.get was allowed"))
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
