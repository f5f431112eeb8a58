import CRabbitMQ

/// What a login may do, found by asking for what the broker refuses in any case, after it has looked at the rights.
/// Nothing is published, and nothing is taken from a queue.
extension Connection {
  /// The refusal of a message that the broker cannot take, because its expiration is no number: 406 when all rights and
  /// the `user_id` are as they must be, which it looks at before. (Then only it would look for queues.) The channel is
  /// open again.
  ///
  /// - Returns: Nil when no refusal came within two seconds, as of a broker that is blocked.
  package func refusalOfPublish(
    to exchange: String, routingKey: String, userID: String?
  ) throws(AMQPError) -> AMQPError? {
    var properties = Properties()
    properties.expiration = "none"
    properties.userID = userID
    try publish(Message(exchange: exchange, routingKey: routingKey, properties: properties, body: []))
    let deadline = SuspendingClock.now + .seconds(2)
    do {
      while SuspendingClock.now < deadline {
        if case .blocked = try nextEvent(timeout: deadline - SuspendingClock.now) { return nil }
      }
    } catch  where error.isChannelError {
      try openChannel()
      return error
    }
    return nil
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
