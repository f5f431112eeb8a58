/// The events of the contract, by the name that is both their DetailType and their routing key.
package enum EventName: String, CaseIterable, Sendable {
  case start = "Schedule Start"
  case stop = "Schedule Stop"
  case tick = "Schedule Tick"
  case started = "Schedule Started"
  case stopped = "Schedule Stopped"
  case rejected = "Schedule Rejected"

  /// Whether it is one that we send: a command that bears such a name is never answered, so that nothing can feed on
  /// itself.
  package var isOwn: Bool {
    switch self {
    case .start, .stop: false
    case .tick, .started, .stopped, .rejected: true
    }
  }

  /// The events by name.
  static let table = NameTable<Self>()
}
