package import Recurrence

/// How a schedule advances: after a tick, after an expired tick, and when slots are recomputed.
extension Schedule {
  /// The reasons in the Stopped of a schedule that ended automatically.
  package enum EndReason {
    package static let countLimit = "Count Limit Reached"
    package static let endDate = "End Date Reached"
    package static let noMoreSlots = "No More Slots"
    package static let skippedWhilePaused = "Skipped While Paused"
  }

  /// As it is stored when its next tick is resolved, or its slot has moved.
  func advanced(to progress: Progress) -> Schedule {
    var schedule = self
    if !hasPlainControl {
      schedule.control.isSlotInDoubt = false
      schedule.control.followingSlot = nil
      if case .ended = progress.state { schedule.control.pause = nil }
      // The pause was over at a time of the wrong clock, which the slots have not reached yet.
      if let slot = nextTick?.slot, let next = progress.state.nextTick?.slot, next < slot {
        schedule.control.catchUp = nil
      }
    }
    schedule.progress = schedule.heldBack(progress)
    schedule.dropCatchUp()
    return schedule
  }

  /// The progress once the tick of `nextTick` is confirmed.
  package func afterTick(of nextTick: NextTick, at now: Instant, in zone: ZoneRules) -> Progress {
    var progress = progress
    progress.counter += 1
    if hasReachedLimit(progress.counter) {
      progress.state = .ended(ending(EndReason.countLimit, at: now))
    } else {
      progress.state = stateAfter(nextTick.slot, at: now, in: zone)
    }
    return progress
  }

  /// The progress after the tick of `nextTick` has expired: the schedule continues, and the tick is not counted.
  package func afterExpiry(of nextTick: NextTick, at now: Instant, in zone: ZoneRules) -> Progress {
    // An Update may have set a limit that was reached before.
    hasReachedLimit(progress.counter)
      ? progress.with(state: .ended(ending(EndReason.countLimit, at: now)))
      : progress.with(state: stateAfter(nextTick.slot, at: now, in: zone))
  }

  /// Whether a schedule with this many ticks has reached its limit.
  func hasReachedLimit(_ counter: Int64) -> Bool {
    guard !definition.timing.isOneShot, let limit = definition.limit, limit > 0 else { return false }
    return counter >= limit
  }

  /// The progress under new rules of the time zone; nil if it is unchanged.
  ///
  /// The slot is recomputed from the last one sent. If it is then in the past, it is missed like any other.
  package func underNewRules(at now: Instant, in zone: ZoneRules) -> Progress? {
    guard let nextTick, let since = nextTick.since, !nextTick.isHeld else { return nil }
    let state = stateAfter(since, at: now, in: zone)
    if case .live(let first) = state, isFirstSlot(first.slot, of: nextTick, in: zone) { return nil }
    return progress.with(state: state)
  }

  /// The progress under new rules of cron expressions; nil if it is unchanged. A schedule without a slot under the new
  /// rules is held.
  ///
  /// The slot is recomputed from the last one sent. In UTC, where that is not stored, it is the first slot of the new
  /// rules from the stored one on: so far, new rules have only left out days.
  package func underNewExpressionRules(at now: Instant, in zone: ZoneRules) -> Progress? {
    guard case .cron = definition.timing, let nextTick else { return nil }
    let searchStart = nextTick.since ?? nextTick.slot.advanced(byMilliseconds: -1)
    switch stateAfter(searchStart, at: now, in: zone) {
    case .live(var first):
      if !nextTick.isHeld, isFirstSlot(first.slot, of: nextTick, in: zone) { return nil }
      if nextTick.since == nil { first.missed = nextTick.missed }
      return progress.with(state: .live(first))
    case .ended:
      guard !nextTick.isHeld else { return nil }
      var held = nextTick
      held.due = NextTick.heldDue
      return progress.with(state: .live(held))
    }
  }

  /// Whether a search that found `first` would also have led to the stored slot. If missed slots are folded into it,
  /// the stored slot is later than the first.
  private func isFirstSlot(_ first: Instant, of nextTick: NextTick, in zone: ZoneRules) -> Bool {
    let slot = nextTick.missed == 0 ? first : definition.latestSlot(from: first, atOrBefore: nextTick.slot, in: zone)
    return slot == nextTick.slot
  }

