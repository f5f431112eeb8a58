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
      progress.state = .ended(Ending(reason: EndReason.countLimit, at: now, owesStopped: true))
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
    guard let pending, let since = pending.since else { return nil }
    let state = stateAfter(since, at: now, in: zone)
    if case .live(let anew) = state {
      // Where missed slots are folded in already, the slot stands later than where the search ends.
      let slot =
        pending.missed == 0 ? anew.slot : definition.latestSlot(from: anew.slot, atOrBefore: pending.slot, in: zone)
      if slot == pending.slot { return nil }
    }
    return progress.becoming(state)
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
      return .ended(Ending(reason: nil, at: now, owesStopped: false))
    }
    guard let next = definition.nextSlot(after: slot, in: zone) else {
      let reason = definition.isCutByEndDate(after: slot, in: zone) ? EndReason.endDate : EndReason.noMoreSlots
      return .ended(Ending(reason: reason, at: now, owesStopped: true))
    }
    return .live(definition.pending(next, since: slot, in: zone))
  }
}
