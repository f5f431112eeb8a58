/// The content of a day-of-month field.
struct CronMonthDays: Hashable, Sendable {
  /// A day that moves to a workday (Monday to Friday). It is alone in its field.
  enum Workday: Hashable {
    /// `LW`.
    case last
    /// `nW`: nearest to day n.
    case nearest(Int)
  }

  var numbers = SmallSet()
  var includesLastDay = false
  var workday: Workday?

  /// Whether the field contains every day, so that it does not restrict.
  var isEveryDay: Bool { numbers.count == 31 }

  /// Day n as bit n. Bits after the month's end are undefined.
  func days(of month: CivilMonth) -> UInt32 {
    var days = UInt32(truncatingIfNeeded: numbers.bits)
    if includesLastDay { days |= 1 &<< month.length }
    switch workday {
    case nil: break
    case .last: days |= 1 &<< Self.workday(nearest: month.length, in: month)
    case .nearest(let day) where day <= month.length: days |= 1 &<< Self.workday(nearest: day, in: month)
    case .nearest: break
    }
    return days
  }

  /// The workday nearest to `day` in the same month.
  private static func workday(nearest day: Int, in month: CivilMonth) -> Int {
    switch weekday(ofDaysSince1970: month.firstDay + day - 1) {
    case 0: day == month.length ? day - 2 : day + 1
    case 6: day == 1 ? day + 2 : day - 1
    default: day
    }
  }
}
