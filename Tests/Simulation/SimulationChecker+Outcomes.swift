import Recurrence
import Scheduling

/// Outcomes that the broker nacks or does not confirm.
extension SimulationChecker {
  /// The command of the outcome, or what the schedule owed.
  enum OutcomeName: Hashable {
    /// With the schedule, since a command by group or prefix has several.
    case answer(label: Int, ScheduleID?), ownEnd(generation: Int64), ownResume(generation: Int64, revision: Int64)
    case triggered(generation: Int64, Instant)

    /// Nil for a publication that is not an outcome.
    init?(_ publication: Publication) {
      guard let event = publication.event else { return nil }
      self.init(event, publication.origin)
    }

    /// Nil for a tick of a slot.
    init?(_ event: OutgoingEvent, _ origin: Origin) {
      switch event {
      case .tick(let tick):
        guard tick.isTriggered else { return nil }
        self = .triggered(generation: tick.generation, tick.slot)
      case .controlled(let controlled) where controlled.isOwed:
        self = .ownResume(generation: controlled.generation, revision: controlled.revision)
      case .stopped(let stopped) where Schedule.EndReason.isOwn(stopped.reason):
        self = .ownEnd(generation: stopped.generation)
      case .started, .stopped, .controlled, .batchDone, .rejected:
        self = .answer(label: origin.label, event.scheduleID)
      }
    }
  }

  /// A redelivered command is answered again, under the same name.
  struct SentOutcome {
    /// When it was sent first.
    var uptime: Int64
    var refusals = 0
  }

  /// P3: a nacked outcome is retried for a minute; one that is not confirmed expires after five and a half.
  mutating func gaveUpOutcome(_ event: OutgoingEvent, _ origin: Origin) {
    reach(.gaveUpOutcome)
    guard let name = OutcomeName(event, origin), let sent = outcomes[name] else {
      return expect(false, "P3", "an outcome is given up that was not sent")
    }
    let age = now.uptime - sent.uptime
    expect(
      sent.refusals >= 7 || age >= 330_000, "P3",
      "\(name) is given up \(age) ms after it was sent, \(sent.refusals) refusals")
    resolved(event, origin)
  }
}
