import Algorithms

/// The rules of a time zone: its offset at any instant.
///
/// Exact from 1900 through 2399. Outside, the nearest known offset applies.
package struct ZoneRules: Hashable, Sendable {
  /// The IANA name, such as `Europe/Rome`.
  package let name: String

  /// Periods of one offset each, in order of time. Never empty; the first has no beginning.
  let periods: [ZonePeriod]

  /// Coordinated universal time; needs no file.
  package static let utc = ZoneRules(name: "UTC", offsets: [(start: .distantPastSecond, offset: 0)])

  /// The years for which periods are computed.
  private static let years = 1900...2400

  /// The rules in a TZif file (RFC 9636).
  package init(name: String, tzif: [UInt8]) throws(TZifError) {
    let file = try TZifFile(tzif)
    let first = CivilDate(year: Self.years.lowerBound, month: 1, day: 1).daysSince1970 * .secondsPerDay
    let end = CivilDate(year: Self.years.upperBound + 1, month: 1, day: 1).daysSince1970 * .secondsPerDay
    let before = file.transitions.last { $0.start < first }?.offset ?? file.initialOffset
    var offsets = [(start: Int.distantPastSecond, offset: before)]
    offsets += file.transitions.filter { first..<end ~= $0.start }
    if let rule = file.rule {
      let last = file.transitions.last?.start ?? .distantPastSecond
      // From the year before, because a rule's time may be days outside its year.
      let firstYear = CivilDate(daysSince1970: last / .secondsPerDay).year - 1
      for year in Self.years where year >= firstYear {
        offsets += rule.transitions(in: year).filter { $0.start > last }
      }
    }
    self.init(name: name, offsets: offsets)
  }

  /// `offsets` are in order of time and begin with `distantPastSecond`. One that is not later than its predecessors replaces
  /// them: a rule can end and begin daylight saving time at the same instant, so that it lasts all year.
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
    assert(zip(periods, periods.dropFirst()).allSatisfy { $0.start < $1.start }, "periods are out of order")
    self.periods = periods
  }

  package func hash(into hasher: inout Hasher) {
    // The name alone: hashing hundreds of periods would slow down every look-up.
    hasher.combine(name)
  }

  /// The offset in seconds ahead of UTC.
  package func offsetSeconds(at instant: Instant) -> Int {
    periods[index(atSecond: Int(instant.milliseconds).flooredQuotient(by: 1000))].offset
  }

  /// The changes of the offset after `start` and at or before `end`, in order of time.
  package func transitions(after start: Instant, through end: Instant) -> [ZoneTransition] {
    periods.indices.dropFirst().lazy
      .map { ZoneTransition(before: periods[$0 - 1], after: periods[$0]) }
      .filter { start < $0.instant && $0.instant <= end }
  }

  /// The index of the period that contains a second, since 1970 UTC.
  func index(atSecond second: Int) -> Int {
    max(0, periods.partitioningIndex { $0.start > second } - 1)
  }

  /// The wall-clock time at the end of a period (exclusive), in seconds since 1970-01-01T00:00.
  func wallEnd(ofPeriod index: Int) -> Int {
    index + 1 < periods.count ? periods[index + 1].start + periods[index].offset : .distantFutureSecond
  }
}

extension Int {
  /// Seconds before and after all valid times, far from overflow.
  static let distantPastSecond = -(1 << 60)
  static let distantFutureSecond = 1 << 60
}