  /// The progress after the wall clock was set far back: the slots between now and the stored slot occur again. Nil if
  /// it is unchanged.
  package func afterClockSetBack(to now: Instant, in zone: ZoneRules) -> Progress? {
    guard let nextTick, let slot = firstSlot(after: now, in: zone), slot < nextTick.slot else { return nil }
    // Only a tick in doubt was left when an Update set the limit.
    guard !hasReachedLimit(counter) else {
      return progress.with(state: .ended(ending(EndReason.countLimit, at: now)))
    }
    var first = definition.nextTick(slot, since: min(now, slot.advanced(byMilliseconds: -1)), in: zone)
    first.missed = nextTick.missed
    return progress.with(state: .live(first))
  }

  /// The schedule after the wall clock was set far back, if its next slot stays: what control commands left for the slots
  /// after it is not in a time that has not been. Nil if it is unchanged.
  func correctedControl(afterClockSetBackTo now: Instant, in zone: ZoneRules) -> Schedule? {
    guard !hasPlainControl else { return nil }
    var corrected = self
    if let following = control.followingSlot, let first = definition.firstSlot(after: now, before: following, in: zone)
    {
      corrected.control.followingSlot = first
    }
    if let through = control.catchUp?.through { corrected.control.catchUp?.through = min(through, now) }
    return corrected.control == control ? nil : corrected
  }

  /// The first slot after `instant`; nil if that is the stored one or later. Intervals stay in phase with the slot that
  /// belongs to the definition: after an Update, the next tick may be one of the former definition.
  private func firstSlot(after instant: Instant, in zone: ZoneRules) -> Instant? {
    let following = hasPlainControl ? nil : control.followingSlot
    guard let stored = following ?? nextTick?.slot else { return nil }
    return definition.firstSlot(after: instant, before: stored, in: zone) ?? following
  }

  /// The state after a slot.
  func stateAfter(_ slot: Instant, at now: Instant, in zone: ZoneRules) -> State {
    if let following = followingSlot(after: slot, in: zone) {
      return .live(definition.nextTick(following, since: following.advanced(byMilliseconds: -1), in: zone))
    }
    guard !definition.timing.isOneShot else {
      return .ended(ending(nil, at: now))
    }
    guard let next = definition.nextSlot(after: slot, in: zone) else {
      let reason = definition.isCutByEndDate(after: slot, in: zone) ? EndReason.endDate : EndReason.noMoreSlots
      return .ended(ending(reason, at: now))
    }
    assert(next > slot, "slots ascend")
    return .live(definition.nextTick(next, since: slot, in: zone))
  }

  /// The slot that an Update asked for to follow one that may have been published; nil if there is none, or if the rules
  /// of the zone have changed since and it is none any more.
  private func followingSlot(after slot: Instant, in zone: ZoneRules) -> Instant? {
    guard !hasPlainControl, let following = control.followingSlot,
      following > slot || definition.timing.isOneShot && following != slot
    else { return nil }
    if case .cron(let expression) = definition.timing,
      expression.next(after: following.advanced(byMilliseconds: -1), in: zone) != following
    {
      return nil
    }
    return following
  }

  /// The slots of its next ticks, as far as its limit and its end date permit; none while it is held or paused.
  ///
  /// - Parameter count: The most slots.
  package func upcomingSlots(_ count: Int, in zone: ZoneRules) -> [Instant] {
    guard let nextSlot, count > 0 else { return [] }
    var most = count
    if !definition.timing.isOneShot, let limit = definition.limit, limit > 0 {
      most = min(most, Int(clamping: limit - counter))
    }
    var slots = [nextSlot]
    while slots.count < most, let last = slots.last,
      let next = followingSlot(after: last, in: zone) ?? definition.nextSlot(after: last, in: zone)
    {
      slots.append(next)
    }
    return slots
  }

  /// An automatic end. A one-shot that has fired has no reason and owes no Stopped.
  func ending(_ reason: String?, at now: Instant) -> Ending {
    let kind = reason == nil ? Ending.Kind.fired : .finished
    return Ending(reason: reason, at: now, owesStopped: reason != nil, kind: declaration.isLasting ? .lasting : kind)
  }
}
