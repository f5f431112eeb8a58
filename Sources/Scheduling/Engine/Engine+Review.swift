import Recurrence

/// When what slots were found by is no longer so, new rules of time zones or a clock set far back, the next slots of the
/// schedules that it is about are looked for anew, nearest first.
extension Engine {
  /// How far a review has come.
  struct SlotReview: Sendable {
    struct Causes: OptionSet, Sendable {
      let rawValue: Int
      /// It is about schedules that follow a time zone.
      static let zoneRules = Causes(rawValue: 1)
      /// It is about those with a cron expression.
      static let expressionRules = Causes(rawValue: 2)
      /// It is about all recurring schedules.
      static let clock = Causes(rawValue: 4)
    }

    var causes: Causes
    /// Schedules up to here have slots as they are to be now; nil at the beginning.
    var reviewedThrough: DuePosition?
    /// Those outside the window whose new slot is about to be stored, by generation.
    var moving: [Int64: Schedule] = [:]
    var movingIDs: Set<ScheduleID> = []

    func hasReviewed(_ position: DuePosition) -> Bool {
      reviewedThrough.map { position <= $0 } ?? false
    }
  }

  /// From this far back a clock that is set means that the slots found before are good for nothing.
  private static let dayMilliseconds: Int64 = 86_400_000

  /// Begins a review from the beginning. One that is under way has its causes still.
  mutating func beginReview(_ causes: SlotReview.Causes) {
    review = review ?? SlotReview(causes: causes)
    review?.causes.formUnion(causes)
    review?.reviewedThrough = nil
  }

  /// Notices that the wall clock was set back by more than a day, while we ran or since the in-doubt mark was stored, and
  /// that it has stayed so for a while: many a machine starts in 1970 and is set right a moment later.
  mutating func watchClock(at now: Now) {
    defer {
      lastSeen = now
      latestWall = max(latestWall, now.wall)
    }
    if clockDoubt == nil { clockDoubt = doubtfulClock(at: now) }
    guard let doubt = clockDoubt else { return }
    let expected = doubt.wall.advanced(byMilliseconds: now.uptime - doubt.since)
    if !isFarBehind(now.wall, expected) {
      clockDoubt = nil
    } else if now.uptime - doubt.since >= settings.clockPatienceMilliseconds {
      clockDoubt = nil
      clockWasSetBack(from: expected, at: now)
    }
  }

  /// What the clock should show, if it shows far less: of several steps back it is the sum that counts.
  private func doubtfulClock(at now: Now) -> (wall: Instant, since: Int64)? {
    let expected =
      if let lastSeen {
        max(latestWall, lastSeen.wall.advanced(byMilliseconds: now.uptime - lastSeen.uptime))
      } else {
        mark.recovered.advanced(byMilliseconds: -InDoubtMark.horizonMilliseconds)
      }
    return isFarBehind(now.wall, expected) ? (expected, now.uptime) : nil
  }

  private func isFarBehind(_ wall: Instant, _ expected: Instant) -> Bool {
    expected > wall.advanced(byMilliseconds: Self.dayMilliseconds)
  }

  private mutating func clockWasSetBack(from before: Instant, at now: Now) {
    reports.append(.clockSetBack(from: before, to: now.wall))
    latestWall = now.wall
    passedOver = window.unsettled
    beginReview(.clock)
  }

  /// Whether a schedule must not be touched for now: a tick, a Stopped or a new slot of it is under way.
  var isBusy: (ScheduleID) -> Bool {
    { [unsettled = window.unsettledIDs, owingIDs = endNotices.ids, review] id in
      unsettled.contains(id) || owingIDs.contains(id) || review?.movingIDs.contains(id) == true
    }
  }

  /// Whether a tick has to wait because its slot may be another under the new rules.
  func awaitsReview(_ row: DueWindow.Row, at position: DuePosition) -> Bool {
    guard let review, !row.mayHaveBeenSent else { return false }
    let isConcerned =
      row.schedule.definition.followsZone || review.causes.contains(.expressionRules) && row.schedule.definition.isCron
    return isConcerned && !review.hasReviewed(position)
  }

  /// The next page to review. Read only when nothing waits to be stored, so that what is read is what holds.
  func reviewWork() -> StoreWork? {
    guard let review, pendingChanges.isEmpty else { return nil }
    return .review(review.causes, after: review.reviewedThrough)
  }

  /// Whether the page that was asked for is still the one to review: it is not, if the review has begun anew.
  func isCurrent(_ causes: SlotReview.Causes, after position: DuePosition?) -> Bool {
    review?.causes == causes && review?.reviewedThrough == position
  }

