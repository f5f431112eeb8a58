import Recurrence

/// The rule of Schedule Stop.
extension CommandDecision {
  /// Decides a Stop that is not a duplicate.
  static func stop(
    _ stop: Command.Stop, existing: Schedule?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, let nextTick = existing.nextTick else {
      return noSuchSchedule(.stop(stop), origin: origin)
    }
    let ending = Schedule.Ending(reason: stop.reason, at: now, owesStopped: false, kind: .stopped)
    let stopped = Stopped(
      definition: existing.definition, id: stop.id, generation: existing.generation, counter: existing.counter,
      reason: stop.reason)
    let change = Change.advance(existing, from: nextTick.slot, to: existing.progress.with(state: .ended(ending)))
    let decision = CommandDecision(
      changes: [change], event: .stopped(stopped), origin: origin.tracing(existing), settlement: .acknowledge)
    return (decision, .stopped(generation: existing.generation))
  }
}
