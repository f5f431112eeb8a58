package import Recurrence

/// A schedule as a Pause, Resume, Trigger or Update left it, or as the end of a pause did.
package struct Controlled: Hashable, Sendable {
  package enum Effect: Hashable, Sendable {
    case paused
    /// - Parameters:
    ///   - missed: How many slots of the pause are not sent, or folded into the next tick.
    ///   - reason: The command's.
    case resumed(missed: Int, reason: String?)
    /// Nil for the outcome of a duplicate command whose tick is no longer known.
    case triggered(Instant?)
    /// - Parameters:
    ///   - changed: The names of the fields that changed.
    ///   - ignored: As in `Started`.
    case updated(changed: [String], ignored: [String])
  }

  package var effect: Effect
  package var id: ScheduleID
  package var generation: Int64
  /// Nil for a triggered schedule, and when the command is a duplicate and the schedule's row is gone.
  package var definition: Definition?
  package var counter: Int64
  package var revision: Int64
  package var pause: Schedule.Pause?
  /// Nil once the schedule has ended, and while it is held or paused.
  package var nextSlot: Instant?
  package var hasEnded: Bool
  /// Whether it is the outcome of a duplicate command.
  package var isRepeated = false
  /// Whether it announces that a pause ended automatically. Then the row of the schedule owes it, and it may be sent
  /// twice.
  package var isOwed = false

  package init(_ effect: Effect, _ schedule: Schedule) {
    self.effect = effect
    id = schedule.id
    generation = schedule.generation
    definition = schedule.definition
    counter = schedule.counter
    revision = schedule.control.revision
    pause = schedule.isPaused ? schedule.control.pause : nil
    nextSlot = schedule.nextSlot
    hasEnded = !schedule.isLive
  }

  /// The outcome of a duplicate whose schedule is gone.
  init(_ effect: Effect, goneID id: ScheduleID, generation: Int64) {
    self.effect = effect
    self.id = id
    self.generation = generation
    counter = 0
    revision = 0
    hasEnded = true
  }
}

extension Controlled {
  package var name: EventName {
    switch effect {
    case .paused: .paused
    case .resumed: .resumed
    case .triggered: .triggered
    case .updated: .updated
    }
  }
}
