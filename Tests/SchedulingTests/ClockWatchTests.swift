import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// Detection of a wall clock that is set far back.
struct ClockWatchTests {
  private var watch = ClockWatch(settings: Engine.Settings())
  private static let day: Int64 = 86_400
  private static let patience = Engine.Settings().clockPatienceMilliseconds
  private static let never = Instant(milliseconds: .min)

  /// So many seconds of the wall clock beside so many of the monotonic one.
  private func now(wall: Int64, uptime: Int64) -> Now { Now(wall: .second(wall), uptime: uptime * 1000) }

  @Test mutating func runsWithTheClock() {
    #expect(watch.read(now(wall: 0, uptime: 0), recovered: Self.never) == nil)
    #expect(watch.read(now(wall: 60, uptime: 60), recovered: Self.never) == nil)
    #expect(watch.latestWall == .second(60))
    #expect(!watch.isSuspect && watch.deadline == nil)
  }

  @Test("a step back by a day or less is an ordinary correction, by more it is suspect", arguments: [0, 1, 86_400])
  mutating func smallStep(seconds: Int64) {
    _ = watch.read(now(wall: 0, uptime: 0), recovered: Self.never)
    _ = watch.read(now(wall: -seconds, uptime: 0), recovered: Self.never)
    #expect(!watch.isSuspect)
    #expect(watch.latestWall == .second(0), "slots up to here do not come again")
    _ = watch.read(now(wall: -seconds - Self.day - 1, uptime: 0), recovered: Self.never)
    #expect(watch.isSuspect)
  }

  @Test mutating func believesAStepBackThatLasts() {
    _ = watch.read(now(wall: 0, uptime: 0), recovered: Self.never)
    #expect(watch.read(now(wall: -2 * Self.day, uptime: 10), recovered: Self.never) == nil)
    #expect(watch.deadline == 10_000 + Self.patience)
    let almost = Now(wall: .second(-2 * Self.day + 299), uptime: 10_000 + Self.patience - 1)
    #expect(watch.read(almost, recovered: Self.never) == nil)
    let before = watch.read(
      Now(wall: .second(-2 * Self.day + 300), uptime: 10_000 + Self.patience), recovered: Self.never)
    #expect(before == .second(10 + Self.patience / 1000), "what the clock should have shown")
    #expect(watch.latestWall == .second(-2 * Self.day + 300), "slots come again from here on")
    #expect(!watch.isSuspect && watch.deadline == nil)
  }

  @Test mutating func forgetsAStepBackThatIsCorrected() {
    _ = watch.read(now(wall: 0, uptime: 0), recovered: Self.never)
    _ = watch.read(now(wall: -2 * Self.day, uptime: 1), recovered: Self.never)
    #expect(watch.isSuspect)
    #expect(watch.read(now(wall: 2, uptime: 2), recovered: Self.never) == nil)
    #expect(!watch.isSuspect)
    #expect(watch.latestWall == .second(2))
  }

  @Test mutating func addsUpSeveralStepsBack() {
    _ = watch.read(now(wall: 0, uptime: 0), recovered: Self.never)
    _ = watch.read(now(wall: -50_000, uptime: 0), recovered: Self.never)
    #expect(!watch.isSuspect)
    _ = watch.read(now(wall: -100_000, uptime: 0), recovered: Self.never)
    #expect(watch.isSuspect, "each less than a day, together more")
  }

  @Test mutating func comparesTheFirstReadingWithTheMarkOfTheProcessBefore() {
    let horizon = InDoubtMark.horizonMilliseconds
    let mark = Instant.second(Self.day).advanced(byMilliseconds: horizon + 1)
    _ = watch.read(now(wall: 0, uptime: 0), recovered: mark)
    #expect(watch.isSuspect)
    var other = ClockWatch(settings: Engine.Settings())
    _ = other.read(now(wall: 0, uptime: 0), recovered: mark.advanced(byMilliseconds: -1))
    #expect(!other.isSuspect)
  }
}
