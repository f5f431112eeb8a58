import Bytes

/// Collects the fields of a cron expression while it is parsed.
struct CronFields {
  /// 0 if the expression has no field for seconds.
  private(set) var seconds = SmallSet(0...0)
  private(set) var minutes = SmallSet()
  private(set) var hours = SmallSet()
  private(set) var monthDays = CronMonthDays()
  private(set) var months = SmallSet()
  private(set) var weekdays = CronWeekdays()
  /// `nil` for every year.
  private(set) var years: [Int]?
  /// Whether neither minute nor hour begins with `*` or contains every value.
  private(set) var isFixedTime = true
  /// Whether the day fields are joined by `+`.
  private var mustMatchBoth = false
  /// Whether one of the day fields contains a `*`, also as `*/7`: both must match then, crontab(5)'s rule.
  private var hasStarInDays = false
  /// The day-of-month field as written, for errors.
  private var monthDaysText: ArraySlice<UInt8> = []
  private var weekdaysPosition = 1

  /// Parses `text`, a slice of the whole expression.
  mutating func read(_ text: ArraySlice<UInt8>, as field: CronField) throws(ExpressionError) {
    var text = text
    if field == .dayOfWeek, text.first == UInt8(ascii: "+") {
      mustMatchBoth = true
      text = text.dropFirst()
    }
    var parser = CronFieldParser(field, text)
    let items = try parser.items()
    switch field {
    case .second: seconds = SmallSet(items)
    case .minute: minutes = SmallSet(items)
    case .hour: hours = SmallSet(items)
    case .dayOfMonth:
      monthDays = CronMonthDays(items)
      monthDaysText = text
    case .month: months = SmallSet(items)
    case .dayOfWeek:
      weekdays = CronWeekdays(items)
      weekdaysPosition = text.startIndex + 1
    case .year: years = Self.years(items)
    }
    let hasStar = text.contains(UInt8(ascii: "*"))
    switch field {
    case .minute where text.first == UInt8(ascii: "*") || minutes.count == 60: isFixedTime = false
    case .hour where text.first == UInt8(ascii: "*") || hours.count == 24: isFixedTime = false
    case .dayOfMonth where hasStar, .dayOfWeek where hasStar: hasStarInDays = true
    default: break
    }
  }

  var times: CronTimes { CronTimes(seconds: seconds, minutes: minutes, hours: hours) }

  /// The days that match the fields together. There may be none.
  var days: CronDays {
    let areBothRestricted = !hasStarInDays && !monthDays.isEveryDay && !weekdays.isEveryDay
    let meeting = areBothRestricted && !mustMatchBoth ? CronDays.Meeting.either : .both
    return CronDays(monthDays: monthDays, weekdays: weekdays, meeting: meeting, months: months, years: years)
  }

  /// Throws an error that names the field if no day matches.
  func checkDays() throws(ExpressionError) {
    let days = days
    guard days.hasAnyDay else { throw neverComes(days) }
  }

  private func neverComes(_ days: CronDays) -> ExpressionError {
    let position = monthDaysText.startIndex + 1
    var monthDaysOnly = days
    monthDaysOnly.weekdays = CronWeekdays([.span(0...6, step: 1)])
    guard monthDaysOnly.hasAnyDay else {
      let text = String(decoding: monthDaysText, as: UTF8.self)
      let days = monthDaysText.allSatisfy(\.isDigit) ? "day \(text)" : "'\(text)'"
      let names = months.members.map { EnglishCalendar.months[$0 - 1] }
      let years = years == nil ? "" : " of the years given"
      return ExpressionError(
        field: CronField.dayOfMonth.name, position: position,
        reason: "\(days) does not exist in \(names.joined(separator: ", ", last: " or "))\(years)")
    }
    return ExpressionError(
      field: CronField.dayOfWeek.name, position: weekdaysPosition,
      reason: monthDays.isEveryDay
        ? "these weekdays do not exist in the months and years given"
        : "these weekdays never fall on these days of the month" + (mustMatchBoth ? "" : Self.bothMustMatch))
  }

  private static let bothMustMatch = "; with a * in one of the two fields, both have to match"

  /// The years of a list in ascending order; `nil` for all of them.
  private static func years(_ items: [CronItem]) -> [Int]? {
    var years: Set<Int> = []
    for case .span(let range, let step) in items {
      years.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: step))
    }
    return years.count == CronField.year.values.count ? nil : years.sorted()
  }
}

extension CronDays {
  /// Whether any day matches.
  ///
  /// The years 1970 to 1997 contain a leap year and a common year that begin on each day of the week, and so every possible
  /// calendar.
  fileprivate var hasAnyDay: Bool {
    let last = CivilDate(year: years?.last ?? 1997, month: 12, day: 31).daysSince1970
    return first(in: 0...last) != nil
  }
}

extension SmallSet {
  /// The numbers of the spans in a list.
  fileprivate init(_ items: [CronItem]) {
    self.init()
    for case .span(let range, let step) in items { insert(range, step: step) }
  }
}

extension CronMonthDays {
  fileprivate init(_ items: [CronItem]) {
    numbers = SmallSet(items)
    includesLastDay = items.contains(.lastDay)
    for item in items {
      switch item {
      case .lastWorkday: workday = .last
      case .nearestWorkday(let day): workday = .nearest(day)
      default: break
      }
    }
  }
}

extension CronWeekdays {
  fileprivate init(_ items: [CronItem]) {
    for item in items {
      switch item {
      case .span(let range, let step):
        for number in stride(from: range.lowerBound, through: range.upperBound, by: step) { weekly.insert(number % 7) }
      case .ordinal(let weekday, let week): ordinal.insert(7 * (week - 1) + weekday)
      case .last(let weekday): last.insert(weekday)
      default: break
      }
    }
  }
}
