package import Recurrence

/// How a schedule goes on: after a tick, after a tick that was given up, and when slots are looked for anew.
extension Schedule {
  /// The reasons for which a schedule ends by itself, as Schedule Stopped tells them.
  package enum EndReason {
    package static let countLimit = "Count Limit Reached"
    package static let endDate = "End Date Reached"
    package static let noMoreSlots = "No More Slots"
  }

  /// What this schedule becomes once the tick of `pending` is confirmed.
  package func afterTick(of pending: Pending, at now: Instant, in zone: ZoneRules) -> Progress {
    var progress = progress
    progress.counter += 1
    if !definition.timing.isOneShot, let limit = definition.limit, limit > 0, progress.counter >= limit {
      progress.state = .ended(ending(EndReason.countLimit, at: now))
    } else {
      progress.state = stateAfter(pending.slot, at: now, in: zone)
    }
    return progress
  }

  /// What this schedule becomes when the tick of `pending` is given up: it goes on, and the tick is not counted.
  package func afterGivingUp(_ pending: Pending, at now: Instant, in zone: ZoneRules) -> Progress {
    progress.becoming(stateAfter(pending.slot, at: now, in: zone))
  }

  /// What this schedule becomes when the rules of its zone are new; nil when that changes nothing.
  ///
  /// Its slot is looked for anew from the last one sent. What then lies in the past is a missed slot like any other.
  package func underNewRules(at now: Instant, in zone: ZoneRules) -> Progress? {
    guard let pending, let since = pending.since, !pending.isHeld else { return nil }
    let state = stateAfter(since, at: now, in: zone)
    if case .live(let first) = state, isFirstSlot(first.slot, of: pending, in: zone) { return nil }
    return progress.becoming(state)
  }

  /// What this schedule becomes when cron expressions turn into slots by other rules than those by which its slot was found;
  /// nil when that changes nothing. One that is left without a slot is held.
  ///
  /// Its slot is computed again from the last one sent. Where that is not kept, in UTC, it is the first slot of the new rules
  /// from the stored one on: they only left out days.
  package func underNewExpressionRules(at now: Instant, in zone: ZoneRules) -> Progress? {
    guard case .cron = definition.timing, let pending else { return nil }
    let searchStart = pending.since ?? pending.slot.advanced(byMilliseconds: -1)
    switch stateAfter(searchStart, at: now, in: zone) {
    case .live(var first):
      if !pending.isHeld, isFirstSlot(first.slot, of: pending, in: zone) { return nil }
      if pending.since == nil { first.missed = pending.missed }
      return progress.becoming(.live(first))
    case .ended:
      guard !pending.isHeld else { return nil }
      var held = pending
      held.due = Pending.heldDue
      return progress.becoming(.live(held))
    }
  }

  /// Whether the search that ended with `first` would have come to the pending slot, too. Where missed slots are folded in
  /// already, the slot is later than where the search ends.
  private func isFirstSlot(_ first: Instant, of pending: Pending, in zone: ZoneRules) -> Bool {
    let slot = pending.missed == 0 ? first : definition.latestSlot(from: first, atOrBefore: pending.slot, in: zone)
    return slot == pending.slot
  }

  /// What this schedule becomes when the wall clock was set far back: the slots between now and the one found before come
  /// again on this clock. Nil when that changes nothing.
  package func afterClockSetBack(to now: Instant, in zone: ZoneRules) -> Progress? {
    guard let pending, let slot = definition.slotAnew(after: now, before: pending.slot, in: zone) else { return nil }
    var anew = definition.pending(slot, since: now, in: zone)
    anew.missed = pending.missed
    return progress.becoming(.live(anew))
  }

  /// Where it stands behind a slot.
  func stateAfter(_ slot: Instant, at now: Instant, in zone: ZoneRules) -> State {
    guard !definition.timing.isOneShot else {
      return .ended(ending(nil, at: now))
    }
    guard let next = definition.nextSlot(after: slot, in: zone) else {
      let reason = definition.isCutByEndDate(after: slot, in: zone) ? EndReason.endDate : EndReason.noMoreSlots
      return .ended(ending(reason, at: now))
    }
    return .live(definition.pending(next, since: slot, in: zone))
  }

  /// Its automatic end; a one-shot that has fired has no reason and owes no Stopped.
  private func ending(_ reason: String?, at now: Instant) -> Ending {
    let kind = reason == nil ? Ending.Kind.fired : .finished
    return Ending(reason: reason, at: now, owesStopped: reason != nil, kind: declaration.isLasting ? .lasting : kind)
  }
}
