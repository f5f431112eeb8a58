package import AMQP

/// The exchanges and queues of the scheduler, as in definitions.json.
///
/// Settings on which correctness depends are arguments of the command queue, because an operator's policy could replace ours.
package struct Topology: Sendable {
  package let names: TopologyNames

  package init(names: TopologyNames) {
    self.names = names
  }

  /// The arguments of the command queue. Quorum: a confirmed command is on disk. Single active consumer: one service at a time,
  /// in order. Delivery limit and dead-letter exchange: a command that crashes the process is removed and kept.
  package var commandQueueArguments: [(name: String, value: FieldValue)] {
    [
      ("x-queue-type", .string("quorum")),
      ("x-single-active-consumer", .boolean(true)),
      ("x-delivery-limit", .int32(20)),
      ("x-dead-letter-exchange", .string(names.deadExchange)),
      ("x-dead-letter-strategy", .string("at-least-once")),
      ("x-overflow", .string("reject-publish")),
    ]
  }

  package var deadQueueArguments: [(name: String, value: FieldValue)] {
    [("x-queue-type", .string("quorum"))]
  }

  /// The exchanges with their types.
  package var exchanges: [(name: String, type: String)] {
    [(names.eventBus, "topic"), (names.deadExchange, "fanout"), (names.replyExchange, "direct")]
  }

  /// The policies that limit the length of the queues, so that a flood cannot fill the broker's disk.
  package var policies: [QueuePolicy] {
    [
      QueuePolicy(queue: names.commandQueue, maximumLength: 1_000_000),
      QueuePolicy(queue: names.deadQueue, maximumLength: 100_000),
    ]
  }

  /// Throws an error that lists missing exchanges and queues. AMQP cannot report types, arguments and bindings. The
  /// exchange of the replies may be missing, from a broker with the definitions of an earlier version.
  package func check(on connection: Connection) throws {
    var missing = try missingExchanges([names.eventBus, names.deadExchange], on: connection)
    for queue in [names.commandQueue, names.deadQueue] where try connection.checkQueue(queue) == nil {
      missing.append("queue \(queue)")
    }
    try requireNone(missing)
  }

  /// As above, for the event bus only, which is all that publishing requires.
  package func checkEventBus(on connection: Connection) throws {
    try requireNone(try missingExchanges([names.eventBus], on: connection))
  }

  private func missingExchanges(_ exchanges: [String], on connection: Connection) throws -> [String] {
    try exchanges.filter { try !connection.checkExchange($0) }.map { "exchange \($0)" }
  }

  private func requireNone(_ missing: [String]) throws {
    guard missing.isEmpty else {
      throw AMQPError.topology(
        "missing on the broker: \(missing.joined(separator: ", ")). Import the definitions: `pocketwatch definitions"
          + " >definitions.json`, then `rabbitmqctl import_definitions definitions.json`")
    }
  }

  /// Declares all exchanges and queues. Existing ones must have the same arguments.
  package func declare(on connection: Connection) throws {
    try declareEventBus(on: connection)
    try connection.declareExchange(names.deadExchange, type: "fanout", durable: true)
    try connection.declareExchange(names.replyExchange, type: "direct", durable: true)
    try connection.declareQueue(names.deadQueue, durable: true, arguments: Table(deadQueueArguments))
    try connection.declareQueue(names.commandQueue, durable: true, arguments: Table(commandQueueArguments))
    try connection.bindQueue(names.deadQueue, to: names.deadExchange, routingKey: "")
    for key in TopologyNames.commandKeys {
      try connection.bindQueue(names.commandQueue, to: names.eventBus, routingKey: key)
    }
  }

  /// As above, for the event bus only.
  package func declareEventBus(on connection: Connection) throws {
    try connection.declareExchange(names.eventBus, type: "topic", durable: true)
  }
}

/// A policy that limits the length of queues.
package struct QueuePolicy: Sendable, Hashable {
  /// Its name: that of its queue, or what the names of its queues begin with.
  package var queue: String
  package var maximumLength: Int
  package var maximumBytes: Int
  /// A regular expression.
  package var pattern: String
  package static let priority = 10

  /// Without `pattern`, for one queue.
  package init(queue: String, maximumLength: Int, maximumBytes: Int = 1 << 30, pattern: String? = nil) {
    self.queue = queue
    self.maximumLength = maximumLength
    self.maximumBytes = maximumBytes
    self.pattern = pattern ?? "^" + queue.replacing(".", with: "\\.") + "$"
  }

  /// Keys and values, in the order of definitions.json.
  package var definition: [(key: String, value: Int)] {
    [("max-length", maximumLength), ("max-length-bytes", maximumBytes)]
  }
}

extension Table {
  package init(_ arguments: [(name: String, value: FieldValue)]) {
    self.init()
    for argument in arguments { self[argument.name] = argument.value }
  }
}
