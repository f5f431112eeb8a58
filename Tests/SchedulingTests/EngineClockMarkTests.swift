import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// The in-doubt mark when the wall clock is set far back: how the next process learns of that, and of what may have been sent.
struct EngineClockMarkTests {
  private static let day: Int64 = 86_400
  private let hourly: Definition

  init() throws {
    hourly = Definition(id: "hourly", timing: try Timing(cron: "0 * * * *"))
  }

  /// The mark of what may have been sent is lowered: until that is stored nothing leaves beyond it.
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

  /// The clock is found to be wrong, and before all is put right, found to be wrong again: it is too soon to lower the mark.
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

  /// Nor is it time while the next slot of one schedule, which was busy when those of the others were looked for, is that of
  /// the clock before.
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

  /// A clean stop leaves it, too.
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

  /// The latest of the slots missed is one of this clock, and stored with the mark that tells how far it had come.
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

  /// Lowered it is not below a tick of this clock, also when the clock is set back again by less than a day.
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

  /// It does, too, when the clock visits the past just while slots are looked for anew.
  @Test func whatWasSentOnThisClockStaysInDoubtAfterAVisitToThePast() throws {
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

  /// The process dies: another must find out that the clock was wrong, and let the schedule go on from now.
  private func expectNextProcessSaysSo(after driver: EngineDriver) throws {
    var next = try EngineDriver.connected(store: driver.store, at: driver.now)
    next.advance(seconds: 300)
    #expect(next.saysClockWasSetBack)
    let slot = try #require(try next.stored("hourly")?.nextTick?.slot)
    #expect(slot <= next.now.wall.advanced(byMilliseconds: 3_600_000))
  }
}

extension EngineDriver {
  /// Whether the engine has said that the clock was set far back.
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
