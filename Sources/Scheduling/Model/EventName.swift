/// The events of the contract, by the name that is both their DetailType and their routing key.
///
/// The one list of them: decoder, encoder, topology, rights, metrics and command line take theirs from here.
package enum EventName: String, CaseIterable, Sendable {
  // Commands, which clients send.
  case start = "Schedule Start"
  case stop = "Schedule Stop"
  case pause = "Schedule Pause"
  case resume = "Schedule Resume"
  case trigger = "Schedule Trigger"
  case update = "Schedule Update"
  // Questions, which clients send and which change nothing.
  case describe = "Schedule Describe"
  case list = "Schedule List"
  // What the service sends.
  case tick = "Schedule Tick"
  case started = "Schedule Started"
  case stopped = "Schedule Stopped"
  case paused = "Schedule Paused"
  case resumed = "Schedule Resumed"
  case triggered = "Schedule Triggered"
  case updated = "Schedule Updated"
  case batchDone = "Schedule Batch Done"
  case rejected = "Schedule Rejected"
  case described = "Schedule Described"
  case listed = "Schedule Listed"

  package enum Kind: Sendable {
    /// Sent by clients, through the command queue.
    case command, question
    /// Published on the event bus.
    case tick, outcome
    /// The answer to a question, sent to its `reply_to` only.
    case reply
  }

  package var kind: Kind {
    switch self {
    case .start, .stop, .pause, .resume, .trigger, .update: .command
    case .describe, .list: .question
    case .tick: .tick
    case .started, .stopped, .paused, .resumed, .triggered, .updated, .batchDone, .rejected: .outcome
    case .described, .listed: .reply
    }
  }

  /// Whether the service sends it. A command that has such a name is never answered, so that no loop can form.
  package var isOwn: Bool { !isRequest }

  /// Whether clients send it: it is a routing key of the command queue.
  package var isRequest: Bool { kind == .command || kind == .question }

  package static let commands = allCases.filter { $0.kind == .command }
  package static let requests = allCases.filter(\.isRequest)
  package static let outcomes = allCases.filter { $0.kind == .outcome }
  package static let own = allCases.filter(\.isOwn)
  /// What the service publishes on the event bus.
  package static let published = allCases.filter { $0.kind == .tick || $0.kind == .outcome }
}
