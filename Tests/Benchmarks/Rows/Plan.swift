/// What to measure, and how much of it.
struct Plan {
  var rows: [Row]
  var runs: Int
  /// How often rates are measured: they take seconds, and vary the most.
  var rateRuns: Int { 5 * runs }
  /// Ticks due at one instant, and Starts sent at once.
  var burst = 50_000
  /// Schedules that wait beside those of the even load, and the duration of that load.
  var waiting = 1_000_000
  var steadySeconds = 30
  /// The sizes of databases in which a tick's cost is compared.
  var growth = [10_000, 1_000_000, 10_000_000]
  /// Ticks between two samples of the memory.
  var longLoadTicks = 300_000

  static func quick(_ rows: [Row], runs: Int) -> Plan {
    Plan(
      rows: rows, runs: runs, burst: 10_000, waiting: 100_000, steadySeconds: 10,
      growth: [10_000, 100_000, 1_000_000], longLoadTicks: 100_000)
  }
}

/// A row of the table, or several that are measured together, by the name for `--rows`.
enum Row: String, CaseIterable {
  case oneShots = "one-shots"
  case recurring
  case starts
  /// Lateness at an even load, also while a burst drains; memory, restart and disk with so many schedules.
  case steady
  /// The cost of a tick and the memory as the database grows.
  case growth
  case longLoad = "long-load"
  /// The time of pages beside many schedules, and what they and scrapes cost the ticks.
  case pages
}
