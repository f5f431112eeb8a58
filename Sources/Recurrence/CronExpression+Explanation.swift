import Bytes

extension CronExpression {
  /// The expression in English: `At 30 minutes past every hour`.
  ///
  /// Derived from the set of times, not from the notation: `0-59/15` and `*/15` give the same text.
  package var explanation: String {
    var (time, namesClockTimes) = times.explanation
    let day = days.dayPhrase
    if namesClockTimes, day == nil { time += " every day" }
    return ([time, day] + days.monthAndYearPhrases).compactMap(\.self).joined(separator: ", ")
  }
}

extension CronExpression {
  /// A note on the meaning of weekday numbers; nil if the expression has none. Other schedulers accept the same expression with
  /// other numbers.
  package var weekdayNumbersNote: String? {
    let fields = text.utf8.split(whereSeparator: \.isBlank)
    guard fields.count > 1 else { return nil }
    var previous = UInt8(ascii: ",")
    for byte in fields[fields.count == 5 ? 4 : 5] {
      if byte.isDigit, previous != UInt8(ascii: "#"), previous != UInt8(ascii: "/") {
        return "Days of the week by number: \(CronField.weekdayNumbers) (Quartz and AWS count from 1, which is Sunday)"
      }
      if !byte.isDigit { previous = byte }
    }
    return nil
  }
}

extension CronTimes {
  /// The most times of day that are listed individually.
  private static let longestList = 6

  /// The times in English, and whether they are clock times (`At 08:30`) instead of a rhythm.
  fileprivate var explanation: (text: String, namesClockTimes: Bool) {
    if seconds.count * minutes.count * hours.count <= Self.longestList {
      return ("At " + clockTimes.phrase, true)
    }
    return (seconds == SmallSet(0...0) ? minuteRhythm : secondRhythm, false)
  }

  private var clockTimes: [String] {
    hours.members.flatMap { hour in
      minutes.members.flatMap { minute in
        seconds.members.map { second in
          let parts = second == 0 && seconds.count == 1 ? [hour, minute] : [hour, minute, second]
          return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        }
      }
    }
  }

  private var minuteRhythm: String {
    let minutes = UnitPhrase("minute", minutes, of: 60)
    let hours = UnitPhrase("hour", hours, of: 24)
    if let interval = minutes.interval { return hours.isEvery ? interval : "\(interval) of \(hours.text)" }
    return self.minutes == SmallSet(0...0)
      ? "At the start of \(hours.text)" : "At \(minutes.count) past \(hours.text)"
  }

  private var secondRhythm: String {
    let seconds = UnitPhrase("second", seconds, of: 60)
    let minutes = UnitPhrase("minute", minutes, of: 60)
    let hours = UnitPhrase("hour", hours, of: 24)
    let isEveryMinute = minutes.isEvery && hours.isEvery
    let rest = isEveryMinute ? minutes.text : "\(minutes.text) of \(hours.text)"
    guard let interval = seconds.interval else { return "At \(seconds.count) past \(rest)" }
    return isEveryMinute ? interval : "\(interval) of \(rest)"
  }
}

/// Seconds of a minute, minutes of an hour or hours of a day, in English.
private struct UnitPhrase {
  let unit: String
  let numbers: SmallSet
  /// The number of units in the next larger one.
  let size: Int

  init(_ unit: String, _ numbers: SmallSet, of size: Int) {
    self.unit = unit
    self.numbers = numbers
    self.size = size
  }

  var isEvery: Bool { numbers.count == size }

  /// The distance between the numbers, if they divide the larger unit evenly from its start.
  private var step: Int? {
    let step = size / numbers.count
    let even = stride(from: 0, to: size, by: step)
    return size % numbers.count == 0 && numbers.count > 1 && numbers.members.elementsEqual(even) ? step : nil
  }

