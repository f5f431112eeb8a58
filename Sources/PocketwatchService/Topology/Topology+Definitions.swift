import AMQP
import Bytes

extension Topology {
  /// The definitions to import into a broker, as JSON: virtual host, topology and policies, no users.
  ///
  /// For the default names it equals the repository's definitions.json byte for byte.
  ///
  /// - Parameter delays: What delayed messages need in addition.
  package func definitions(virtualHost: String, adding delays: DelayTopology? = nil) -> String {
    let host = JSONText.string(virtualHost)
    func exchange(_ name: String, _ type: String, _ arguments: [(name: String, value: FieldValue)] = []) -> JSONText {
      .object([
        ("name", .string(name)), ("vhost", host), ("type", .string(type)), ("durable", .literal("true")),
        ("auto_delete", .literal("false")), ("arguments", .object(arguments.map { ($0.name, JSONText($0.value)) })),
      ])
    }
    func queue(_ name: String, _ arguments: [(name: String, value: FieldValue)]) -> JSONText {
      .object([
        ("name", .string(name)), ("vhost", host), ("durable", .literal("true")), ("auto_delete", .literal("false")),
        ("arguments", .object(arguments.map { ($0.name, JSONText($0.value)) })),
      ])
    }
    func binding(_ source: String, _ destination: String, _ key: String) -> JSONText {
      .object([
        ("source", .string(source)), ("vhost", host), ("destination", .string(destination)),
        ("destination_type", .string("queue")), ("routing_key", .string(key)), ("arguments", .object([])),
      ])
    }
    func policy(_ policy: QueuePolicy) -> JSONText {
      .object([
        ("name", .string(policy.queue)), ("vhost", host), ("pattern", .string(policy.pattern)),
        ("apply-to", .string("queues")), ("priority", .literal(String(QueuePolicy.priority))),
        ("definition", .object(policy.definition.map { ($0.key, .literal(String($0.value))) })),
      ])
    }
    let bindings =
      TopologyNames.commandKeys.map { binding(names.eventBus, names.commandQueue, $0) }
      + [binding(names.deadExchange, names.deadQueue, "")]
      + (delays?.bindings ?? []).map { binding($0.exchange, $0.queue, $0.key) }
    let queues =
      [queue(names.commandQueue, commandQueueArguments), queue(names.deadQueue, deadQueueArguments)]
      + (delays.map { delays in delays.queues.map { queue($0, delays.queueArguments) } } ?? [])
    let document = JSONText.object([
      ("vhosts", .array([.object([("name", host)])])),
      (
        "exchanges",
        .array(
          exchanges.map { exchange($0.name, $0.type) }
            + (delays?.exchanges ?? []).map { exchange($0.name, $0.type, $0.arguments) })
      ),
      ("queues", .array(queues)),
      ("bindings", .array(bindings)),
      ("policies", .array((policies + (delays.map { [$0.policy] } ?? [])).map(policy))),
    ])
    return document.rendered + "\n"
  }
}

/// Indented JSON with keys in the given order, which Foundation's encoder does not support.
private enum JSONText {
  case string(String)
  /// A number or a boolean.
  case literal(String)
  case object([(String, JSONText)])
  case array([JSONText])

  init(_ value: FieldValue) {
    switch value {
    case .boolean(let value): self = .literal(String(value))
    case .int32(let value): self = .literal(String(value))
    default: self = .string(value.text ?? "")
    }
  }

  var rendered: String { rendered(indent: "") }

  private func rendered(indent: String) -> String {
    let inner = indent + "  "
    switch self {
    case .string(let text): return jsonQuoted(text)
    case .literal(let text): return text
    case .object(let members):
      if members.isEmpty { return "{}" }
      let lines = members.map { "\(inner)\(jsonQuoted($0.0)): \($0.1.rendered(indent: inner))" }
      return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
    case .array(let elements):
      if elements.isEmpty { return "[]" }
      let lines = elements.map { inner + $0.rendered(indent: inner) }
      return "[\n\(lines.joined(separator: ",\n"))\n\(indent)]"
    }
  }
}
