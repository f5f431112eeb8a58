import Bytes

/// The rule of a zone for future years: a POSIX TZ string with the extensions of RFC 9636, section 3.3.2, such as
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZoneRule: Equatable {
  /// The valid offsets, in seconds ahead of UTC (RFC 9636, section 3.2).
  static let offsets = -89_999...93_599

  /// Seconds ahead of UTC outside daylight saving time.
  let standardOffset: Int
  let daylight: DaylightSaving?

  /// The part of the year with another offset.
  struct DaylightSaving: Equatable {
    /// Seconds ahead of UTC.
    let offset: Int
    let start: YearlyTime
    let end: YearlyTime
  }

  /// A time once a year.
  struct YearlyTime: Equatable {
    let day: YearlyDay
    /// Wall-clock seconds from midnight; may be up to a week before or after the day.
    let second: Int
  }

  /// A day of the year, in one of the three POSIX forms.
  enum YearlyDay: Equatable {
    /// `Jn`: 1-365, 29 February never counted.
    case withoutLeapDay(Int)
    /// `n`: 0-365, 29 February counted.
    case zeroBased(Int)
    /// `Mm.w.d`: the w-th weekday d of month m, the last one for week 5.
    case weekday(month: Int, week: Int, weekday: Int)
  }

  /// The changes of the offset in `year`, in order of time: seconds since 1970 UTC, and the new offset.
  func transitions(in year: Int) -> [(start: Int, offset: Int)] {
    guard let daylight else { return [] }
    let start = (start: daylight.start.wallSecond(in: year) - standardOffset, offset: daylight.offset)
    let end = (start: daylight.end.wallSecond(in: year) - daylight.offset, offset: standardOffset)
    return start.start <= end.start ? [start, end] : [end, start]
  }
}

extension PosixZoneRule.YearlyTime {
  /// Seconds since 1970-01-01T00:00 on the wall clock.
  fileprivate func wallSecond(in year: Int) -> Int {
    day.daysSince1970(in: year) * .secondsPerDay + second
  }
}

extension PosixZoneRule.YearlyDay {
  fileprivate func daysSince1970(in year: Int) -> Int {
    let newYear = CivilDate(year: year, month: 1, day: 1).daysSince1970
    switch self {
    case .withoutLeapDay(let day): return newYear + day - (CivilMonth.isLeap(year) && day >= 60 ? 0 : 1)
    case .zeroBased(let day): return newYear + day
    case .weekday(let month, let week, let weekday):
      let page = CivilMonth(year: year, month: month)
      let first = (weekday - page.firstWeekday).flooredRemainder(by: 7)
      let day = first + 7 * (week - 1)
      return page.firstDay + (day < page.length ? day : day - 7)
    }
  }
}

extension PosixZoneRule {
  /// Parses a TZ string; `nil` if it is malformed.
  init?(_ text: ArraySlice<UInt8>) {
    var scanner = ByteScanner(text)
    guard scanner.skipZoneName(), let west = scanner.time(hours: 24), Self.offsets ~= -west else { return nil }
    standardOffset = -west
    if scanner.isAtEnd {
      daylight = nil
      return
    }
    guard scanner.skipZoneName(),
      let offset = scanner.isNext(",") ? standardOffset + 3600 : scanner.time(hours: 24).map({ -$0 }),
      Self.offsets ~= offset,
      scanner.skip(","), let start = scanner.yearlyTime(),
      scanner.skip(","), let end = scanner.yearlyTime(), scanner.isAtEnd
    else { return nil }
    daylight = DaylightSaving(offset: offset, start: start, end: end)
  }
}

extension ByteScanner {
  /// Skips an abbreviation: three letters or more, or anything in angle brackets.
  fileprivate mutating func skipZoneName() -> Bool {
    guard skip("<") else { return take { $0.isLetter }.count >= 3 }
    return !take { $0 != UInt8(ascii: ">") }.isEmpty && skip(">")
  }

  /// A time `[+-]hh[:mm[:ss]]` in seconds, of at most `hours` hours.
  fileprivate mutating func time(hours: Int) -> Int? {
    let isNegative = skip("-")
    if !isNegative { _ = skip("+") }
    guard var seconds = number(within: 0...hours).map({ $0 * 3600 }) else { return nil }
    for unit in [60, 1] where skip(":") {
      guard let part = number(within: 0...59) else { return nil }
      seconds += part * unit
    }
    return isNegative ? -seconds : seconds
  }

  /// A rule `date[/time]`; the default time is 02:00.
  fileprivate mutating func yearlyTime() -> PosixZoneRule.YearlyTime? {
    guard let day = yearlyDay() else { return nil }
    guard skip("/") else { return PosixZoneRule.YearlyTime(day: day, second: 2 * 3600) }
    return time(hours: 167).map { PosixZoneRule.YearlyTime(day: day, second: $0) }
  }

  private mutating func yearlyDay() -> PosixZoneRule.YearlyDay? {
    if skip("J") { return number(within: 1...365).map { .withoutLeapDay($0) } }
    guard skip("M") else { return number(within: 0...365).map { .zeroBased($0) } }
    guard let month = number(within: 1...12), skip("."), let week = number(within: 1...5), skip("."),
      let weekday = number(within: 0...6)
    else { return nil }
    return .weekday(month: month, week: week, weekday: weekday)
  }

  /// A decimal number of up to three digits.
  private mutating func number(within range: ClosedRange<Int>) -> Int? {
    let digits = take { $0.isDigit }
    guard 1...3 ~= digits.count else { return nil }
    let number = digits.reduce(0) { $0 * 10 + $1.digitValue }
    return range ~= number ? number : nil
  }
}