  /// `Every minute`, `Every 15 minutes`; `nil` for uneven numbers.
  var interval: String? {
    step.map { $0 == 1 ? "Every \(unit)" : "Every \($0) \(unit)s" }
  }

  /// `every minute`, `every 2nd hour`, `every hour from 9 to 17`, `minute 30`, `hours 9, 12 and 15`.
  var text: String {
    if let step { return step == 1 ? "every \(unit)" : "every \(step.ordinal) \(unit)" }
    let members = numbers.members
    if members.count > 2, members.count == numbers.highest - numbers.lowest + 1 {
      return "every \(unit) from \(numbers.lowest) to \(numbers.highest)"
    }
    return "\(unit)\(members.count == 1 ? "" : "s") \(members.runs.phrase)"
  }

  /// `1 minute`, `15 and 45 minutes`: an amount past the start of the larger unit.
  var count: String { "\(numbers.members.runs.phrase) \(unit)\(numbers == SmallSet(1...1) ? "" : "s")" }
}

extension CronDays {
  /// The days of a month; `nil` for all of them.
  fileprivate var dayPhrase: String? {
    switch (monthDays.isEveryDay, weekdays.isEveryDay) {
    case (true, true): nil
    case (false, true): "on \(monthDays.phrase)"
    case (true, false): "on \(weekdays.phrase)"
    case (false, false):
      "on \(monthDays.phrase)" + (meeting == .either ? " or on " : ", but only on ") + weekdays.phrase
    }
  }

  /// The months and years; empty for all of them.
  fileprivate var monthAndYearPhrases: [String] {
    var phrases: [String] = []
    if months.count < 12 {
      phrases.append("in \(months.members.runs { EnglishCalendar.months[$0 - 1] }.phrase)")
    }
    if let years { phrases.append("in \(years.count == 1 ? "" : "the years ")\(years.runs.phrase)") }
    return phrases
  }
}

extension CronMonthDays {
  fileprivate var phrase: String {
    switch workday {
    case .last: return "the last weekday (Monday to Friday) of the month"
    case .nearest(let day): return "the weekday (Monday to Friday) nearest to day \(day) of the month"
    case nil: break
    }
    var phrases = numbers.isEmpty ? [] : ["day\(numbers.count == 1 ? "" : "s") \(numbers.members.runs.phrase)"]
    if includesLastDay { phrases.append("the last day") }
    return phrases.phrase + " of the month"
  }
}

extension CronWeekdays {
  fileprivate var phrase: String {
    // From Monday, so that a weekend is one run.
    let monthly =
      ordinal.members.map { "the \(($0 / 7 + 1).ordinal) \(EnglishCalendar.weekdays[$0 % 7])" }
      + last.members.map { "the last \(EnglishCalendar.weekdays[$0])" }
    let everyWeek = (1...7).filter { weekly.contains($0 % 7) }.runs { EnglishCalendar.weekdays[$0 % 7] }
    return (everyWeek + (monthly.isEmpty ? [] : [monthly.phrase + " of the month"])).phrase
  }
}

extension [Int] {
  fileprivate var runs: [String] { runs { "\($0)" } }

  /// Ascending numbers by name, three or more consecutive ones as `first to last`.
  fileprivate func runs(name: (Int) -> String) -> [String] {
    var runs: [ClosedRange<Int>] = []
    for number in self {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.flatMap { run in
      run.count > 2
        ? ["\(name(run.lowerBound)) to \(name(run.upperBound))"] : run.map(name)
    }
  }
}

extension [String] {
  fileprivate var phrase: String { joined(separator: ", ", last: " and ") }
}

extension Int {
  /// `1st`, `2nd`, `3rd`, `4th` …; of numbers below 100.
  fileprivate var ordinal: String {
    switch (self / 10, self % 10) {
    case (1, _): "\(self)th"
    case (_, 1): "\(self)st"
    case (_, 2): "\(self)nd"
    case (_, 3): "\(self)rd"
    default: "\(self)th"
    }
  }
}
