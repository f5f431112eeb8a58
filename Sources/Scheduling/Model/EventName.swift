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
  // What the service sends.
  case tick = "Schedule Tick"
  case started = "Schedule Started"
  case stopped = "Schedule Stopped"
  case paused = "Schedule Paused"
  case resumed = "Schedule Resumed"
  case triggered = "Schedule Triggered"
  case updated = "Schedule Updated"
  case rejected = "Schedule Rejected"

  package enum Kind: Sendable {
    case command, tick, outcome
  }

  package var kind: Kind {
    switch self {
    case .start, .stop, .pause, .resume, .trigger, .update: .command
    case .tick: .tick
    case .started, .stopped, .paused, .resumed, .triggered, .updated, .rejected: .outcome
    }
  }

  /// Whether the service sends it. A command that has such a name is never answered, so that no loop can form.
  package var isOwn: Bool { kind != .command }

  package static let commands = allCases.filter { $0.kind == .command }
  package static let outcomes = allCases.filter { $0.kind == .outcome }
  package static let own = allCases.filter(\.isOwn)
}
