/// A time zone: what its wall clocks show at any instant.
///
/// Exact from 1900 through 2399; before and after, the nearest known offset goes on.
package struct ZoneRules: Hashable, Sendable {
  /// The IANA name, such as `Europe/Rome`.
  package let name: String

  /// Stretches of one offset each, in order of time; never empty, and the first reaches back without end.
  let periods: [ZonePeriod]

  /// Coordinated universal time; needs no file.
  package static let utc = ZoneRules(name: "UTC", offsets: [(start: .distantPastSecond, offset: 0)])

  /// The years for which periods are kept; before and after, the nearest offset goes on.
  private static let years = 1900...2400

  /// The rules that a TZif file (RFC 9636) holds.
  package init(name: String, tzif: [UInt8]) throws(TZifError) {
    let file = try TZifFile(tzif)
    let first = CivilDate(year: Self.years.lowerBound, month: 1, day: 1).daysSince1970 * .secondsPerDay
    let end = CivilDate(year: Self.years.upperBound + 1, month: 1, day: 1).daysSince1970 * .secondsPerDay
    let before = file.transitions.last { $0.start < first }?.offset ?? file.initialOffset
    var offsets = [(start: Int.distantPastSecond, offset: before)]
    offsets += file.transitions.filter { first..<end ~= $0.start }
    if let rule = file.rule {
      let last = file.transitions.last?.start ?? .distantPastSecond
      // From the year before on, since a rule's time may lie days outside its year.
      let firstYear = CivilDate(daysSince1970: last / .secondsPerDay).year - 1
      for year in Self.years where year >= firstYear {
        offsets += rule.transitions(in: year).filter { $0.start > last }
      }
    }
    self.init(name: name, offsets: offsets)
  }

  /// `offsets` are in order of time and begin with one for `distantPastSecond`. Where one does not come after those before
  /// it, it replaces them: a rule can end and begin daylight saving time at one instant, so that it lasts all year.
  init(name: String, offsets: [(start: Int, offset: Int)]) {
    self.name = name
    var distinct: [(start: Int, offset: Int)] = []
    for (start, offset) in offsets {
      while let last = distinct.last, last.start >= start { distinct.removeLast() }
      if distinct.last?.offset != offset { distinct.append((start, offset)) }
    }
    var periods: [ZonePeriod] = []
    for (start, offset) in distinct {
      let mark = periods.last.map { max($0.wallMark, start + $0.offset) } ?? .distantPastSecond
      periods.append(ZonePeriod(start: start, offset: offset, wallMark: mark))
    }
    self.periods = periods
  }

  package func hash(into hasher: inout Hasher) {
    // Of one name there are seldom two; hundreds of periods would make every look-up slow.
    hasher.combine(name)
  }

  /// How far the wall clock is ahead of UTC, in seconds.
  package func offsetSeconds(at instant: Instant) -> Int {
    periods[index(atSecond: Int(instant.milliseconds).flooredQuotient(by: 1000))].offset
  }

  /// The changes of the offset after `start` and at or before `end`, in order of time.
  package func transitions(after start: Instant, through end: Instant) -> [ZoneTransition] {
    periods.indices.dropFirst().lazy
      .map { ZoneTransition(before: periods[$0 - 1], after: periods[$0]) }
      .filter { start < $0.instant && $0.instant <= end }
  }

  /// The number of the period that holds a second since 1970 UTC.
  func index(atSecond second: Int) -> Int {
    var low = 0
    var high = periods.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if periods[middle].start <= second { low = middle } else { high = middle }
    }
    return low
  }

  /// What the wall clock would show at the end of a period, which belongs to the next: seconds since 1970-01-01T00:00.
  func wallEnd(ofPeriod index: Int) -> Int {
    index + 1 < periods.count ? periods[index + 1].start + periods[index].offset : .distantFutureSecond
  }
}

extension Int {
  /// Before and after all times that matter, in seconds, and far from overflow.
  static let distantPastSecond = -(1 << 60)
  static let distantFutureSecond = 1 << 60
}
