import Recurrence

/// The rule of Schedule Stop.
extension CommandDecision {
  /// Decides a Stop that is not a duplicate.
  static func stop(
    _ stop: Command.Stop, existing: Schedule?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, let nextTick = existing.nextTick else {
      return rejected(
        .stop(stop), field: noSuchScheduleField, reason: "no such schedule: nothing is scheduled under this id",
        origin: origin)
    }
    let ending = Schedule.Ending(reason: stop.reason, at: now, owesStopped: false, kind: .stopped)
    let stopped = Stopped(
      definition: existing.definition, id: stop.id, generation: existing.generation, counter: existing.counter,
      reason: stop.reason)
    let change = Change.advance(
      existing.key, from: nextTick.slot, to: existing.progress.with(state: .ended(ending)))
    // The trace is the schedule's, the correlation the command's.
    let answered = Origin(
      messageID: origin.messageID, traceparent: existing.origin.traceparent, tracestate: existing.origin.tracestate)
    let decision = CommandDecision(
      changes: [change], event: .stopped(stopped), origin: answered, settlement: .acknowledge)
    return (decision, .stopped(generation: existing.generation))
  }
}
