package import Recurrence

/// What becomes of slots that were missed while the service or the broker was away.
extension Schedule {
  package enum Missed: Hashable, Sendable {
    /// The pending tick now is one of a later slot and stands for those before it, too.
    case folded(Pending)
    /// So many slots are not sent (counted no further than `Pending.maximumMissed`); the schedule goes on behind them.
    case skipped(Progress, count: Int)
  }

  /// What the misfire policy says about the pending tick; nil when it is to be sent as it is.
  ///
  /// When the oldest unsent slot is at least `threshold` milliseconds late, all slots due by now are one run: of these
  /// `fireOnce` sends the latest, `fireAll` each, `skip` those that are less than the threshold late. What is missed and
  /// older than the catch-up window is not sent. One-shots are never missed.
  package func missed(_ pending: Pending, at now: Instant, threshold: Int64, in zone: ZoneRules) -> Missed? {
    guard !definition.timing.isOneShot, now.milliseconds - pending.due.milliseconds >= threshold else { return nil }
    let tooOld = definition.catchupMilliseconds.map { now.advanced(byMilliseconds: -max($0 + 1, threshold)) }
    switch definition.misfirePolicy ?? .fireOnce {
    case .fireOnce:
      let latest = latestSlot(from: pending.slot, dueBy: now, in: zone)
      if let tooOld, definition.due(of: latest, in: zone) <= tooOld {
        return skipped(pending, through: latest, at: now, in: zone)
      }
      return latest > pending.slot ? .folded(fold(pending, into: latest, in: zone)) : nil
    case .fireAll:
      return tooOld.flatMap { skipped(pending, dueBy: $0, at: now, in: zone) }
    case .skip:
      return skipped(pending, dueBy: now.advanced(byMilliseconds: -threshold), at: now, in: zone)
    }
  }

  private func fold(_ pending: Pending, into latest: Instant, in zone: ZoneRules) -> Pending {
    Pending(
      slot: latest, due: definition.due(of: latest, in: zone),
      missed: pending.missed + count(pending, before: latest, in: zone), since: pending.since)
  }

  private func skipped(_ pending: Pending, dueBy bound: Instant, at now: Instant, in zone: ZoneRules) -> Missed? {
    guard pending.due <= bound else { return nil }
    return skipped(
      pending, through: latestSlot(from: pending.slot, dueBy: bound, in: zone), at: now, in: zone)
  }

  private func skipped(_ pending: Pending, through last: Instant, at now: Instant, in zone: ZoneRules) -> Missed {
    let count = pending.missed + count(pending, before: last, in: zone) + 1
    return .skipped(
      progress.becoming(stateAfter(last, at: now, in: zone)), count: min(count, Pending.maximumMissed))
  }

  /// The latest slot of which the tick was due by `bound`, the slot it begins with being one.
  private func latestSlot(from slot: Instant, dueBy bound: Instant, in zone: ZoneRules) -> Instant {
    let latest = definition.latestSlot(from: slot, atOrBefore: bound, in: zone)
    guard definition.due(of: latest, in: zone) > bound else { return latest }
    // Its jitter has not passed; the slot before it is due, since jitter never passes the next slot.
    return definition.latestSlot(from: slot, atOrBefore: latest.advanced(byMilliseconds: -1), in: zone)
  }

  /// How many slots stand before `last`, from the pending one on, as far as `missed` can still count them.
  private func count(_ pending: Pending, before last: Instant, in zone: ZoneRules) -> Int {
    let uncounted = max(0, Pending.maximumMissed - pending.missed)
    return definition.slotCount(from: pending.slot, before: last, upTo: uncounted, in: zone)
  }
}
