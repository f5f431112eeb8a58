import Recurrence

/// Recomputes next slots after a change of time zone rules, of cron expression rules, or of the wall clock.
extension Engine {
  mutating func clockWasSetBack(from before: Instant) {
    turn.report(.clockSetBack(from: before, to: turn.now.wall))
    review.beginForClock(revisiting: window.outstandingGenerations)
  }

  /// Whether slots computed by a wrong clock may still be stored. The in-doubt mark then has to tell a next process of
  /// the step back.
  var isClockInQuestion: Bool { clock.isSuspect || review.causes.contains(.clock) }

  /// Recomputes the next slots of a page of schedules.
  mutating func recompute(_ schedules: [Schedule], isLast: Bool) {
    // A schedule that owes an event may move: ticks do not wait for that either.
    let busy = Busy(window, review)
    for schedule in schedules { recompute(owedEvents.settled(schedule), unless: busy) }
    if let causes = review.reviewed(through: schedules.last?.position, isLast: isLast) { finished(causes) }
  }

  /// Recomputes the next slots of schedules that a command, or the end of a pause, has just moved to positions that the
  /// review has passed: the pages to come do not show them.
  mutating func recomputePassed(_ changes: [Change]) {
    guard !review.causes.isEmpty else { return }
    // Only the last state of each counts: a command in the same transaction may have ended or replaced it.
    var seen: Set<ScheduleID> = []
    var advanced: Set<Int64> = []
    let busy = Busy(window, review)
    for change in changes.reversed() {
      switch change {
      case .start(let schedule, _): seen.insert(schedule.id)
      case .advance(let key, _, _, _, _): advanced.insert(key.generation)
      case .revise(let stored, _, _, _):
        let schedule = window[stored.generation]?.schedule ?? stored
        guard seen.insert(schedule.id).inserted, !advanced.contains(schedule.generation),
          let position = schedule.position, review.hasPassed(position)
        else { continue }
        recompute(owedEvents.settled(schedule), unless: busy)
      case .announced, .declare, .followRules, .remember, .markInDoubt, .inbox, .batch: break
      }
    }
  }

  private mutating func recompute(_ schedule: Schedule, unless busy: Busy) {
    guard let next = schedule.nextTick, let zone = rules(of: schedule.definition) else { return }
    let isBusy = busy.contains(schedule.id)
    if let progress = review.recompute(
      schedule, in: zone, isBusy: isBusy, mayHaveBeenSent: mayHaveBeenSent(schedule), latestWall: clock.latestWall,
      at: turn.now)
    {
      report(schedule, from: next.slot, to: progress.state)
      if window[schedule.generation] == nil { review.move(schedule) }
      advance(schedule, to: progress)
    } else if review.causes.contains(.clock),
      let corrected = schedule.correctedControl(afterClockSetBackTo: clock.latestWall, in: zone)
    {
      correct(schedule, to: corrected, from: next.slot, isBusy: isBusy)
    }
  }

  /// The next slot stays, and what control commands left for the slots after it changes.
  private mutating func correct(
    _ schedule: Schedule, to corrected: Schedule, from slot: Instant, isBusy: Bool
  ) {
    if isBusy || window[schedule.generation]?.phase.isRetrying == true {
      return review.mustRevisit(schedule.generation)
    }
    var corrected = corrected
    corrected.control.isSlotInDoubt = mayHaveBeenSent(schedule)
    if window[schedule.generation] == nil { review.move(schedule) }
    window.move(schedule.generation, to: .advancing)
    turn.change(.revise(corrected, from: slot, isRedefined: false))
  }

  /// Whether the next tick of a schedule may have been published.
  func mayHaveBeenSent(_ schedule: Schedule) -> Bool {
    if schedule.isSlotInDoubt { return true }
    // The due time is that of the end of the pause, before which nothing was sent.
    if schedule.isPaused { return false }
    if let row = window[schedule.generation] {
      if case .retrying = row.phase { return true }
      return row.mayHaveBeenSent
    }
    return schedule.position.map(mark.isInDoubt) ?? false
  }

  private mutating func report(_ schedule: Schedule, from slot: Instant, to state: Schedule.State) {
    guard !review.causes.contains(.clock) else { return }
    let next = state.nextTick
    if let next, next.isHeld, case .cron(let expression) = schedule.definition.timing {
      turn.report(.heldWithoutSlot(schedule.id, cron: expression.text))
    } else if review.causes.contains(.expressionRules), let next {
      turn.report(.slotRecomputed(schedule.id, from: slot, to: next.slot))
    } else {
      turn.report(.slotMoved(schedule.id, from: slot, to: next?.slot))
    }
  }

  /// After a wrong clock, ticks due far beyond now are no longer in doubt. A day is left in doubt, since a step back of
  /// less than that is not detected.
  private mutating func finished(_ causes: SlotReview.Causes) {
    if causes.contains(.expressionRules) { turn.change(.followRules(version: CronExpression.rulesVersion)) }
    guard causes.contains(.clock) else { return }
    mark.clockWasSetBack(through: clock.latestWall.advanced(byMilliseconds: ClockWatch.farMilliseconds))
    lowerMark()
  }

  /// Lowers the in-doubt mark once no tick beyond it is in flight. It stays above ticks sent since the clock was set
  /// far back, in case of a smaller step after that.
  mutating func lowerMark() {
    guard mark.mustLower, !isClockInQuestion, window.outstandingCount == 0, publications.heldTicks == 0,
      targetPublications.heldTicks == 0
    else { return }
    if let change = mark.lower(to: clock.latestWall) { turn.change(change) }
  }

  /// The progress after a tick, recomputed if the schedule's time zone may have got new rules while the tick was in
  /// flight.
  func underCurrentRules(_ progress: Schedule.Progress, of schedule: Schedule) -> Schedule.Progress {
    guard schedule.definition.followsZone, let next = schedule.nextTick, let zone = rules(of: schedule.definition)
    else { return progress }
    return schedule.afterTick(of: next, at: turn.now.wall, in: zone)
  }
}
