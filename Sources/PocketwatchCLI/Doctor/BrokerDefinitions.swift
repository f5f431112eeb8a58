import AMQP

/// An exchange as the management plugin shows it.
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

/// A queue as the management plugin shows it.
struct BrokerQueue: Decodable {
  var durable: Bool
  var arguments: [String: BrokerValue]
  /// The name of the policy that holds for it.
  var policy: String?
  /// What all policies together say; nil while the management, which gathers every few seconds, does not know yet.
  var policyDefinition: [String: BrokerValue]?

  private enum CodingKeys: String, CodingKey {
    case durable, arguments, policy
    case policyDefinition = "effective_policy_definition"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    durable = try container.decode(Bool.self, forKey: .durable)
    arguments = try container.decode([String: BrokerValue].self, forKey: .arguments)
    policy = try container.decodeIfPresent(String.self, forKey: .policy)
    // Where there is none, some versions write an empty list.
    let isKnown = container.contains(.policyDefinition)
    policyDefinition =
      isKnown ? (try? container.decode([String: BrokerValue].self, forKey: .policyDefinition)) ?? [:] : nil
  }

  func findings(_ name: String, arguments wanted: [(String, BrokerValue)]) -> [Finding] {
    var differences = durable ? [] : ["it is not durable"]
    for (argument, value) in wanted where arguments[argument] != value {
      differences.append("\(argument) is \(arguments[argument]?.text ?? "missing"), not \(value.text)")
    }
    var findings: [Finding] = []
    if !differences.isEmpty {
      findings.append(
        .error(
          .topology, "\(name) was made otherwise: \(differences.joined(separator: "; "))", TopologyCheck.remake(name)))
    }
    return findings + policyFindings(name)
  }

  private func policyFindings(_ name: String) -> [Finding] {
    guard let policyDefinition else { return [] }
    let losing = ["message-ttl", "expires"].filter { policyDefinition[$0] != nil }
    if !losing.isEmpty {
      return [
        .error(
          .policies,
          "the policy \(policy ?? "of an operator") loses what is in \(name), by \(losing.joined(separator: ", "))",
          "give it a pattern that leaves \(name) out, and import the definitions")
      ]
    }
    guard ["max-length", "max-length-bytes"].allSatisfy({ policyDefinition[$0] != nil }) else {
      return [
        .warning(
          .policies, "no policy limits the length of \(name): a flood could fill the broker's disk",
          "rabbitmqctl import_definitions definitions.json brings one; a policy of a higher priority hides it")
      ]
    }
    return []
  }
}

/// A binding of a queue as the management plugin shows it.
struct BrokerBinding: Decodable {
  var source: String
  var routingKey: String

  private enum CodingKeys: String, CodingKey {
    case source
    case routingKey = "routing_key"
  }

  /// - Parameter keys: The routing keys with which the queue has to be bound to the exchange, and no others.
  static func findings(_ bindings: [BrokerBinding], of queue: String, to exchange: String, keys: [String]) -> [Finding]
  {
    let bound = bindings.filter { $0.source == exchange }.map(\.routingKey)
    var findings = keys.filter { !bound.contains($0) }.map { key in
      Finding.error(
        .topology, "\(queue) is not bound to \(exchange)\(key.isEmpty ? "" : " with \(key)")",
        "rabbitmqctl import_definitions definitions.json")
    }
    // Every queue is bound to the exchange without a name by its own.
    for other in bindings where !other.source.isEmpty && !(other.source == exchange && keys.contains(other.routingKey))
    {
      findings.append(
        .warning(
          .topology, "\(queue) is bound to \(other.source) with '\(other.routingKey)' too, and gets what is not for it",
          "take the binding away, on the management page"))
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

  /// An argument as we declare it.
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
    case .other: "something else"
    }
  }
}
