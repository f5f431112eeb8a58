/// What was measured for a line of the table, run by run, beside what it is to reach.
struct Finding: Codable {
  enum Comparison: String, Codable {
    /// Ours divided by the bare publisher's.
    case ratio
    /// Ours without the bare publisher's.
    case difference
    /// Ours alone.
    case plain
  }

  var work: String
  var unit: Unit
  var comparison: Comparison
  /// One figure for each run.
  var ours: [Double]
  /// One for each run; empty when there is nothing bare to compare with.
  var bare: [Double] = []
  var reach: Double
  var aim: Double
  /// Whether the figure is to be at least what is to be reached, and not at most.
  var isMoreBetter = false

  /// What counts, run by run.
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
  /// 0 of none.
  var median: Double {
    let sorted = sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
