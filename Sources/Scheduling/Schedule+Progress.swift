package import Recurrence

/// How a schedule goes on: after a tick, after a tick that was given up, and after slots that were missed.
extension Schedule {
  /// A state and the counter that belongs to it.
  package struct Progress: Hashable, Sendable {
    package var state: State
    package var counter: Int64
  }

  /// The reasons for which a schedule ends by itself, as Schedule Stopped tells them.
  package enum EndReason {
    package static let countLimit = "Count Limit Reached"
    package static let endDate = "End Date Reached"
    package static let noMoreSlots = "No More Slots"
  }

  /// What this schedule becomes once the tick of `pending` is confirmed.
  package func afterTick(of pending: Pending, at now: Instant, in zone: ZoneRules) -> Progress {
    let counter = counter + 1
    if !definition.timing.isOneShot, let limit = definition.limit, limit > 0, counter >= limit {
      let ending = Ending(reason: EndReason.countLimit, at: now, owesStopped: true)
      return Progress(state: .ended(ending), counter: counter)
    }
    return Progress(state: stateAfter(pending.slot, at: now, in: zone), counter: counter)
  }

  /// What this schedule becomes when the tick of `pending` is given up: it goes on, and the tick is not counted.
  package func afterGivingUp(_ pending: Pending, at now: Instant, in zone: ZoneRules) -> Progress {
    Progress(state: stateAfter(pending.slot, at: now, in: zone), counter: counter)
  }

  /// The pending tick with the slots that were missed folded into it; nil when nothing is to be folded.
  ///
  /// When the oldest unsent slot is at least `threshold` milliseconds late, all slots due by now are one run, of which
  /// the latest is sent; it says how many it stands for. One-shots are never missed.
  package func folded(_ pending: Pending, at now: Instant, threshold: Int64, in zone: ZoneRules) -> Pending? {
    guard !definition.timing.isOneShot, now.milliseconds - pending.due.milliseconds >= threshold else { return nil }
    var latest = definition.latestSlot(from: pending.slot, atOrBefore: now, in: zone)
    if definition.due(of: latest, in: zone) > now {
      // Its jitter has not passed; the slot before it is due, since jitter never passes the next slot.
      latest = definition.latestSlot(from: pending.slot, atOrBefore: latest.advanced(byMilliseconds: -1), in: zone)
    }
    guard latest > pending.slot else { return nil }
    let uncounted = max(0, Pending.maximumMissed - pending.missed)
    let count = definition.slotCount(from: pending.slot, before: latest, upTo: uncounted, in: zone)
    return Pending(
      slot: latest, due: definition.due(of: latest, in: zone), missed: pending.missed + count, since: pending.since)
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
    return Progress(state: state, counter: counter)
  }

  private func stateAfter(_ slot: Instant, at now: Instant, in zone: ZoneRules) -> State {
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
