/// The content of a day-of-week field; 0 is Sunday.
struct CronWeekdays: Hashable, Sendable {
  /// Weekdays in every week.
  var weekly = SmallSet()
  /// Weekdays in one week of the month, `n#k` as number 7 * (k - 1) + n. The first seven days are the first week.
  var ordinal = SmallSet()
  /// Weekdays in the last seven days of the month.
  var last = SmallSet()

  /// Whether the field contains every day, so that it does not restrict.
  var isEveryDay: Bool { weekly.count == 7 }

  /// Day n as bit n. Bits after the month's end are undefined.
  func days(of month: CivilMonth) -> UInt32 {
    let first = month.firstWeekday
    var days = Self.days(weekly.bits, monthBeginsOn: first)
    if !ordinal.isEmpty {
      for week in 0..<5 {
        let weekdays = ordinal.bits &>> (7 * week) & Self.week
        days |= Self.days(weekdays, monthBeginsOn: first) & UInt32(Self.week) &<< (7 * week + 1)
      }
    }
    if !last.isEmpty {
      days |= Self.days(last.bits, monthBeginsOn: first) & UInt32(Self.week) &<< (month.length - 6)
    }
    return days
  }

  /// Seven bits, one for each day of the week.
  private static let week: UInt64 = 0x7F

  /// The days of a month that begins on weekday `first` with these weekdays (bit 0 is Sunday).
  private static func days(_ weekdays: UInt64, monthBeginsOn first: Int) -> UInt32 {
    let sixWeeks: UInt64 = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35
    return UInt32(truncatingIfNeeded: ((weekdays &* sixWeeks) &>> first) &<< 1)
  }
}
