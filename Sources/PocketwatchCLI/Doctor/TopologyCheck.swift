import AMQP
import PocketwatchService

/// Exchanges and queues as they can be seen over AMQP: whether they are there, and how many consume. Types and
/// arguments show only to a login that may declare.
struct TopologyCheck {
  let names: TopologyNames
  let virtualHost: String
  private(set) var findings: [Finding] = []
  private(set) var consumers: Int?
  /// What the login may not even look at: `the queue pocketwatch.commands`.
  private(set) var denied: [String] = []
  private var there: Set<String> = []
  /// How many messages the queues hold.
  private(set) var messages: [String: Int] = [:]

  init(names: TopologyNames, virtualHost: String) {
    self.names = names
    self.virtualHost = virtualHost
  }

  func isThere(_ name: String) -> Bool { there.contains(name) }

  mutating func look(on connection: Connection) throws(AMQPError) {
    var missing: [String] = []
    for exchange in [names.eventBus, names.deadExchange] {
      switch try seen(on: connection, { () throws(AMQPError) in try connection.checkExchange(exchange) ? () : nil }) {
      case .there: there.insert(exchange)
      case .missing: missing.append("the exchange \(exchange)")
      case .denied: denied.append("the exchange \(exchange)")
      }
    }
    for queue in [names.commandQueue, names.deadQueue] {
      switch try seen(on: connection, { () throws(AMQPError) in try connection.checkQueue(queue) }) {
      case .there(let status): note(status)
      case .missing: missing.append("the queue \(queue)")
      case .denied: denied.append("the queue \(queue)")
      }
    }
    if missing.isEmpty {
      if denied.isEmpty { try compare(on: connection) }
    } else {
      findings.append(.error(.topology, "missing on the broker: \(missing.joined(separator: ", "))", importing))
    }
  }

  private enum Sight<Value> {
    case there(Value), missing, denied
  }

  private func seen<Value>(
    on connection: Connection, _ look: () throws(AMQPError) -> Value?
  ) throws(AMQPError) -> Sight<Value> {
    do {
      return try look().map(Sight.there) ?? .missing
    } catch  where error.kind == .channelClosed(code: 403) {
      try connection.openChannel()
      return .denied
    }
  }

  private mutating func note(_ queue: QueueStatus) {
    there.insert(queue.name)
    messages[queue.name] = queue.messages
    if queue.name == names.commandQueue {
      consumers = queue.consumers
    } else if queue.messages > 0 {
      findings.append(.ok(.topology, "\(queue.messages) rejected commands are kept in \(queue.name)"))
    }
  }

  /// Declares what is there once more: the broker refuses what is not alike, and changes nothing.
  private mutating func compare(on connection: Connection) throws(AMQPError) {
    let topology = Topology(names: names)
    var mayDeclare = true
    func compared(_ name: String, _ remedy: String, _ declare: () throws(AMQPError) -> Void) throws(AMQPError)
      -> Finding?
    {
      do {
        try declare()
      } catch  where error.kind == .channelClosed(code: 406) {
        try connection.openChannel()
        return .error(.topology, "\(name) was declared with different arguments: \(error.text)", remedy)
      } catch  where error.kind == .channelClosed(code: 403) {
        try connection.openChannel()
        mayDeclare = false
      }
      return nil
    }
    var different: [Finding?] = []
    for (exchange, type) in [(names.eventBus, "topic"), (names.deadExchange, "fanout")] {
      different.append(
        try compared(exchange, Self.remakeExchange(exchange)) { () throws(AMQPError) in
          try connection.declareExchange(exchange, type: type)
        })
    }
    for (queue, arguments) in [
      (names.commandQueue, topology.commandQueueArguments), (names.deadQueue, topology.deadQueueArguments),
    ] {
      different.append(
        try compared(queue, remake(queue, messages: messages[queue])) { () throws(AMQPError) in
          try connection.declareQueue(queue, arguments: Table(arguments))
        })
    }
    findings += different.compactMap(\.self)
    if different.allSatisfy({ $0 == nil }) {
      findings.append(
        .ok(
          .topology,
          mayDeclare
            ? "exchanges and queues are there, with the types and arguments that they need"
            : "exchanges and queues are there; their types and arguments show with --management only"))
    }
  }

  /// What the number of consumers means beside what is known of the service here.
  static func consuming(_ consumers: Int, queue: String, isServiceHere: Bool) -> Finding {
    switch (consumers, isServiceHere) {
    case (0, false): .ok(.topology, "nobody consumes \(queue); a service can start")
    case (0, true):
      .error(
        .topology, "a service runs here, but nobody consumes \(queue)", "see what it waits for, above, and its log")
    case (_, true): .ok(.topology, "\(queue) is consumed")
    case (_, false):
      .warning(
        .topology,
        "\(queue) is consumed, and not by a service with this database: one started here would end with code 4",
        "stop the other one, or give this one another \(Setting.stack.environmentVariable)")
    }
  }

  /// The commands that bring what is missing.
  var importing: String {
    var options = ""
    if names.stack != TopologyNames().stack { options += " --stack \(shellWord(names.stack))" }
    if names.eventBus != TopologyNames().eventBus { options += " --event-bus \(shellWord(names.eventBus))" }
    if virtualHost != "/" { options += " --vhost \(shellWord(virtualHost))" }
    return "pocketwatch definitions\(options) >definitions.json && rabbitmqctl import_definitions definitions.json"
  }

  /// - Parameter messages: How many are in the queue, which would be lost; nil when that is not known.
  func remake(_ queue: String, messages: Int?) -> String {
    let condition =
      switch messages {
      case 0?: ""
      case let count?: "when it is empty (it holds \(count) messages): "
      case nil: "when it is empty: "
      }
    return condition + "rabbitmqctl delete_queue -p \(shellWord(virtualHost)) \(shellWord(queue)) && \(importing)"
  }

  static func remakeExchange(_ exchange: String) -> String {
    "delete the exchange \(shellWord(exchange)), import the definitions, and have clients bind their queues again; or"
      + " set another \(Setting.eventBus.environmentVariable)"
  }
}
