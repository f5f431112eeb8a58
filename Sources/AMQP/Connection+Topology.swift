import CRabbitMQ

/// The reply to a passive declaration of a queue.
package struct QueueStatus: Sendable, Hashable {
  /// The broker's choice when a queue is declared with an empty name.
  package var name: String
  /// Messages ready to be delivered.
  package var messages: Int
  package var consumers: Int
}

/// Exchanges and queues: check, declare, bind, delete.
///
/// On an error the broker closes the channel with everything on it. So check before `enableConfirms()` and
/// `consume(_:prefetch:)`.
extension Connection {
  /// Whether an exchange exists. (AMQP cannot report its type.)
  package func checkExchange(_ name: String) throws(AMQPError) -> Bool {
    try unlessMissing { () throws(AMQPError) in
      try sendExchangeDeclare(name, type: "", passive: true, durable: false, autoDelete: false, arguments: Table())
    } != nil
  }

  /// A queue's counts of messages and consumers; nil when it does not exist.
  package func checkQueue(_ name: String) throws(AMQPError) -> QueueStatus? {
    try unlessMissing { () throws(AMQPError) in
      try sendQueueDeclare(
        name, passive: true, durable: false, exclusive: false, autoDelete: false, arguments: Table())
    }
  }

  package func declareExchange(
    _ name: String, type: String, durable: Bool = true, autoDelete: Bool = false, arguments: Table = Table()
  ) throws(AMQPError) {
    try sendExchangeDeclare(
      name, type: type, passive: false, durable: durable, autoDelete: autoDelete, arguments: arguments)
  }

  /// Declares a queue. With an empty name the broker chooses one.
  @discardableResult
  package func declareQueue(
    _ name: String, durable: Bool = true, exclusive: Bool = false, autoDelete: Bool = false, arguments: Table = Table()
  ) throws(AMQPError) -> QueueStatus {
    try sendQueueDeclare(
      name, passive: false, durable: durable, exclusive: exclusive, autoDelete: autoDelete, arguments: arguments)
  }

  package func bindQueue(
    _ queue: String, to exchange: String, routingKey: String, arguments: Table = Table()
  ) throws(AMQPError) {
    arena.recycle()
    let request = amqp_queue_bind_t(
      ticket: 0, queue: arena.bytes(queue), exchange: arena.bytes(exchange), routing_key: arena.bytes(routingKey),
      nowait: 0, arguments: arguments.encoded(in: arena))
    try call(AMQP_QUEUE_BIND_METHOD, request, reply: AMQP_QUEUE_BIND_OK_METHOD)
  }

  package func deleteQueue(_ name: String) throws(AMQPError) {
    arena.recycle()
    let request = amqp_queue_delete_t(ticket: 0, queue: arena.bytes(name), if_unused: 0, if_empty: 0, nowait: 0)
    try call(AMQP_QUEUE_DELETE_METHOD, request, reply: AMQP_QUEUE_DELETE_OK_METHOD)
  }

  package func deleteExchange(_ name: String) throws(AMQPError) {
    arena.recycle()
    let request = amqp_exchange_delete_t(ticket: 0, exchange: arena.bytes(name), if_unused: 0, nowait: 0)
    try call(AMQP_EXCHANGE_DELETE_METHOD, request, reply: AMQP_EXCHANGE_DELETE_OK_METHOD)
  }

  /// Runs a passive declaration; nil for "not found", after which the channel is reopened.
  private func unlessMissing<Result>(_ declare: () throws(AMQPError) -> Result) throws(AMQPError) -> Result? {
    do {
      return try declare()
    } catch  where error.kind == .channelClosed(code: ReplyCode.notFound) {
      try openChannel()
      return nil
    }
  }

  private func sendExchangeDeclare(
    _ name: String, type: String, passive: Bool, durable: Bool, autoDelete: Bool, arguments: Table
  ) throws(AMQPError) {
    arena.recycle()
    let request = amqp_exchange_declare_t(
      ticket: 0, exchange: arena.bytes(name), type: arena.bytes(type), passive: passive ? 1 : 0,
      durable: durable ? 1 : 0, auto_delete: autoDelete ? 1 : 0, internal: 0, nowait: 0,
      arguments: arguments.encoded(in: arena))
    try call(AMQP_EXCHANGE_DECLARE_METHOD, request, reply: AMQP_EXCHANGE_DECLARE_OK_METHOD)
  }

  private func sendQueueDeclare(
    _ name: String, passive: Bool, durable: Bool, exclusive: Bool, autoDelete: Bool, arguments: Table
  ) throws(AMQPError) -> QueueStatus {
    arena.recycle()
    let request = amqp_queue_declare_t(
      ticket: 0, queue: arena.bytes(name), passive: passive ? 1 : 0, durable: durable ? 1 : 0,
      exclusive: exclusive ? 1 : 0, auto_delete: autoDelete ? 1 : 0, nowait: 0,
      arguments: arguments.encoded(in: arena))
    let status = try call(AMQP_QUEUE_DECLARE_METHOD, request, reply: AMQP_QUEUE_DECLARE_OK_METHOD) {
      reply -> QueueStatus? in
      guard let reply = reply?.load(as: amqp_queue_declare_ok_t.self) else { return nil }
      return QueueStatus(
        name: reply.queue.string, messages: Int(reply.message_count), consumers: Int(reply.consumer_count))
    }
    guard let status else { throw fail(error(.protocolViolation, "received an empty queue.declare-ok")) }
    return status
  }
}
