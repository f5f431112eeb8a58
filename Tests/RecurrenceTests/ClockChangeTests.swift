import Recurrence
import Testing

/// Expressions on the days of clock changes.
@Suite(.enabled(if: TestZones.arePresent, "needs zone files"))
struct ClockChangeTests {
  @Test(
    arguments: [
      ("30 2 * * *", [.movedToJump, .onlyFirst]), ("*/20 2 * * *", [.skipped, .repeated]), ("0 12 * * *", []),
      ("30 0-23 * * *", [.skipped, .repeated]), ("0-59 2 * * *", [.skipped, .repeated]),
      ("* * * * *", [.skipped, .repeated]), ("0 3 * * *", []), ("30 2 1 * *", []),
    ] as [(String, [ClockChangeEffect.Kind])])
  func effectsWithinAYear(cron: String, kinds: [ClockChangeEffect.Kind]) throws {
    let start = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
    let end = try #require(Instant(rfc3339: "2027-01-01T00:00:00Z"))
    let rome = try TestZones.directory.rules(named: "Europe/Rome")
    let effects = try CronExpression(cron).clockChangeEffects(after: start, through: end, in: rome)
    #expect(effects.map(\.kind) == kinds)
    for effect in effects {
      let day = effect.transition.oldOffsetSeconds == 3600 ? "2026-03-29T01:00:00Z" : "2026-10-25T01:00:00Z"
      #expect(effect.transition.instant == Instant(rfc3339: day))
    }
  }

  /// Rome, the night of 29 March 2026 (from 02:00 to 03:00) and that of 25 October (from 03:00 back to 02:00).
  @Test(arguments: [
    ("0 * * * *", "2026-03-28", ["23:00", "+00:00", "+01:00", "+02:00", "+03:00"]),
    ("0 */2 * * *", "2026-03-28", ["23:00", "+02:00"]), ("0 2 * * *", "2026-03-28", ["+01:00"]),
    ("0,30 2,3 * * *", "2026-03-28", ["+01:00", "+01:30"]), ("*/30 2 * * *", "2026-03-28", []),
    ("59 59 2 * * *", "2026-03-28", ["+01:00"]), ("0 3 * * *", "2026-03-28", ["+01:00"]),
    ("0 * * * *", "2026-10-24", ["23:00", "+00:00", "+01:00", "+02:00", "+03:00"]),
    ("0 */2 * * *", "2026-10-24", ["+00:00", "+01:00", "+03:00"]), ("0 2 * * *", "2026-10-24", ["+00:00"]),
    ("0,30 2,3 * * *", "2026-10-24", ["+00:00", "+00:30", "+02:00", "+02:30"]),
    ("*/30 2 * * *", "2026-10-24", ["+00:00", "+00:30", "+01:00", "+01:30"]), ("0 3 * * *", "2026-10-24", ["+02:00"]),
  ])
  func slotsOfTheNight(cron: String, eve: String, times: [String]) throws {
    let rome = try TestZones.directory.rules(named: "Europe/Rome")
    let expression = try CronExpression(cron)
    let midnight = try #require(Instant(rfc3339: "\(eve)T00:00:00Z"))
    // A plus means the next day.
    let slots = try times.map { time in
      let instant = try #require(Instant(rfc3339: "\(eve)T\(time.suffix(5)):00Z"))
      return time.hasPrefix("+") ? instant.advanced(byMilliseconds: 86_400_000) : instant
    }
    // 22:30 to 03:30 UTC, in odd steps of a little more than a minute.
    let start = midnight.advanced(byMilliseconds: 81_000_000)
    let end = midnight.advanced(byMilliseconds: 99_000_000)
    for offset in stride(from: Int64(0), through: 18_000_000, by: 61_001) {
      let instant = start.advanced(byMilliseconds: offset)
      let next = try #require(expression.next(after: instant, in: rome))
      #expect(slots.first { $0 > instant } == (next <= end ? next : nil), "after \(instant.rfc3339)")
      let latest = try #require(expression.latest(atOrBefore: instant, in: rome))
      #expect(slots.last { $0 <= instant } == (latest >= start ? latest : nil), "before \(instant.rfc3339)")
    }
  }

  /// Samoa skipped 30 December 2011: a change of calendar, which moves no slot.
  @Test func aJumpOfADayAddsNothing() throws {
    let apia = try TestZones.directory.rules(named: "Pacific/Apia")
    let start = try #require(Instant(rfc3339: "2011-12-29T00:00:00Z"))
    let noon = try CronExpression("0 12 30 12 *")
    #expect(noon.next(after: start, in: apia) == Instant(rfc3339: "2012-12-29T22:00:00Z"))
    let effects = noon.clockChangeEffects(
      after: start, through: start.advanced(byMilliseconds: 4 * 86_400_000), in: apia)
    #expect(effects.map(\.kind) == [.skipped])
  }
}
