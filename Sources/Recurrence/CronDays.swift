/// The days that a cron expression matches: its day-of-month, month, day-of-week and year fields together.
struct CronDays: Hashable, Sendable {
  /// How the two day fields are combined.
  enum Meeting: Hashable {
    /// A day must match one of them: both are restricted, crontab's rule.
    case either
    /// A day must match both: they are joined by `+`, or one of them matches every day.
    case both
  }

  let monthDays: CronMonthDays
  var weekdays: CronWeekdays
  let meeting: Meeting
  /// 1-12.
  let months: SmallSet
  /// In ascending order; `nil` for every year.
  let years: [Int]?

  /// The matching days of a month that itself matches, day n as bit n.
  func days(of month: CivilMonth) -> UInt32 {
    let length = UInt32.max &>> (31 - month.length) & ~1
    let inMonth = monthDays.days(of: month)
    let inWeek = weekdays.days(of: month)
    return (meeting == .either ? inMonth | inWeek : inMonth & inWeek) & length
  }

  /// The first matching day within `range`, both counted from 1970-01-01.
  func first(in range: ClosedRange<Int>) -> Int? {
    let date = CivilDate(daysSince1970: range.lowerBound)
    var next = firstMonth(year: date.year, month: date.month)
    var days = UInt32.max
    if let found = next, found == (date.year, date.month) { days = days &<< date.day }
    while let (year, month) = next {
      let page = CivilMonth(year: year, month: month)
      guard page.firstDay <= range.upperBound else { return nil }
      days &= self.days(of: page)
      if days != 0 {
        let day = page.firstDay + days.trailingZeroBitCount - 1
        return day <= range.upperBound ? day : nil
      }
      days = .max
      next = firstMonth(year: year, month: month + 1)
    }
    return nil
  }

  /// The last matching day within `range`.
  func last(in range: ClosedRange<Int>) -> Int? {
    let date = CivilDate(daysSince1970: range.upperBound)
    var next = lastMonth(year: date.year, month: date.month)
    var days = UInt32.max
    if let found = next, found == (date.year, date.month) { days = days &>> (31 - date.day) }
    while let (year, month) = next {
      let page = CivilMonth(year: year, month: month)
      guard page.firstDay + page.length > range.lowerBound else { return nil }
      days &= self.days(of: page)
      if days != 0 {
        let day = page.firstDay + 30 - days.leadingZeroBitCount
        return day >= range.lowerBound ? day : nil
      }
      days = .max
      next = lastMonth(year: year, month: month - 1)
    }
    return nil
  }

  /// The first matching month from this one; `month` may be 13. `nil` when there is none.
  private func firstMonth(year: Int, month: Int) -> (year: Int, month: Int)? {
    guard let matching = firstYear(from: year) else { return nil }
    if matching > year { return (matching, months.lowest) }
    if let month = months.first(from: month) { return (year, month) }
    return firstYear(from: year + 1).map { ($0, months.lowest) }
  }

  /// The last matching month up to this one; `month` may be 0. `nil` when there is none.
  private func lastMonth(year: Int, month: Int) -> (year: Int, month: Int)? {
    guard let matching = lastYear(through: year) else { return nil }
    if matching < year { return (matching, months.highest) }
    if let month = months.last(through: month) { return (year, month) }
    return lastYear(through: year - 1).map { ($0, months.highest) }
  }

  private func firstYear(from year: Int) -> Int? {
    guard let years else { return year }
    return years.first { $0 >= year }
  }

  private func lastYear(through year: Int) -> Int? {
    guard let years else { return year }
    return years.last { $0 <= year }
  }
}
