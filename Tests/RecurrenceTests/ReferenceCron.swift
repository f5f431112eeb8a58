import Recurrence

/// A random cron expression with its expected meaning: each field has its text and its set of values, by the simplest possible
/// definitions. Shares no code with the code under test.
struct ReferenceCron: CustomStringConvertible {
  /// The meaning of an item of a day field.
  enum DayRule {
    case numbers(Set<Int>)
    case last
    case lastWorkday
    case nearestWorkday(Int)
    case nthWeekday(Int, Int)
    case lastWeekday(Int)
  }

  var seconds: (text: String, values: Set<Int>)?
  var minutes: (text: String, values: Set<Int>)
  var hours: (text: String, values: Set<Int>)
  var monthDays: (text: String, rules: [DayRule])
  var months: (text: String, values: Set<Int>)
  var weekdays: (text: String, rules: [DayRule])
  var years: (text: String, values: Set<Int>)?
  var daysMustMeet = false

  var description: String {
    let five = [minutes.text, hours.text, monthDays.text, months.text, (daysMustMeet ? "+" : "") + weekdays.text]
    return ((seconds.map { [$0.text] } ?? []) + five + (years.map { [$0.text] } ?? [])).joined(separator: " ")
  }

  var isFixedTime: Bool {
    !minutes.text.hasPrefix("*") && !hours.text.hasPrefix("*") && minutes.values.count < 60 && hours.values.count < 24
  }

  // MARK: Meaning

  /// Whether the month of a day, and its year, match.
  private func matchesMonth(of day: ReferenceDay) -> Bool {
    months.values.contains(day.month) && years?.values.contains(day.year) != false
  }

  /// The first matching day of a range (counted from 1970-01-01). Skips months that do not match, to save time.
  func firstDay(in range: Range<Int>) -> Int? {
    for month in ReferenceDay.months where month.overlaps(range) && matchesMonth(of: ReferenceDay.all[month.lowerBound])
    {
      if let day = month.clamped(to: range).first(where: { matches(ReferenceDay.all[$0]) }) { return day }
    }
    return nil
  }

  /// The last matching day of a range.
  func lastDay(in range: Range<Int>) -> Int? {
    for month in ReferenceDay.months.reversed()
    where month.overlaps(range) && matchesMonth(of: ReferenceDay.all[month.lowerBound]) {
      if let day = month.clamped(to: range).last(where: { matches(ReferenceDay.all[$0]) }) { return day }
    }
    return nil
  }

  func matches(_ day: ReferenceDay) -> Bool {
    guard matchesMonth(of: day) else { return false }
    let isMonthDay = monthDays.rules.contains { matches(day, $0) }
    let isWeekday = weekdays.rules.contains { rule in
      if case .numbers(let values) = rule { return values.contains(day.weekday) }
      return matches(day, rule)
    }
    let areBothRestricted =
      !isEvery(monthDays.rules, of: 1...31) && !isEvery(weekdays.rules, of: 0...6)
      && !monthDays.text.contains("*") && !weekdays.text.contains("*")
    return areBothRestricted && !daysMustMeet ? isMonthDay || isWeekday : isMonthDay && isWeekday
  }

  func matches(secondOfDay: Int) -> Bool {
    (seconds?.values ?? [0]).contains(secondOfDay % 60) && minutes.values.contains(secondOfDay / 60 % 60)
      && hours.values.contains(secondOfDay / 3600)
  }

  /// Whether a wall-clock time, in seconds since 1970-01-01T00:00, matches.
  func matches(wall: Int) -> Bool {
    matches(secondOfDay: wall % 86_400) && matches(ReferenceDay.all[wall / 86_400])
  }

  private func matches(_ day: ReferenceDay, _ rule: DayRule) -> Bool {
    switch rule {
    case .numbers(let values): return values.contains(day.day)
    case .last: return day.day == day.monthLength
    case .lastWorkday: return day.day + 3 > day.monthLength && day.day == day.workdaysOfMonth.last
    case .nearestWorkday(let number):
      guard number <= day.monthLength, abs(day.day - number) < 3 else { return false }
      return day.day == day.workdaysOfMonth.min { abs($0 - number) < abs($1 - number) }
    case .nthWeekday(let weekday, let ordinal):
      return day.weekday == weekday && (1...day.day).count { day.weekday(ofDay: $0) == weekday } == ordinal
    case .lastWeekday(let weekday): return day.weekday == weekday && day.day + 7 > day.monthLength
    }
  }

  private func isEvery(_ rules: [DayRule], of range: ClosedRange<Int>) -> Bool {
    var values: Set<Int> = []
    for case .numbers(let some) in rules { values.formUnion(some) }
    return values.isSuperset(of: range)
  }

  // MARK: Slots

  /// The slots after `start` and up to `end` (seconds since 1970 UTC), found by checking every second or, without a seconds
  /// field, every minute.
  func slots(after start: Int, through end: Int, in zone: ZoneRules) -> [Int] {
    let step = seconds == nil && start % 60 == 0 ? 60 : 1
    return stride(from: start + step, through: end, by: step).filter { isSlot($0, in: zone) }
  }

  func isSlot(_ second: Int, in zone: ZoneRules) -> Bool {
    let wall = second + offset(second, zone)
    if matches(wall: wall) { return !isFixedTime || isFirstShown(wall, at: second, in: zone) }
    return isFixedTime && endsGapWithMatch(second, in: zone)
  }

  /// Whether no earlier instant showed the same wall clock. Offsets lie within 26 h of UTC, and so do repeated times.
  private func isFirstShown(_ wall: Int, at second: Int, in zone: ZoneRules) -> Bool {
    let day = Instant(milliseconds: Int64(second - 52 * 3600) * 1000)
    let now = Instant(milliseconds: Int64(second) * 1000)
    return !zone.transitions(after: day, through: now).contains { transition in
      let earlier = wall - transition.oldOffsetSeconds
      return earlier < second && offset(earlier, zone) == transition.oldOffsetSeconds
    }
  }

  private func endsGapWithMatch(_ second: Int, in zone: ZoneRules) -> Bool {
    let gap = second + offset(second - 1, zone)..<max(second + offset(second - 1, zone), second + offset(second, zone))
    return gap.count < 3 * 3600 && gap.contains { matches(wall: $0) }
  }

  private func offset(_ second: Int, _ zone: ZoneRules) -> Int {
    zone.offsetSeconds(at: Instant(milliseconds: Int64(second) * 1000))
  }
}
