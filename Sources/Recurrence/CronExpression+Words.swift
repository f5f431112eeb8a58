extension CronExpression {
  /// What the expression means, in English: `At 30 minutes past every hour`.
  ///
  /// Told from the times it stands for, not from how it is written: `0-59/15` and `*/15` read the same.
  package var words: String {
    var (time, namesClockTimes) = times.words
    let day = days.dayWords
    if namesClockTimes, day == nil { time += " every day" }
    return ([time, day] + days.monthAndYearWords).compactMap(\.self).joined(separator: ", ")
  }
}

extension CronExpression {
  /// Which number is which day of the week, where the expression has such numbers; nil where it has none. Other schedulers
  /// count otherwise, and take the same expression.
  package var weekdayNumbersNote: String? {
    let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    guard words.count > 1 else { return nil }
    var previous = UInt8(ascii: ",")
    for byte in words[words.count == 5 ? 4 : 5] {
      if byte.isDigit, previous != UInt8(ascii: "#"), previous != UInt8(ascii: "/") {
        return "Days of the week by number: \(CronField.weekdayNumbers) (Quartz and AWS count from 1, which is Sunday)"
      }
      if !byte.isDigit { previous = byte }
    }
    return nil
  }
}

extension CronTimes {
  /// The most times of day that are listed one by one.
  private static let longestList = 6

  /// The times in words, and whether these are clock times (`At 08:30`) instead of a rhythm.
  fileprivate var words: (text: String, namesClockTimes: Bool) {
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
    let minutes = UnitWords("minute", minutes, of: 60)
    let hours = UnitWords("hour", hours, of: 24)
    if let interval = minutes.interval { return hours.isEvery ? interval : "\(interval) of \(hours.text)" }
    return self.minutes == SmallSet(0...0)
      ? "At the start of \(hours.text)" : "At \(minutes.count) past \(hours.text)"
  }

  private var secondRhythm: String {
    let seconds = UnitWords("second", seconds, of: 60)
    let minutes = UnitWords("minute", minutes, of: 60)
    let hours = UnitWords("hour", hours, of: 24)
    let isEveryMinute = minutes.isEvery && hours.isEvery
    let rest = isEveryMinute ? minutes.text : "\(minutes.text) of \(hours.text)"
    guard let interval = seconds.interval else { return "At \(seconds.count) past \(rest)" }
    return isEveryMinute ? interval : "\(interval) of \(rest)"
  }
}

/// Some of the seconds of a minute, minutes of an hour or hours of a day, in words.
private struct UnitWords {
  let unit: String
  let numbers: SmallSet
  /// How many of them the next larger unit has.
  let size: Int

  init(_ unit: String, _ numbers: SmallSet, of size: Int) {
    self.unit = unit
    self.numbers = numbers
    self.size = size
  }

  var isEvery: Bool { numbers.count == size }

  /// How far apart the numbers are, if they divide the larger unit evenly from its start on.
  private var step: Int? {
    let step = size / numbers.count
    let even = stride(from: 0, to: size, by: step)
    return size % numbers.count == 0 && numbers.count > 1 && numbers.members.elementsEqual(even) ? step : nil
  }

  /// `Every minute`, `Every 15 minutes`; `nil` if there is no such rhythm.
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
  /// Which days of a month; `nil` if all of them.
  fileprivate var dayWords: String? {
    switch (monthDays.isEveryDay, weekdays.isEveryDay) {
    case (true, true): nil
    case (false, true): "on \(monthDays.words)"
    case (true, false): "on \(weekdays.words)"
    case (false, false):
      "on \(monthDays.words)" + (meeting == .either ? " or on " : ", but only on ") + weekdays.words
    }
  }

  /// Which months and years; empty if all of them.
  fileprivate var monthAndYearWords: [String] {
    var phrases: [String] = []
    if months.count < 12 {
      phrases.append("in \(months.members.runs { EnglishCalendar.months[$0 - 1] }.phrase)")
    }
    if let years { phrases.append("in \(years.count == 1 ? "" : "the years ")\(years.runs.phrase)") }
    return phrases
  }
}

extension CronMonthDays {
  fileprivate var words: String {
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
  fileprivate var words: String {
    // From Monday on, so that a weekend is one run.
    let monthly =
      ordinal.members.map { "the \(($0 / 7 + 1).ordinal) \(EnglishCalendar.weekdays[$0 % 7])" }
      + last.members.map { "the last \(EnglishCalendar.weekdays[$0])" }
    let everyWeek = (1...7).filter { weekly.contains($0 % 7) }.runs { EnglishCalendar.weekdays[$0 % 7] }
    return (everyWeek + (monthly.isEmpty ? [] : [monthly.phrase + " of the month"])).phrase
  }
}

extension [Int] {
  fileprivate var runs: [String] { runs { "\($0)" } }

  /// Ascending numbers in words, three and more in a row as `first to last`.
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
