/// A day of the proleptic Gregorian calendar, for any year.
struct CivilDate: Hashable {
  var year: Int
  /// 1-12.
  var month: Int
  /// 1-31.
  var day: Int
}

extension CivilDate {
  /// The date `days` after 1970-01-01 (before it, if negative).
  ///
  /// Uses years that begin on 1 March, so that the leap day comes last (Hinnant, "chrono-Compatible Low-Level Date
  /// Algorithms").
  init(daysSince1970 days: Int) {
    let shifted = days + Self.daysFromMarchOfYear0To1970
    let era = shifted.flooredQuotient(by: Self.daysIn400Years)
    let dayOfEra = shifted - era * Self.daysIn400Years
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01 to this date.
  var daysSince1970: Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear.flooredQuotient(by: 400)
    let yearOfEra = marchYear - era * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * Self.daysIn400Years + dayOfEra - Self.daysFromMarchOfYear0To1970
  }

  private static let daysIn400Years = 146_097
  private static let daysFromMarchOfYear0To1970 = 719_468
}

/// A month of a year, with its first day and length.
struct CivilMonth {
  let year: Int
  /// 1-12.
  let month: Int
  /// Days from 1970-01-01 to the first of the month.
  let firstDay: Int
  /// 28-31.
  let length: Int

  init(year: Int, month: Int) {
    self.year = year
    self.month = month
    firstDay = CivilDate(year: year, month: month, day: 1).daysSince1970
    length = Self.length(ofMonth: month, in: year)
  }

  /// The day of the week of its first day, 0 (Sunday) to 6.
  var firstWeekday: Int { weekday(ofDaysSince1970: firstDay) }

  static func length(ofMonth month: Int, in year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }
}

/// The day of the week of a day counted from 1970-01-01 (a Thursday): 0 (Sunday) to 6.
func weekday(ofDaysSince1970 days: Int) -> Int {
  (days + 4).flooredRemainder(by: 7)
}

extension Int {
  /// Seconds in a POSIX day, which has no leap seconds.
  static let secondsPerDay = 86_400

  /// The quotient rounded towards minus infinity; `divisor` must be positive.
  func flooredQuotient(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }

  /// The remainder of a floored division, from 0 to `divisor` - 1.
  func flooredRemainder(by divisor: Int) -> Int {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}
