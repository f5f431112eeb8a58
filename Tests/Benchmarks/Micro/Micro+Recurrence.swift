import Recurrence

/// Slots and expressions.
extension Micro {
  static func recurrence() throws {
    let newYork = try ZoneDirectory().rules(named: "America/New_York")
    let rome = try ZoneDirectory().rules(named: "Europe/Rome")
    try next("* * * * *", in: .utc)
    try next("*/15 9-17 * * 1-5", in: .utc)
    try next("*/15 9-17 * * 1-5", in: newYork)
    try next("0 0 29 2 *", in: .utc)
    try next("30 2 1 * *", in: rome)
    try latest("*/15 9-17 * * 1-5", in: newYork)
    report("parse  */15 9-17 * * 1-5") { _ in _ = try? CronExpression("*/15 9-17 * * 1-5") }
    report("refuse 0 0 31 2 *") { _ in _ = try? CronExpression("0 0 31 2 *") }
    report("parse  1h 30m") { _ in _ = try? DurationExpression("1h 30m") }
  }

  /// From one slot to the next, as the scheduler does.
  private static func next(_ text: String, in zone: ZoneRules) throws {
    let expression = try CronExpression(text)
    let start = Instant(milliseconds: 1_767_225_600_000)  // 2026-01-01
    var slot = start
    report("next   \(text)  \(zone.name)") { _ in slot = expression.next(after: slot, in: zone) ?? start }
  }

  /// At instants spread over a year.
  private static func latest(_ text: String, in zone: ZoneRules) throws {
    let expression = try CronExpression(text)
    report("latest \(text)  \(zone.name)") { count in
      let instant = Instant(milliseconds: 1_767_225_600_000 + Int64(count) * 7_919_001 % 31_536_000_000)
      _ = expression.latest(atOrBefore: instant, in: zone)
    }
  }
}
