package import Recurrence

/// What happens to slots that were missed while the service or the broker was unavailable.
extension Schedule {
  /// What a misfire policy does with missed slots.
  package enum Misfire: Hashable, Sendable {
    /// The next tick is that of a later slot, and counts the slots before it as missed.
    case folded(NextTick)
    /// `count` slots are not sent (counted up to `NextTick.maximumMissed`); the schedule continues after them.
    case skipped(Progress, count: Int)
  }

  /// What the misfire policy does with the next tick; nil if it is sent as it is.
  ///
  /// When the oldest unsent slot is at least `threshold` milliseconds late, all slots due by now form one run:
  /// `fireOnce` sends the latest of them, `fireAll` each, `skip` those less than the threshold late. Missed slots older
  /// than the catch-up window are not sent. One-shots are never missed.
  ///
  /// Slots that fell into a pause follow the policy of its end, whatever the threshold.
  package func misfire(_ nextTick: NextTick, at now: Instant, threshold: Int64, in zone: ZoneRules) -> Misfire? {
    guard !definition.timing.isOneShot else { return nil }
    if !hasPlainControl, let catchUp = control.catchUp, nextTick.slot <= catchUp.through {
      return afterPause(nextTick, catchUp, at: now, in: zone)
    }
    guard now.milliseconds - nextTick.due.milliseconds >= threshold else { return nil }
    let tooOld = definition.catchupMilliseconds.map { now.advanced(byMilliseconds: -max($0 + 1, threshold)) }
    switch definition.misfirePolicy ?? .fireOnce {
    case .fireOnce:
      let latest = latestSlot(from: nextTick.slot, dueBy: now, in: zone)
      if let tooOld, definition.due(of: latest, in: zone) <= tooOld {
        return skipped(nextTick, through: latest, at: now, in: zone)
      }
      return latest > nextTick.slot ? .folded(fold(nextTick, into: latest, in: zone)) : nil
    case .fireAll:
      return tooOld.flatMap { skipped(nextTick, dueBy: $0, at: now, in: zone) }
    case .skip:
      return skipped(nextTick, dueBy: now.advanced(byMilliseconds: -threshold), at: now, in: zone)
    }
  }

  /// What the policy of the end of a pause does with a slot of the pause. `fireAll` sends those of the catch-up window, by default 24 hours.
  private func afterPause(_ nextTick: NextTick, _ catchUp: CatchUp, at now: Instant, in zone: ZoneRules) -> Misfire? {
    let latest = definition.latestSlot(from: nextTick.slot, atOrBefore: catchUp.through, in: zone)
    let isOver = definition.endDate.map { $0 < catchUp.through } ?? false
    switch catchUp.policy {
    case .skip: return skipped(nextTick, through: latest, at: now, in: zone)
    case .fireOnce:
      let tooOld = definition.catchupWindow.map { catchUp.through.advanced(byMilliseconds: -$0.milliseconds) }
      if isOver || tooOld.map({ latest < $0 }) ?? false { return skipped(nextTick, through: latest, at: now, in: zone) }
      return latest > nextTick.slot ? .folded(fold(nextTick, into: latest, in: zone)) : nil
    case .fireAll:
      if isOver { return skipped(nextTick, through: latest, at: now, in: zone) }
      let window = definition.catchupWindow?.milliseconds ?? Definition.defaultCatchupMilliseconds
      let tooOld = catchUp.through.advanced(byMilliseconds: -window - 1)
      guard nextTick.slot <= tooOld else { return nil }
      let last = definition.latestSlot(from: nextTick.slot, atOrBefore: tooOld, in: zone)
      return skipped(nextTick, through: last, at: now, in: zone)
    }
  }

  private func fold(_ nextTick: NextTick, into latest: Instant, in zone: ZoneRules) -> NextTick {
    NextTick(
      slot: latest, due: definition.due(of: latest, in: zone),
      missed: nextTick.missed + count(nextTick, before: latest, in: zone), since: nextTick.since)
  }

  private func skipped(_ nextTick: NextTick, dueBy bound: Instant, at now: Instant, in zone: ZoneRules) -> Misfire? {
    guard nextTick.due <= bound else { return nil }
    return skipped(
      nextTick, through: latestSlot(from: nextTick.slot, dueBy: bound, in: zone), at: now, in: zone)
  }

  private func skipped(_ nextTick: NextTick, through last: Instant, at now: Instant, in zone: ZoneRules) -> Misfire {
    let count = nextTick.missed + count(nextTick, before: last, in: zone) + 1
    return .skipped(
      progress.with(state: stateAfter(last, at: now, in: zone)), count: min(count, NextTick.maximumMissed))
  }

  /// The latest slot whose tick was due by `bound`. `slot` is such a slot.
  private func latestSlot(from slot: Instant, dueBy bound: Instant, in zone: ZoneRules) -> Instant {
    let latest = definition.latestSlot(from: slot, atOrBefore: bound, in: zone)
    guard definition.due(of: latest, in: zone) > bound else { return latest }
    // Its jitter has not passed. The slot before it is due, since jitter never reaches past the next slot.
    return definition.latestSlot(from: slot, atOrBefore: latest.advanced(byMilliseconds: -1), in: zone)
  }

  /// The number of slots before `last`, from the next tick's on, as far as `missed` can still count them.
  private func count(_ nextTick: NextTick, before last: Instant, in zone: ZoneRules) -> Int {
    let uncounted = max(0, NextTick.maximumMissed - nextTick.missed)
    return definition.slotCount(from: nextTick.slot, before: last, upTo: uncounted, in: zone)
  }
}
