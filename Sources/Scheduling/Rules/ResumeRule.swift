import Recurrence

/// The rule of Schedule Resume, and of a pause that ends by itself.
extension CommandDecision {
  /// Decides a Resume that is not a duplicate. A schedule that is not paused stays as it is.
  static func resume(
    _ resume: Command.Resume, existing: Schedule?, zone: ZoneRules?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, existing.isLive else { return noSuchSchedule(.resume(resume), origin: origin) }
    guard let zone else { return zoneMissing(.resume(resume), existing.definition, origin: origin) }
    guard existing.isPaused else {
      return controlled(.resumed(missed: 0, reason: resume.reason), existing, to: existing, origin: origin)
    }
    let (resumed, missed) = existing.resumed(asOf: now, policy: resume.misfirePolicy, at: now, in: zone)
    return controlled(
      .resumed(missed: missed, reason: resume.reason), existing, to: resumed,
      adding: Schedule.Tally(missed: resumed.skipped(of: missed)), origin: origin)
  }
}

extension Schedule {
  /// How many of the slots that its pause left out are not counted by its next tick.
  fileprivate func skipped(of missed: Int) -> Int { max(0, missed - (nextTick?.missed ?? 0)) }

  /// Ends a pause that is over, as of its end: slots up to then are skipped, later ones follow the schedule's own
  /// policy. Its Schedule Resumed is owed.
  func resumedByItself(at now: Instant, in zone: ZoneRules) -> (schedule: Schedule, tally: Tally)? {
    guard let end = control.pause?.until, end <= now else { return nil }
    var (schedule, missed) = resumed(asOf: end, policy: nil, at: now, in: zone)
    schedule.control.owedResumed = Resumption(
      revision: schedule.control.revision, counter: schedule.counter, nextSlot: schedule.nextSlot, missed: missed)
    return (schedule, Tally(missed: schedule.skipped(of: missed)))
  }
}
