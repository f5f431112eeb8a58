import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// The in-doubt mark when the wall clock is set far back: how the next process detects that, and what may have been
/// sent.
struct EngineClockMarkTests {
  private static let day: Int64 = 86_400
  private let hourly: Definition

  init() throws {
    hourly = Definition(id: "hourly", timing: try Timing(cron: "0 * * * *"))
  }

  /// The mark is lowered: until that is stored, no tick leaves beyond the new mark.
  @Test func nothingIsSentBeyondTheMarkThatIsAboutToBeStored() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.ack()
    driver.holdsStore = true
    driver.stepWall(seconds: -3 * Self.day)
    while driver.heldMark == nil { driver.answerStore() }
    driver.advance(seconds: 7200)
    #expect(driver.ticks.count == 1)
    driver.holdsStore = false
    driver.answerStore()
    #expect(driver.ticks.count == 2)
    let due = try #require(try driver.stored("hourly")?.nextTick?.due)
    #expect(try driver.store.load().inDoubtThrough >= due)
  }

  /// The clock is found wrong, and wrong again before all slots are recomputed: it is too early to lower the mark.
  @Test func theMarkStaysWhileTheClockIsInDoubt() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.stepWall(seconds: -3 * Self.day)
    driver.advance(seconds: 300)
    #expect(driver.saysClockWasSetBack)
    driver.stepWall(seconds: -3 * Self.day)
    driver.ack()
    try expectNextProcessSaysSo(after: driver)
  }

  /// It is also too early while one schedule, which was busy during the review, has a slot of the wrong clock.
  @Test func theMarkStaysUntilAllSlotsAreOfThisClock() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.stepWall(seconds: -3 * Self.day)
    driver.holdsStore = true
    driver.ack()
    while driver.heldMark == nil { driver.answerStore() }
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(3600 - 3 * Self.day + 3600))
  }

  /// A clean stop also leaves the mark.
  @Test func theMarkStaysWhenAProcessEndsInDoubt() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.ack()
    driver.advance(milliseconds: 3_599_500)
    driver.stepWall(seconds: -3 * Self.day)
    driver.receive(.drain)
    #expect(driver.isDrained)
    try expectNextProcessSaysSo(after: driver)
  }

  /// The latest missed slot is one of the wrong clock; it is stored with the mark that shows what the clock read.
  @Test func foldedOnAClockThatIsWrong() throws {
    var driver = try EngineDriver.connected()
    driver.start(Definition(id: "hourly", timing: try Timing(cron: "* * * * * *")))
    driver.ack()
    driver.advance(seconds: 1)
    driver.ack()
    driver.publisherDown()
    driver.stepWall(seconds: 3 * Self.day)
    driver.holdsStore = true
    driver.publisherUp()
    driver.stepWall(seconds: -3 * Self.day)
    driver.answerStore()
    #expect(try driver.stored("hourly")?.nextTick?.missed == 1000)
    try expectNextProcessSaysSo(after: driver)
  }

  /// The lowered mark still covers ticks of the current clock, also if the clock is set back again by less than a day.
  @Test func whatWasSentOnThisClockStaysInDoubt() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.start(Definition(id: "minutely", timing: try Timing(cron: "* * * * *")))
    driver.ack()
    driver.advance(seconds: 3600)
    driver.ack { $0.scheduleID == "minutely" }
    driver.stepWall(seconds: -3 * Self.day)
    driver.advance(seconds: 60)
    let sent = try #require(driver.ticks.last)
    #expect(sent.slot == .second(3660 - 3 * Self.day))
    driver.stepWall(seconds: -7200)
    driver.publisherDown()
    #expect(try driver.store.load().inDoubtThrough < .second(-Self.day))
    driver = try EngineDriver(store: driver.store, at: driver.now, settings: .trustingTheClock)
    driver.step(milliseconds: 3 * 3_600_000)
    driver.publisherUp()
    #expect(driver.ticks.contains(sent))
  }

  /// Also when the clock briefly shows the past while slots are being recomputed.
  @Test func whatWasSentOnThisClockStaysInDoubtAfterAShortStepBack() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.ack()
    driver.stepWall(seconds: -3 * Self.day - 100)
    driver.start(Definition(id: "again", timing: hourly.timing))
    driver.ack()
    driver.advance(seconds: 100)
    let sent = try #require(driver.ticks.last)
    driver.stepWall(seconds: -1200)
    driver = try EngineDriver(store: driver.store, at: driver.now)
    driver.advance(seconds: 299)
    driver.holdsStore = true
    driver.advance(seconds: 1)
    #expect(driver.saysClockWasSetBack)
    driver.stepWall(seconds: -50 * 365 * Self.day)
    driver.holdsStore = false
    driver.answerStore()
    driver.stepWall(seconds: 50 * 365 * Self.day)
    driver.step(milliseconds: 3 * 3_600_000)
    driver.publisherUp()
    #expect(driver.ticks.contains(sent))
  }

  /// The process dies: the next must detect that the clock was wrong, and continue the schedule from now.
  private func expectNextProcessSaysSo(after driver: EngineDriver) throws {
    var next = try EngineDriver.connected(store: driver.store, at: driver.now)
    next.advance(seconds: 300)
    #expect(next.saysClockWasSetBack)
    let slot = try #require(try next.stored("hourly")?.nextTick?.slot)
    #expect(slot <= next.now.wall.advanced(byMilliseconds: 3_600_000))
  }
}

extension EngineDriver {
  /// Whether the engine has reported that the clock was set far back.
  var saysClockWasSetBack: Bool {
    reports.contains { if case .clockSetBack = $0 { true } else { false } }
  }

  /// The mark that the store is about to set.
  fileprivate var heldMark: Instant? {
    guard case .apply(let changes) = heldRequest else { return nil }
    for case .markInDoubt(let through) in changes { return through }
    return nil
  }
}
