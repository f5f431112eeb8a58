/// What is measured, and how much of it.
struct Plan {
  var rows: [Row]
  var runs: Int
  /// Ticks due at one instant, and Starts sent at once.
  var burst = 50_000

  static func quick(_ rows: [Row], runs: Int) -> Plan { Plan(rows: rows, runs: runs, burst: 10_000) }
}

/// A row of the table, under the name by which it is asked for.
enum Row: String, CaseIterable {
  case oneShots = "one-shots"
  case recurring
  case starts
}
