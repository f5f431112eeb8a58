import AMQP
import PocketwatchService

/// The rights of the service's login, from what the broker refused.
struct RightsCheck {
  let names: TopologyNames
  let user: String
  let virtualHost: String

  /// What the service publishes.
  static let eventKeys = ["Schedule Tick", "Schedule Started", "Schedule Stopped", "Schedule Rejected"]

  /// What came of trying to publish.
  struct Publishing: Hashable {
    /// The events, and the commands, that the broker refuses from this login.
    var denied: Set<String> = []
    /// The broker's words, when it does not take the login as `user_id`.
    var wrongUserID: String?
    /// The broker's words, when the largest event is too large for it.
    var tooLarge: String?
    var isBlocked = false

    /// Whether the login is one that gives commands. With the service's rights it could forge ticks.
    var isOfClient: Bool {
      denied.isSuperset(of: eventKeys) && denied.isDisjoint(with: TopologyNames.commandKeys)
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

  /// The largest event: a command of the largest size, and what the service adds to it.
  static let largestEventBytes = 272 << 10

  func findings(_ publishing: Publishing, publishesCommands: Bool) -> [Finding] {
    var findings: [Finding] = []
    if let text = publishing.wrongUserID { findings.append(wrongUserID(text)) }
    if let text = publishing.tooLarge {
      findings.append(
        .error(
          .broker, "events can have up to \(Self.largestEventBytes) bytes, and the broker refuses them: \(text)",
          "in the broker's rabbitmq.conf: max_message_size = 16777216; then restart the broker"))
    }
    let keys = Self.eventKeys + (publishesCommands ? TopologyNames.commandKeys : [])
    findings.append(
      self.publishing(denied: keys.filter(publishing.denied.contains), publishesCommands: publishesCommands))
    return findings
  }

  /// Only the right to give commands was found.
  var isClient: Finding {
    .error(
      .rights, "\(user) may give commands and may not publish events: it is the login of a client, not of the service",
      "run doctor with the service's login in \(Setting.amqpURL.environmentVariable)")
  }

  func publishing(denied: [String], publishesCommands: Bool) -> Finding {
    guard !denied.isEmpty else { return .ok(.rights, "\(user) may publish its events to \(names.eventBus)") }
    let keys = Self.eventKeys + (publishesCommands ? TopologyNames.commandKeys : [])
    let last = keys.map { $0.dropFirst("Schedule ".count) }.joined(separator: "|")
    return .error(
      .rights, "\(user) may not publish \(denied.joined(separator: ", ")) to \(names.eventBus)",
      permit + " && rabbitmqctl set_topic_permissions -p \(shellWord(virtualHost)) \(shellWord(user))"
        + " \(shellWord(names.eventBus)) '^Schedule (\(last))$' '^$'" + caution)
  }

  func wrongUserID(_ words: String) -> Finding {
    .error(
      .rights, "the broker does not accept \(user) as the user_id of events: \(words)",
      "\(Setting.userID.environmentVariable)=off")
  }

  /// - Parameters:
  ///   - refusal: What came of a `basic.get`; nil when the queue gave what it has.
  ///   - remake: How the queue is declared again.
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
          "\(queue) is not a quorum queue with a single active consumer, so that two services could share it",
          remake),
      ]
    default: return [.warning(.rights, "\(queue) cannot be tried: \(refusal?.text ?? "")", "see the log of the broker")]
    }
  }

  /// No right even to look whether something is there.
  func mayNotLook(at thing: String) -> Finding {
    .error(.rights, "\(user) has no right to \(thing)", permissions)
  }

  /// The command that gives what the service needs, no more.
  var permissions: String { permit + caution }

  private var caution: String {
    "  # this replaces all rights of \(user) there; rabbitmqctl list_user_permissions \(shellWord(user)) shows them"
  }

  private var permit: String {
    let write = "^(\(Self.escaped(names.eventBus))|\(Self.escaped(names.deadQueue)))$"
    let read = "^\(Self.escaped(names.commandQueue))$"
    return "rabbitmqctl set_permissions -p \(shellWord(virtualHost)) \(shellWord(user)) '^$' \(shellWord(write))"
      + " \(shellWord(read))"
  }

  /// A name as a regular expression that nothing else matches.
  static func escaped(_ name: String) -> String {
    var pattern = ""
    for character in name {
      if #"\^$.|?*+()[]{}"#.contains(character) { pattern += #"\"# }
      pattern.append(character)
    }
    return pattern
  }
}
