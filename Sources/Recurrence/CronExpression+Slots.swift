/// The slots of a cron expression in a zone: a set of instants, searched from any instant.
///
/// An instant is a slot if its wall-clock time matches. For an expression with fixed times, clock changes make an exception: a
/// repeated time is a slot the first time only, and a skipped time gives a slot at the first instant after the jump. A jump of
/// three hours or more is a change of calendar, not daylight saving, and gives no slot.
extension CronExpression {
  /// The first slot after `instant`; `nil` when there is none up to the year 2399.
  package func next(after instant: Instant, in zone: ZoneRules) -> Instant? {
    let second = Int(instant.milliseconds).flooredQuotient(by: 1000) + 1
    let slot = isFixedTime ? nextFixed(from: second, in: zone) : nextPeriodic(from: second, in: zone)
    return slot.map(Instant.init(second:))
  }

  /// The last slot at or before `instant`; `nil` when there is none since the year 1900.
  package func latest(atOrBefore instant: Instant, in zone: ZoneRules) -> Instant? {
    let second = Int(instant.milliseconds).flooredQuotient(by: 1000)
    let slot = isFixedTime ? latestFixed(through: second, in: zone) : latestPeriodic(through: second, in: zone)
    return slot.map(Instant.init(second:))
  }

  /// The number of slots after `start` and at or before `end`, counted up to `bound`.
  package func slotCount(after start: Instant, through end: Instant, in zone: ZoneRules, upTo bound: Int) -> Int {
    var count = 0
    var slot = start
    while count < bound, let next = next(after: slot, in: zone), next <= end {
      slot = next
      count += 1
    }
    return count
  }
}

/// Fixed times. Their slots are the instants at which the wall clock first *reaches* a match, by showing or skipping it. The
/// furthest wall-clock time reached only grows, so matches and slots are in the same order.
extension CronExpression {
  /// A jump of at least this many seconds is not daylight saving (Debian cron's limit).
  static let longestJump = 3 * 3600

  private func nextFixed(from second: Int, in zone: ZoneRules) -> Int? {
    var index = zone.index(atSecond: second)
    let first = zone.periods[index]
    // At a jump itself, the times that it skips are still to be matched.
    var wall = second == first.start ? first.wallMark : max(second + first.offset, first.wallMark)
    while let match = firstMatch(from: wall) {
      while match >= zone.wallEnd(ofPeriod: index) { index += 1 }
      let period = zone.periods[index]
      if match >= period.wallStart { return match - period.offset }
      if period.wallStart - period.wallMark < Self.longestJump { return period.start }
      wall = period.wallStart
    }
    return nil
  }

  private func latestFixed(through second: Int, in zone: ZoneRules) -> Int? {
    var index = zone.index(atSecond: second)
    let last = zone.periods[index]
    var wall = max(second + last.offset, last.wallMark - 1)
    while let match = lastMatch(through: wall) {
      while match < zone.periods[index].wallMark { index -= 1 }
      let period = zone.periods[index]
      if match >= period.wallStart { return match - period.offset }
      if period.wallStart - period.wallMark < Self.longestJump { return period.start }
      wall = period.wallMark - 1
    }
    return nil
  }
}

/// Periodic times. Every instant whose wall-clock time matches is a slot.
extension CronExpression {
  private func nextPeriodic(from second: Int, in zone: ZoneRules) -> Int? {
    var index = zone.index(atSecond: second)
    var match = firstMatch(from: second + zone.periods[index].offset)
    while true {
      let end = zone.wallEnd(ofPeriod: index)
      if let match, match < end { return match - zone.periods[index].offset }
      index += 1
      guard index < zone.periods.count else { return nil }
      let start = zone.periods[index].wallStart
      if start < end {
        match = firstMatch(from: start, through: end - 1) ?? match
      } else if let skipped = match, skipped < start {
        match = firstMatch(from: start)
      }
    }
  }

  private func latestPeriodic(through second: Int, in zone: ZoneRules) -> Int? {
    var index = zone.index(atSecond: second)
    var match = lastMatch(through: second + zone.periods[index].offset)
    while true {
      let start = zone.periods[index].wallStart
      if let match, match >= start { return match - zone.periods[index].offset }
      guard index > 0 else { return nil }
      index -= 1
      let end = zone.wallEnd(ofPeriod: index)
      if start < end {
        match = lastMatch(through: end - 1, from: start) ?? match
      } else if let skipped = match, skipped >= end {
        match = lastMatch(through: end - 1)
      }
    }
  }
}

extension Instant {
  fileprivate init(second: Int) {
    self.init(milliseconds: Int64(second) * 1000)
  }
}
