package import AMQP

/// The exchanges and queues the scheduler works with, as definitions.json has them.
///
/// What correctness needs is an argument of the command queue, because an operator's policy could replace ours.
package struct Topology: Sendable {
  package let names: TopologyNames

  package init(names: TopologyNames) {
    self.names = names
  }

  /// The arguments of the command queue. Quorum: a confirmed command is on disk. Single active consumer: one service
  /// at a time, in order. The delivery limit takes out a command that kills the process, and dead-lettering keeps it.
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

  /// The policies that limit the length of the queues: a flood must not fill the broker's disk.
  package var policies: [QueuePolicy] {
    [
      QueuePolicy(queue: names.commandQueue, maximumLength: 1_000_000),
      QueuePolicy(queue: names.deadQueue, maximumLength: 100_000),
    ]
  }

  /// Throws an error that names all that is missing. Types, arguments and bindings cannot be seen over AMQP.
  package func check(on connection: Connection) throws {
    var missing = try missingExchanges([names.eventBus, names.deadExchange], on: connection)
    for queue in [names.commandQueue, names.deadQueue] where try connection.checkQueue(queue) == nil {
      missing.append("queue \(queue)")
    }
    try refuse(missing)
  }

  /// As above, for the event bus alone: all that publishing needs.
  package func checkEventBus(on connection: Connection) throws {
    try refuse(try missingExchanges([names.eventBus], on: connection))
  }

  private func missingExchanges(_ exchanges: [String], on connection: Connection) throws -> [String] {
    try exchanges.filter { try !connection.checkExchange($0) }.map { "exchange \($0)" }
  }

  private func refuse(_ missing: [String]) throws {
    guard missing.isEmpty else {
      throw AMQPError.topology(
        "missing on the broker: \(missing.joined(separator: ", ")). Import the definitions: `pocketwatch definitions"
          + " >definitions.json`, then `rabbitmqctl import_definitions definitions.json`")
    }
  }

  /// Declares what is missing; what is there must be as we declare it.
  package func declare(on connection: Connection) throws {
    try declareEventBus(on: connection)
    try connection.declareExchange(names.deadExchange, type: "fanout", durable: true)
    try connection.declareQueue(names.deadQueue, durable: true, arguments: Table(deadQueueArguments))
    try connection.declareQueue(names.commandQueue, durable: true, arguments: Table(commandQueueArguments))
    try connection.bindQueue(names.deadQueue, to: names.deadExchange, routingKey: "")
    for key in TopologyNames.commandKeys {
      try connection.bindQueue(names.commandQueue, to: names.eventBus, routingKey: key)
    }
  }

  /// As above, for the event bus alone.
  package func declareEventBus(on connection: Connection) throws {
    try connection.declareExchange(names.eventBus, type: "topic", durable: true)
  }
}

/// A policy for one queue, under the queue's name.
package struct QueuePolicy: Sendable, Hashable {
  package var queue: String
  package var maximumLength: Int
  package var maximumBytes = 1 << 30
  package static let priority = 10

  package var pattern: String { "^" + queue.replacing(".", with: "\\.") + "$" }
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
