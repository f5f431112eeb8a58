/// The fields of a cron expression, in the order they are written.
enum CronField: Int, CaseIterable {
  case second, minute, hour, dayOfMonth, month, dayOfWeek, year

  /// What errors call the field.
  var name: String {
    switch self {
    case .second: "second"
    case .minute: "minute"
    case .hour: "hour"
    case .dayOfMonth: "day-of-month"
    case .month: "month"
    case .dayOfWeek: "day-of-week"
    case .year: "year"
    }
  }

  /// The numbers that may be written. Of the days of the week both 0 and 7 are Sunday.
  var numbers: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    case .year: 1970...2199
    }
  }

  /// Every value once: what `*` stands for, and where the span of `n/step` ends.
  var values: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : numbers }

  /// The three-letter names, the first of them for the lowest number.
  var names: [String] {
    switch self {
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    default: []
    }
  }

  /// Which number is which day: schedulers differ.
  static let weekdayNumbers = "0 and 7 are Sunday, 1 is Monday"

  var isDay: Bool { self == .dayOfMonth || self == .dayOfWeek }
}

/// One element of a field's comma-separated list.
enum CronItem: Equatable {
  /// Every `step`-th number from the first of `range` on. Sunday may be 7.
  case span(ClosedRange<Int>, step: Int)
  /// `L`: the last day of the month.
  case lastDay
  /// `LW`: the last Monday to Friday of the month.
  case lastWorkday
  /// `nW`: the Monday to Friday nearest to day n, in the same month.
  case nearestWorkday(Int)
  /// `n#k`: the k-th such day of the week of the month, k from 1.
  case ordinal(weekday: Int, Int)
  /// `nL`: the last such day of the week of the month.
  case last(weekday: Int)
}
