/// The measurements for a line of the table, run by run, and its goal.
struct Finding: Codable {
  enum Comparison: String, Codable {
    /// Ours divided by the bare publisher's.
    case ratio
    /// Ours minus the bare publisher's.
    case difference
    /// Ours alone.
    case plain
  }

  var work: String
  var unit: Unit
  var comparison: Comparison
  /// One figure for each run.
  var ours: [Double]
  /// One for each run; empty when there is nothing to compare with.
  var bare: [Double] = []
  var reach: Double
  var aim: Double
  /// Whether the goal is a minimum and not a maximum.
  var isMoreBetter = false

  /// The compared figures, run by run.
  var results: [Double] {
    switch comparison {
    case .ratio: zip(ours, bare).map { $0 / $1 }
    case .difference: zip(ours, bare).map { $0 - $1 }
    case .plain: ours
    }
  }

  var verdict: String {
    let result = results.median
    if isMoreBetter ? result >= aim : result <= aim { return "aim" }
    return (isMoreBetter ? result >= reach : result <= reach) ? "reach" : "missed"
  }
}

enum Unit: String, Codable {
  case perSecond, milliseconds, seconds, microseconds, megabytes, bytes, times
}

extension [Double] {
  /// 0 if there is none.
  var median: Double {
    let sorted = sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
