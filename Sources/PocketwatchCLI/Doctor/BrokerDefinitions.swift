import AMQP

/// An exchange from the management API.
struct BrokerExchange: Decodable {
  var type: String
  var durable: Bool

  func findings(_ name: String, type wanted: String) -> [Finding] {
    guard type == wanted, durable else {
      return [
        .error(
          .topology, "\(name) is a \(durable ? "durable" : "transient") \(type) exchange, not a durable \(wanted) one",
          TopologyCheck.remakeExchange(name))
      ]
    }
    return []
  }
}

/// A queue from the management API.
struct BrokerQueue: Decodable {
  var durable: Bool
  var arguments: [String: BrokerValue]
  /// The names of the applied policies, up to some seconds old.
  var policy: String?
  var operatorPolicy: String?

  private enum CodingKeys: String, CodingKey {
    case durable, arguments, policy
    case operatorPolicy = "operator_policy"
  }

  /// Arguments that lose or refuse messages.
  private static let harmful = [
    "x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes", "x-dead-letter-routing-key",
  ]

  func findings(_ name: String, arguments wanted: [(String, BrokerValue)], remedy: String) -> [Finding] {
    var differences = durable ? [] : ["it is not durable"]
    for (argument, value) in wanted where arguments[argument] != value {
      differences.append("\(argument) is \(arguments[argument]?.text ?? "missing"), not \(value.text)")
    }
    for argument in Self.harmful where arguments[argument] != nil && !wanted.contains(where: { $0.0 == argument }) {
      differences.append("\(argument) is \(arguments[argument]?.text ?? ""), but must not be set")
    }
    if differences.isEmpty { return [] }
    return [
      .error(
        .topology, "\(name) was declared with different arguments: \(differences.joined(separator: "; "))", remedy)
    ]
  }
}

/// A binding of a queue, from the management API.
struct BrokerBinding: Decodable {
  var source: String
  var routingKey: String

  private enum CodingKeys: String, CodingKey {
    case source
    case routingKey = "routing_key"
  }

  /// - Parameter keys: The expected routing keys; others are reported.
  static func findings(
    _ bindings: [BrokerBinding], of queue: String, to exchange: String, keys: [String], remedy: String
  ) -> [Finding] {
    let bound = bindings.filter { $0.source == exchange }.map(\.routingKey)
    var findings = keys.filter { !bound.contains($0) }.map { key in
      Finding.error(
        .topology, "\(queue) is not bound to \(exchange)\(key.isEmpty ? "" : " with \(key)")",
        remedy)
    }
    // Every queue is bound to the default exchange.
    for other in bindings where !other.source.isEmpty && !(other.source == exchange && keys.contains(other.routingKey))
    {
      findings.append(
        .warning(
          .topology,
          "\(queue) is also bound to \(other.source) with '\(other.routingKey)', and receives unrelated messages",
          "unbind it in the management UI: Queues, \(queue), Bindings"))
    }
    return findings
  }
}

/// The value of an argument or of a policy.
enum BrokerValue: Decodable, Hashable {
  case text(String)
  case number(Int)
  case truth(Bool)
  case other

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let truth = try? value.decode(Bool.self) {
      self = .truth(truth)
    } else if let number = try? value.decode(Int.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .other
    }
  }

  /// A queue argument as Pocketwatch declares it.
  init(_ value: FieldValue) {
    switch value {
    case .boolean(let truth): self = .truth(truth)
    case .int32(let number): self = .number(Int(number))
    default: self = value.text.map { .text($0) } ?? .other
    }
  }

  var text: String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .truth(let truth): String(truth)
    case .other: "a list or table"
    }
  }
}
