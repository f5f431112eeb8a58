package import Recurrence

/// The rule of Schedule Resume, and of a pause that ends automatically.
extension CommandDecision {
  /// Decides a Resume that is not a duplicate. A schedule that is not paused stays as it is.
  static func resume(
    _ resume: Command.Resume, existing: Schedule?, zone: ZoneRules?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, existing.isLive else { return noSuchSchedule(.resume(resume), origin: origin) }
    guard let zone else {
      return zoneMissing(.resume(resume), existing.definition, isOfState: true, origin: origin)
    }
    guard existing.isPaused else {
      return controlled(.resumed(missed: 0, reason: resume.reason), existing, to: existing, origin: origin)
    }
    let resumed = existing.resumed(asOf: now, policy: resume.misfirePolicy, at: now, in: zone)
    return controlled(
      .resumed(missed: resumed.missed, reason: resume.reason), existing, to: resumed.schedule,
      adding: Schedule.Tally(missed: resumed.skipped), origin: origin)
  }
}

extension Schedule {
  /// Ends its pause if that is over, as of the end of the pause: slots before it are skipped, later ones follow the
  /// schedule's own policy. Its row then owes a Schedule Resumed. Nil if the pause is not over.
  package func resumedAutomatically(at now: Instant, in zone: ZoneRules) -> (schedule: Schedule, tally: Tally)? {
    guard let end = control.pause?.until, end <= now else { return nil }
    let resumed = resumed(asOf: end.advanced(byMilliseconds: -1), policy: nil, at: now, in: zone)
    var schedule = resumed.schedule
    schedule.control.owedResumed = Resumption(
      revision: schedule.control.revision, counter: schedule.counter, nextSlot: schedule.nextSlot,
      missed: resumed.missed)
    return (schedule, Tally(missed: resumed.skipped))
  }
}
