package import Recurrence

/// How a schedule goes on: after a tick, after a tick that was given up, and when slots are looked for anew.
extension Schedule {
  /// The reasons for which a schedule ends by itself, as Schedule Stopped tells them.
  package enum EndReason {
    package static let countLimit = "Count Limit Reached"
    package static let endDate = "End Date Reached"
    package static let noMoreSlots = "No More Slots"
  }

  /// What this schedule becomes once the tick of `nextTick` is confirmed.
  package func afterTick(of nextTick: NextTick, at now: Instant, in zone: ZoneRules) -> Progress {
    var progress = progress
    progress.counter += 1
    if !definition.timing.isOneShot, let limit = definition.limit, limit > 0, progress.counter >= limit {
      progress.state = .ended(ending(EndReason.countLimit, at: now))
    } else {
      progress.state = stateAfter(nextTick.slot, at: now, in: zone)
    }
    return progress
  }

  /// What this schedule becomes when the tick of `nextTick` is given up: it goes on, and the tick is not counted.
  package func afterGivingUp(_ nextTick: NextTick, at now: Instant, in zone: ZoneRules) -> Progress {
    progress.with(state: stateAfter(nextTick.slot, at: now, in: zone))
  }

  /// What this schedule becomes when the rules of its zone are new; nil when that changes nothing.
  ///
  /// Its slot is looked for anew from the last one sent. What then lies in the past is a missed slot like any other.
  package func underNewRules(at now: Instant, in zone: ZoneRules) -> Progress? {
    guard let nextTick, let since = nextTick.since, !nextTick.isHeld else { return nil }
    let state = stateAfter(since, at: now, in: zone)
    if case .live(let first) = state, isFirstSlot(first.slot, of: nextTick, in: zone) { return nil }
    return progress.with(state: state)
  }

  /// What this schedule becomes when cron expressions turn into slots by other rules than those by which its slot was found;
  /// nil when that changes nothing. One that is left without a slot is held.
  ///
  /// Its slot is computed again from the last one sent. Where that is not kept, in UTC, it is the first slot of the new rules
  /// from the stored one on: they only left out days.
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

  /// Whether the search that ended with `first` would have come to the stored slot, too. Where missed slots are folded in
  /// already, the slot is later than where the search ends.
  private func isFirstSlot(_ first: Instant, of nextTick: NextTick, in zone: ZoneRules) -> Bool {
    let slot = nextTick.missed == 0 ? first : definition.latestSlot(from: first, atOrBefore: nextTick.slot, in: zone)
    return slot == nextTick.slot
  }

  /// What this schedule becomes when the wall clock was set far back: the slots between now and the one found before come
  /// again on this clock. Nil when that changes nothing.
  package func afterClockSetBack(to now: Instant, in zone: ZoneRules) -> Progress? {
    guard let nextTick, let slot = definition.firstSlot(after: now, before: nextTick.slot, in: zone) else { return nil }
    var anew = definition.nextTick(slot, since: now, in: zone)
    anew.missed = nextTick.missed
    return progress.with(state: .live(anew))
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
    return .live(definition.nextTick(next, since: slot, in: zone))
  }

  /// Its automatic end; a one-shot that has fired has no reason and owes no Stopped.
  private func ending(_ reason: String?, at now: Instant) -> Ending {
    let kind = reason == nil ? Ending.Kind.fired : .finished
    return Ending(reason: reason, at: now, owesStopped: reason != nil, kind: declaration.isLasting ? .lasting : kind)
  }
}
