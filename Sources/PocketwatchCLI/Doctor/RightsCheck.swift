import AMQP
import PocketwatchService
import Scheduling

/// Derives the rights of the service's login from the broker's refusals.
struct RightsCheck {
  let names: TopologyNames
  let user: String
  let virtualHost: String
  /// Whether the service publishes replies to the default exchange, too.
  var answersDirectly = false
  /// The exchanges of the operator's list of targets.
  var targets: [String] = []

  /// The events that the service publishes on the event bus.
  static let eventKeys = EventName.published.map(\.rawValue)

  /// The commands that the pages publish.
  static let commandKeys = EventName.commands.map(\.rawValue)

  /// The results of test publications.
  struct Publishing: Hashable {
    /// The events and commands that the login may not publish.
    var denied: Set<String> = []
    /// The broker's text, when it does not accept the login as `user_id`.
    var wrongUserID: String?
    /// The broker's text, when the largest event exceeds its limit.
    var tooLarge: String?
    var isBlocked = false

    /// Whether it is a client's login. With the service's rights it could forge ticks.
    var isOfClient: Bool {
      denied.isSuperset(of: eventKeys) && denied.isDisjoint(with: commandKeys)
    }

    mutating func note(_ key: String, _ verdict: Connection.PublishVerdict) {
      switch verdict {
      case .allowed: break
      case .blocked: isBlocked = true
      case .refused(let refusal) where refusal.text.contains("user_id"): wrongUserID = refusal.text
      case .refused(let refusal) where refusal.text.contains("message size"): tooLarge = refusal.text
      case .refused: denied.insert(key)
      }
    }
  }

  /// The largest event: the largest command plus the fields that the service adds.
  static let largestEventBytes = 272 << 10

  func findings(_ publishing: Publishing, publishesCommands: Bool) -> [Finding] {
    var findings: [Finding] = []
    if let text = publishing.wrongUserID { findings.append(wrongUserID(text)) }
    if let text = publishing.tooLarge {
      findings.append(
        .error(
          .broker, "the broker refuses events of \(Self.largestEventBytes) bytes, the maximum: \(text)",
          "in the broker's rabbitmq.conf: max_message_size = 16777216; then restart the broker"))
    }
    let keys = Self.eventKeys + (publishesCommands ? Self.commandKeys : [])
    findings.append(
      self.publishing(denied: keys.filter(publishing.denied.contains), publishesCommands: publishesCommands))
    return findings
  }

  /// The login may publish commands only.
  var isClient: Finding {
    .error(
      .rights, "\(user) may publish commands but not events: it is the login of a client, not of the service",
      "run doctor with the service's login in \(Setting.amqpURL.environmentVariable)")
  }

  func publishing(denied: [String], publishesCommands: Bool) -> Finding {
    guard !denied.isEmpty else { return .ok(.rights, "\(user) may publish its events to \(names.eventBus)") }
    let keys = Self.eventKeys + (publishesCommands ? Self.commandKeys : [])
    let last = keys.map { $0.dropFirst("Schedule ".count) }.joined(separator: "|")
    return .error(
      .rights, "\(user) may not publish \(denied.joined(separator: ", ")) to \(names.eventBus)",
      permit + " && rabbitmqctl set_topic_permissions -p \(shellWord(virtualHost)) \(shellWord(user))"
        + " \(shellWord(names.eventBus)) '^Schedule (\(last))$' '^$'" + caution)
  }

  /// - Parameter exchange: To which the broker refuses replies.
  func mayNotReply(to exchange: String) -> Finding {
    .warning(.rights, "\(user) may not publish replies to \(exchange): no client gets any there", permissions)
  }

  /// - Parameter exchange: Of the operator's list of targets, to which the login may not write.
  func mayNotPublish(toTarget exchange: String) -> Finding {
    .error(
      .rights,
      "\(user) may not publish to \(exchange), which \(Setting.targets.key) lists: schedules with this target wait",
      permissions)
  }

  /// - Parameter exchange: Of the operator's list of targets, which the broker does not have.
  static func missing(target exchange: String) -> Finding {
    .error(
      .topology, "missing on the broker: the exchange \(exchange), which \(Setting.targets.key) lists",
      "declare \(shellWord(exchange)) as its consumers expect it, or remove it from \(Setting.targets.environmentVariable)"
    )
  }

  func wrongUserID(_ text: String) -> Finding {
    .error(
      .rights, "the broker does not accept \(user) as the user_id of events: \(text)",
      "\(Setting.userID.environmentVariable)=off")
  }

  /// - Parameters:
  ///   - refusal: The broker's refusal of `basic.get`; nil when it was accepted.
  ///   - remake: The commands that re-create the queue.
  func reading(_ refusal: AMQPError?, remake: String) -> [Finding] {
    let queue = names.commandQueue
    switch refusal?.kind {
    case .channelClosed(code: 405):
      return [
        .ok(.rights, "\(user) may consume \(queue)"),
        .ok(.topology, "\(queue) is a quorum queue with a single active consumer"),
      ]
    case .channelClosed(code: 403):
      return [.error(.rights, "\(user) may not consume \(queue)", permissions)]
    case nil:
      return [
        .ok(.rights, "\(user) may consume \(queue)"),
        .error(
          .topology,
          "\(queue) is not a quorum queue with a single active consumer: two services could share it",
          remake),
      ]
    default:
      return [.warning(.rights, "\(queue) cannot be checked: \(refusal?.text ?? "")", "see the log of the broker")]
    }
  }

  /// The login may not even see whether an exchange or queue exists.
  func mayNotSee(_ thing: String) -> Finding {
    .error(.rights, "\(user) has no right to \(thing)", permissions)
  }

  /// The command that grants exactly the rights that the service needs.
  var permissions: String { permit + caution }

  private var caution: String {
    "  # this replaces all rights of \(user) there; rabbitmqctl list_user_permissions \(shellWord(user)) shows them"
  }

  private var permit: String {
    let exchanges =
      [names.eventBus, names.deadExchange, names.replyExchange] + targets.filter { $0 != names.eventBus }
      + (answersDirectly ? [Self.defaultExchange] : [])
    let write = "^(\(exchanges.map(Self.escaped).joined(separator: "|")))$"
    let read = "^\(Self.escaped(names.commandQueue))$"
    return "rabbitmqctl set_permissions -p \(shellWord(virtualHost)) \(shellWord(user)) '^$' \(shellWord(write))"
      + " \(shellWord(read))"
  }

  /// The name of the default exchange in permissions.
  static let defaultExchange = "amq.default"

  /// A regular expression for exactly this name.
  static func escaped(_ name: String) -> String {
    var pattern = ""
    for character in name {
      if #"\^$.|?*+()[]{}"#.contains(character) { pattern += #"\"# }
      pattern.append(character)
    }
    return pattern
  }
}
