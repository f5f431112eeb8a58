import Recurrence
import Testing

/// What expressions do on the days on which the clocks change.
@Suite(.enabled(if: TestZones.arePresent, "needs zone files"))
struct ClockChangeTests {
  @Test(
    arguments: [
      ("30 2 * * *", [.movedToJump, .onlyFirst]), ("*/20 2 * * *", [.skipped, .repeated]), ("0 12 * * *", []),
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

  /// Samoa left out 30 December 2011: a new calendar, which moves nothing.
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
