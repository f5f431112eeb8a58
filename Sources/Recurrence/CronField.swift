/// The fields of a cron expression, in their order.
enum CronField: Int, CaseIterable {
  case second, minute, hour, dayOfMonth, month, dayOfWeek, year

  /// The name in errors.
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

  /// The valid numbers. In the day-of-week field both 0 and 7 are Sunday.
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

  /// Every value once: the meaning of `*`, and the end of the range of `n/step`.
  var values: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : numbers }

  /// The three-letter names, beginning with the lowest number.
  var names: [String] {
    switch self {
    case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    default: []
    }
  }

  /// The meaning of weekday numbers, in which schedulers differ.
  static let weekdayNumbers = "0 and 7 are Sunday, 1 is Monday"

  var isDay: Bool { self == .dayOfMonth || self == .dayOfWeek }
}

/// One element of a field's comma-separated list.
enum CronItem: Equatable {
  /// Every `step`-th number of `range`, beginning with its first. Sunday may be 7.
  case span(ClosedRange<Int>, step: Int)
  /// `L`: the last day of the month.
  case lastDay
  /// `LW`: the last workday (Monday to Friday) of the month.
  case lastWorkday
  /// `nW`: the workday nearest to day n, in the same month.
  case nearestWorkday(Int)
  /// `n#k`: the k-th weekday n of the month, k from 1.
  case ordinal(weekday: Int, Int)
  /// `nL`: the last weekday n of the month.
  case last(weekday: Int)
}
