import AMQP
import PocketwatchService

/// The rights of the service's login, from what the broker refused.
struct RightsCheck {
  let names: TopologyNames
  let user: String
  let virtualHost: String

  /// What the service publishes.
  static let eventKeys = ["Schedule Tick", "Schedule Started", "Schedule Stopped", "Schedule Rejected"]

  enum Publishing: Equatable {
    case allowed, denied, blocked
    case wrongUserID(String)
  }

  /// What the refusal of a message without a valid expiration says about the right to publish it.
  static func meaning(ofPublish refusal: AMQPError?) -> Publishing {
    guard let refusal else { return .blocked }
    guard refusal.kind == .channelClosed(code: 406) else { return .denied }
    return refusal.text.contains("user_id") ? .wrongUserID(refusal.text) : .allowed
  }

  func publishing(denied: [String], publishesCommands: Bool) -> Finding {
    guard !denied.isEmpty else { return .ok(.rights, "\(user) may publish its events to \(names.eventBus)") }
    let keys = Self.eventKeys + (publishesCommands ? TopologyNames.commandKeys : [])
    let last = keys.map { $0.dropFirst("Schedule ".count) }.joined(separator: "|")
    return .error(
      .rights, "\(user) may not publish \(denied.joined(separator: ", ")) to \(names.eventBus)",
      permissions + " && rabbitmqctl set_topic_permissions -p \(shellWord(virtualHost)) \(shellWord(user))"
        + " \(shellWord(names.eventBus)) '^Schedule (\(last))$' '^$'")
  }

  func wrongUserID(_ words: String) -> Finding {
    .error(
      .rights, "the broker does not take \(user) as the user_id of events: \(words)",
      "\(Setting.userID.environmentVariable)=off")
  }

  /// - Parameter refusal: What came of a `basic.get`; nil when the queue gave what it has.
  func reading(_ refusal: AMQPError?) -> [Finding] {
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
          .topology, "\(queue) is no quorum queue with a single active consumer, so that two services could share it",
          TopologyCheck.remake(queue)),
      ]
    default: return [.warning(.rights, "\(queue) cannot be tried: \(refusal?.text ?? "")", "see what the broker says")]
    }
  }

  /// No right even to look whether something is there.
  func mayNotLook(at thing: String) -> Finding {
    .error(.rights, "\(user) may not look at \(thing)", permissions)
  }

  /// The command that gives what the service needs, no more.
  var permissions: String {
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
