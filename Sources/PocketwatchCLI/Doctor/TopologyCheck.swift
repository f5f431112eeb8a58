import AMQP
import PocketwatchService

/// Checks exchanges and queues over AMQP: existence and number of consumers. Types and arguments are visible only to a
/// login that may declare.
struct TopologyCheck {
  let names: TopologyNames
  let virtualHost: String
  private(set) var findings: [Finding] = []
  private(set) var consumers: Int?
  /// What the login has no right to see, such as `the queue pocketwatch.commands`.
  private(set) var denied: [String] = []
  private var existing: Set<String> = []
  /// The number of messages by queue.
  private(set) var messages: [String: Int] = [:]

  init(names: TopologyNames, virtualHost: String) {
    self.names = names
    self.virtualHost = virtualHost
  }

  func exists(_ name: String) -> Bool { existing.contains(name) }

  mutating func check(on connection: Connection) throws(AMQPError) {
    var missing: [String] = []
    for (exchange, _) in topology.exchanges {
      switch try visible(on: connection, { () throws(AMQPError) in try connection.checkExchange(exchange) ? () : nil })
      {
      case .exists: existing.insert(exchange)
      case .missing where exchange == names.replyExchange: findings.append(noReplies)
      case .missing: missing.append("the exchange \(exchange)")
      case .denied: denied.append("the exchange \(exchange)")
      }
    }
    for queue in [names.commandQueue, names.deadQueue] {
      switch try visible(on: connection, { () throws(AMQPError) in try connection.checkQueue(queue) }) {
      case .exists(let status): note(status)
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

  private var topology: Topology { Topology(names: names) }

  /// Definitions of version 0.2 and earlier do not have it. Everything else works without.
  private var noReplies: Finding {
    .warning(
      .topology, "missing on the broker: the exchange \(names.replyExchange); clients get no replies", importing)
  }

  private enum Visibility<Value> {
    case exists(Value), missing, denied
  }

  private func visible<Value>(
    on connection: Connection, _ check: () throws(AMQPError) -> Value?
  ) throws(AMQPError) -> Visibility<Value> {
    do {
      return try check().map(Visibility.exists) ?? .missing
    } catch  where error.kind == .channelClosed(code: 403) {
      try connection.openChannel()
      return .denied
    }
  }

  private mutating func note(_ queue: QueueStatus) {
    existing.insert(queue.name)
    messages[queue.name] = queue.messages
    if queue.name == names.commandQueue {
      consumers = queue.consumers
    } else if queue.messages > 0 {
      findings.append(.ok(.topology, "rejected commands in \(queue.name): \(queue.messages)"))
    }
  }

  /// Re-declares what exists: the broker refuses a declaration that differs, and changes nothing.
  private mutating func compare(on connection: Connection) throws(AMQPError) {
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
    for (exchange, type) in topology.exchanges where exists(exchange) {
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
            ? "exchanges and queues exist, with the required types and arguments"
            : "exchanges and queues exist; types and arguments are visible with --management only"))
    }
  }

  /// Compares the number of consumers with the state of the local service.
  static func consuming(_ consumers: Int, queue: String, isServiceHere: Bool) -> Finding {
    switch (consumers, isServiceHere) {
    case (0, false): .ok(.topology, "\(queue) has no consumer; a service can start")
    case (0, true):
      .error(
        .topology, "a service runs here, but \(queue) has no consumer", "see its readiness above, and its log")
    case (_, true): .ok(.topology, "\(queue) has a consumer")
    case (_, false):
      .warning(
        .topology,
        "\(queue) has a consumer that is not a service with this database; a service started here would exit with code 4",
        "stop the other service, or set another \(Setting.stack.environmentVariable) for this one")
    }
  }

  /// The commands that create what is missing.
  var importing: String {
    var options = ""
    if names.stack != TopologyNames().stack { options += " --stack \(shellWord(names.stack))" }
    if names.eventBus != TopologyNames().eventBus { options += " --event-bus \(shellWord(names.eventBus))" }
    if virtualHost != "/" { options += " --vhost \(shellWord(virtualHost))" }
    return "pocketwatch definitions\(options) >definitions.json && rabbitmqctl import_definitions definitions.json"
  }

  /// - Parameter messages: The number of messages in the queue, which would be lost; nil when unknown.
  func remake(_ queue: String, messages: Int?) -> String {
    let condition =
      switch messages {
      case 0?: ""
      case let count?: "once it is empty (it holds \(count) messages): "
      case nil: "once it is empty: "
      }
    return condition + "rabbitmqctl delete_queue -p \(shellWord(virtualHost)) \(shellWord(queue)) && \(importing)"
  }

  static func remakeExchange(_ exchange: String) -> String {
    "delete the exchange \(shellWord(exchange)), import the definitions, and let clients re-bind their queues; or"
      + " set another \(Setting.eventBus.environmentVariable)"
  }
}
