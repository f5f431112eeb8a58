import ArgumentParser
import Recurrence

/// Microseconds per call of what is called often.
struct Micro: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Microseconds per call of what is called often.")

  func run() throws {
    try Self.recurrence()
  }

  static func recurrence() throws {
    let newYork = try ZoneDirectory().rules(named: "America/New_York")
    let rome = try ZoneDirectory().rules(named: "Europe/Rome")
    print("time per call, median of \(Measurement.runs) runs\n")
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

  /// From one slot to the next, as the scheduler goes.
  private static func next(_ text: String, in zone: ZoneRules) throws {
    let expression = try CronExpression(text)
    let start = Instant(milliseconds: 1_767_225_600_000)  // 2026-01-01
    var slot = start
    report("next   \(text)  \(zone.name)") { _ in slot = expression.next(after: slot, in: zone) ?? start }
  }

  /// At instants that lie all over a year.
  private static func latest(_ text: String, in zone: ZoneRules) throws {
    let expression = try CronExpression(text)
    report("latest \(text)  \(zone.name)") { count in
      let instant = Instant(milliseconds: 1_767_225_600_000 + Int64(count) * 7_919_001 % 31_536_000_000)
      _ = expression.latest(atOrBefore: instant, in: zone)
    }
  }

  private static func report(_ name: String, _ body: (Int) -> Void) {
    let microseconds = Measurement.median(of: body)
    let rounded = (microseconds * 1000).rounded() / 1000
    print(name + String(repeating: " ", count: max(1, 48 - name.count)) + "\(rounded) us")
  }
}

enum Measurement {
  static let runs = 5
  private static let calls = 50_000

  /// Microseconds per call.
  static func median(of body: (Int) -> Void) -> Double {
    for count in 0..<calls / 10 { body(count) }  // warm
    let durations = (0..<runs).map { _ in
      ContinuousClock().measure { for count in 0..<calls { body(count) } }
    }
    return durations.sorted()[runs / 2] / .microseconds(1) / Double(calls)
  }
}
