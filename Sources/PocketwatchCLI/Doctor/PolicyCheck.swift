import AMQP
import Bytes
import PocketwatchService

/// Checks the effect of the broker's policies on one queue of the topology.
///
/// When argument and policies set the same key, the broker takes the smallest number, the policy's `overflow`, and the
/// argument's dead-lettering. With `overflow` drop-head from any of them, it dead-letters at most once.
struct PolicyCheck {
  /// The policy of definitions.json.
  let wanted: QueuePolicy
  /// The queue's actual arguments.
  let arguments: [String: BrokerValue]
  let isCommandQueue: Bool
  /// The number of cluster nodes.
  var nodes = 1
  let virtualHost: String
  var policy: BrokerPolicy?
  var operatorPolicy: BrokerPolicy?

  /// The least consumer timeout that the service supports, RabbitMQ's default, in milliseconds.
  private static let consumerTimeout = 1_800_000
  /// RabbitMQ's default of `consumer-disconnected-timeout`, in milliseconds.
  private static let disconnectedTimeout = 60_000

  private var queue: String { wanted.queue }

  var findings: [Finding] {
    var findings: [Finding] = []
    if let policy {
      findings += judged("the policy \(policy.name) (priority \(policy.priority))", policy, overruling)
    }
    if let operatorPolicy {
      findings += judged(
        "the operator policy \(operatorPolicy.name)", operatorPolicy,
        "rabbitmqctl clear_operator_policy -p \(shellWord(virtualHost)) \(shellWord(operatorPolicy.name))"
          + "  # or change its pattern so that it does not match \(queue)")
    }
    let isUnlimited = wanted.definition.contains { limit in
      arguments["x-" + limit.key] == nil
        && [policy, operatorPolicy].allSatisfy { $0?.definition[limit.key] == nil }
    }
    // The remedy for a harmful policy also restores the limits.
    if isUnlimited, !findings.contains(where: { $0.remedy == overruling }) {
      let hidden = policy.map { "; the policy \($0.name) overrides ours" } ?? ""
      findings.append(
        .warning(
          .policies, "no policy limits the length of \(queue): a flood could fill the broker's disk\(hidden)",
          overruling
        ))
    }
    return findings
  }

  private func judged(_ setter: String, _ policy: BrokerPolicy, _ remedy: String) -> [Finding] {
    func sentence(_ effects: [String]) -> String { "\(setter) sets for \(queue): \(effects.joined(separator: "; "))" }
    let keys = policy.definition.keys.sorted()
    let harms = keys.compactMap { key in policy.definition[key].flatMap { harm(key, $0, isOurs: policy.name == queue) }
    }
    let delays = keys.compactMap { key in policy.definition[key].flatMap { delay(key, $0) } }
    return (harms.isEmpty ? [] : [.error(.policies, sentence(harms), remedy)])
      + (delays.isEmpty ? [] : [.warning(.policies, sentence(delays), remedy)])
  }

  /// How a key loses or refuses messages; nil when it does not.
  private func harm(_ key: String, _ value: BrokerValue, isOurs: Bool) -> String? {
    let setting = "\(key) \(value.text)"
    switch key {
    case "message-ttl": return "\(setting): messages expire after that many milliseconds"
    case "expires": return "\(setting): the queue is deleted when unused for that many milliseconds"
    case "max-length", "max-length-bytes":
      // Smaller limits in our own policy are the operator's decision.
      guard !isOurs, let limit = wanted.definition.first(where: { $0.key == key })?.value, value.isLess(than: limit)
      else { return nil }
      return
        "\(setting), less than \(limit): \(isCommandQueue ? "commands" : "messages") are refused or dropped"
    default: return isCommandQueue ? harmToCommands(key, value, setting) : nil
    }
  }

  private func harmToCommands(_ key: String, _ value: BrokerValue, _ setting: String) -> String? {
    switch key {
    case "overflow":
      guard value != .text("reject-publish") else { return nil }
      return "\(setting): a full queue drops confirmed commands, and dead-letters at most once"
    case "delivery-limit":
      guard case .number(let limit)? = arguments["x-delivery-limit"], value.isLess(than: limit) else { return nil }
      return value.isLess(than: 0)
        ? "\(setting): a command that crashes the service is redelivered forever"
        : "\(setting): commands are dead-lettered after that many redeliveries"
    case "dead-letter-exchange", "dead-letter-routing-key", "dead-letter-strategy":
      guard arguments["x-" + key] == nil else { return nil }
      return "\(setting): rejected commands are not kept in their original form"
    default: return nil
    }
  }

  /// How a key delays commands; nil when it does not.
  private func delay(_ key: String, _ value: BrokerValue) -> String? {
    guard isCommandQueue else { return nil }
    let setting = "\(key) \(value.text)"
    switch key {
    case "consumer-timeout" where value.isLess(than: Self.consumerTimeout):
      return "\(setting): commands with a pending outcome are redelivered after that many milliseconds"
    case "consumer-disconnected-timeout" where nodes > 1 && !value.isLess(than: Self.disconnectedTimeout + 1):
      return "\(setting): commands wait that many milliseconds after the service's node has failed"
    default: return nil
    }
  }

  /// Sets our policy with a priority above the current one, which still applies to other queues.
  private var overruling: String {
    let definition = wanted.definition.map { "\(jsonQuoted($0.key)):\($0.value)" }.joined(separator: ",")
    var priority = QueuePolicy.priority
    if let policy { priority = max(priority, policy.name == queue ? policy.priority : policy.priority + 1) }
    return "rabbitmqctl set_policy -p \(shellWord(virtualHost)) \(shellWord(queue)) \(shellWord(wanted.pattern))"
      + " \(shellWord("{\(definition)}")) --priority \(priority) --apply-to queues"
  }
}

extension BrokerValue {
  /// False unless it is a number.
  fileprivate func isLess(than limit: Int) -> Bool {
    if case .number(let number) = self { number < limit } else { false }
  }
}
