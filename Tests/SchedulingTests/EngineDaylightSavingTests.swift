import Recurrence
import Scheduling
import Simulation
import Testing

/// Schedules in New York over both changes of its clocks in 2026, half an hour at a time, under the system's own rules.
@Suite(.enabled(if: newYork != nil, "this machine has no zone files; install tzdata"))
struct EngineDaylightSavingTests {
  /// At 07:00 UTC on 8 March the clocks jump from 02:00 to 03:00; at 06:00 UTC on 1 November from 02:00 back to 01:00.
  @Test(arguments: [
    (
      "30 2 * * *", from: "2026-03-07T05:00:00Z", halfHours: 120,
      ["2026-03-07T07:30:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
    ),
    (
      "*/30 2 * * *", from: "2026-03-07T05:00:00Z", halfHours: 120,
      ["2026-03-07T07:00:00Z", "2026-03-07T07:30:00Z", "2026-03-09T06:00:00Z", "2026-03-09T06:30:00Z"]
    ),
    (
      "30 1 * * *", from: "2026-10-31T04:00:00Z", halfHours: 120,
      ["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    ),
    (
      "*/30 1 * * *", from: "2026-11-01T04:00:00Z", halfHours: 48,
      ["2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"]
    ),
  ])
  func ticksAtTheRightInstants(_ cron: String, from: String, halfHours: Int, _ expected: [String]) throws {
    let start = try #require(Instant(rfc3339: from))
    var driver = try EngineDriver.connected(at: Now(wall: start, uptime: 0), zones: { _ in newYork })
    driver.start(Definition(id: "a", timing: try Timing(cron: cron), timezone: "America/New_York"))
    driver.ack()
    for _ in 0..<halfHours {
      driver.advance(seconds: 1800)
      driver.ack()
    }
    #expect(driver.ticks.map(\.slot) == expected.compactMap { Instant(rfc3339: $0) })
    #expect(driver.ticks.allSatisfy { $0.missed == 0 })
  }
}

private let newYork = try? ZoneDirectory().rules(named: "America/New_York")