  mutating func reviewed(_ schedules: [Schedule], isLast: Bool, at now: Now) {
    let isBusy = isBusy
    for schedule in schedules { reviewed(schedule, isBusy: isBusy(schedule.id), at: now) }
    if !isLast, let last = schedules.last?.position {
      review?.reviewedThrough = last
    } else if review?.moving.isEmpty == true {
      finishReview()
    } else {
      review?.reviewedThrough = DuePosition(due: Instant(milliseconds: .max), generation: .max)
    }
  }

  /// Whether slots of a clock that was wrong may still be stored: the mark has to tell the next process, should it come to
  /// that.
  var isClockInQuestion: Bool { clockDoubt != nil || review?.causes.contains(.clock) == true }

  /// What is due far beyond now on a clock that was wrong is in doubt no more. A day is left, since a clock that is set back
  /// by less is not noticed.
  private mutating func finishReview() {
    let causes = review?.causes ?? []
    review = nil
    if causes.contains(.expressionRules) { pendingChanges.append(.followRules(version: CronExpression.rulesVersion)) }
    guard causes.contains(.clock) else { return }
    mark.clockWasSetBack(through: latestWall.advanced(byMilliseconds: Self.dayMilliseconds))
    lowerMark()
  }

  /// Lowers the mark once nothing is in flight that was sent beyond it; not below what was sent since the clock was set far
  /// back, should it have been set back by less after that.
  mutating func lowerMark() {
    guard !isClockInQuestion, window.unsettledCount == 0, publications.heldTicks == 0 else { return }
    if let change = mark.lower(to: latestWall) { pendingChanges.append(change) }
  }

  private mutating func reviewed(_ schedule: Schedule, isBusy: Bool, at now: Now) {
    guard let nextTick = schedule.nextTick, let zone = rules(of: schedule.definition) else { return }
    guard !isBusy else {
      // A tick beyond now is one of the clock before, of which the answer came just now.
      if review?.causes.contains(.clock) == true, nextTick.slot > latestWall { passedOver.insert(schedule.generation) }
      return
    }
    guard let progress = anew(schedule, in: zone, at: now) else { return }
    report(schedule, from: nextTick.slot, to: progress.state)
    if window[schedule.generation] == nil {
      review?.moving[schedule.generation] = schedule
      review?.movingIDs.insert(schedule.id)
    }
    settle(schedule, progress)
  }

  private mutating func report(_ schedule: Schedule, from slot: Instant, to state: Schedule.State) {
    guard let causes = review?.causes, !causes.contains(.clock) else { return }
    let next = state.nextTick
    if let next, next.isHeld, case .cron(let expression) = schedule.definition.timing {
      reports.append(.heldWithoutSlot(schedule.id, cron: expression.text))
    } else if causes.contains(.expressionRules), let next {
      reports.append(.slotRecomputed(schedule.id, from: slot, to: next.slot))
    } else {
      reports.append(.slotMoved(schedule.id, from: slot, to: next?.slot))
    }
  }

  /// What a schedule becomes by a review; nil when it stays as it is. A tick that may have been sent keeps its slot, unless
  /// the clock was wrong.
  private func anew(_ schedule: Schedule, in zone: ZoneRules, at now: Now) -> Schedule.Progress? {
    guard let causes = review?.causes else { return nil }
    if causes.contains(.clock), let progress = schedule.afterClockSetBack(to: latestWall, in: zone) { return progress }
    guard !mayHaveBeenSent(schedule) else { return nil }
    return causes.contains(.expressionRules)
      ? schedule.underNewExpressionRules(at: now.wall, in: zone) : schedule.underNewRules(at: now.wall, in: zone)
  }

  /// A schedule that a review after the clock was set back has to pass over is free: what it became, or was left as, may
  /// be of the clock before.
  mutating func becameFree(_ generation: Int64) {
    if passedOver.remove(generation) != nil { beginReview(.clock) }
  }

  /// What a schedule becomes after its tick, if its zone got new rules while it was in flight.
  func underRulesOfNow(_ progress: Schedule.Progress, of schedule: Schedule, at now: Now) -> Schedule.Progress {
    guard schedule.definition.followsZone, let nextTick = schedule.nextTick, let zone = rules(of: schedule.definition)
    else {
      return progress
    }
    return schedule.afterTick(of: nextTick, at: now.wall, in: zone)
  }

  private func mayHaveBeenSent(_ schedule: Schedule) -> Bool {
    if let row = window[schedule.generation] {
      if case .retrying = row.phase { return true }
      return row.mayHaveBeenSent
    }
    return schedule.nextTick.map { $0.due <= mark.recovered } ?? false
  }

  /// The new slot of a schedule outside the window is stored: it may have come within the window.
  mutating func reviewApplied(_ generation: Int64, _ progress: Schedule.Progress) -> Schedule? {
    guard var schedule = review?.moving.removeValue(forKey: generation) else { return nil }
    review?.movingIDs.remove(schedule.id)
    schedule.progress = progress
    window.started(schedule)
    return schedule
  }
}
