import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Slots that were missed, and ticks that may have been sent before.
struct EngineMisfireTests {
  private let everySecond: Definition

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  /// One tick for the latest missed slot, with the number of earlier ones.
  @Test func oneTickForAllMissedSlots() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everySecond, store: store)
    driver.advance(milliseconds: 500)
    driver = try EngineDriver.connected(store: store, at: .second(600))
    driver.ack()
    // The mark covers the first slot, so its tick may have been sent.
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(600)])
    #expect(driver.ticks.map(\.missed) == [0, 598])
    #expect(driver.ticks.map(\.counter) == [0, 1])
    driver.ack()
    driver.advance(seconds: 1)
    #expect(driver.ticks.last?.slot == .second(601))
  }

  @Test func cleanStopLeavesNothingInDoubt() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everySecond, store: store)
    driver.advance(milliseconds: 500)
    driver.receive(.drain)
    #expect(driver.isDrained)
    #expect(try store.load().inDoubtThrough == .millisecond(500))
    driver = try EngineDriver.connected(store: store, at: .second(600))
    #expect(driver.ticks.map(\.slot) == [.second(600)])
    #expect(driver.ticks.map(\.missed) == [599])
  }

  /// Below the threshold each slot is sent.
  @Test func latenessBelowTheThresholdIsNotAMiss() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everySecond, store: store)
    driver.receive(.drain)
    driver = try EngineDriver.connected(store: store, at: Now(wall: .millisecond(60_999), uptime: 0))
    for _ in 0..<60 { driver.ack() }
    #expect(driver.ticks.map(\.slot) == (1...60).map { .second($0) })
  }

  /// A tick in flight when the connection was lost may have arrived. However long the broker was unavailable, it is
  /// sent again unchanged, and only then are other slots folded. With a limit of 1 there must be only one tickId.
  @Test func lostTickIsNeverFolded() throws {
    var driver = try EngineDriver.starting(
      Definition(id: "a", timing: everySecond.timing, limit: 2), store: MemoryStore())
    driver.advance(seconds: 1)
    driver.publisherDown()
    driver.advance(seconds: 600)
    driver.publisherUp()
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(1)])
    driver.ack()
    #expect(driver.ticks.last?.slot == .second(601))
    #expect(driver.ticks.last?.missed == 599)
    driver.ack()
    #expect(driver.stopped.map(\.counter) == [2])
  }

  /// The same after an advance by this process.
  @Test func lostTickIsNeverFoldedLater() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    driver.advance(seconds: 1)
    driver.ack()
    driver.advance(seconds: 1)
    for _ in 0..<2 {
      driver.publisherDown()
      driver.advance(seconds: 600)
      driver.publisherUp()
    }
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(2), .second(2), .second(2)])
  }

  /// A tick that was only waiting when the connection was lost is folded.
  @Test func waitingTickIsFolded() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    driver.publisherDown()
    driver.advance(seconds: 600)
    driver.publisherUp()
    #expect(driver.ticks.map(\.slot) == [.second(600)])
    #expect(driver.ticks.map(\.missed) == [599])
  }

  @Test(arguments: [Timing.at(.second(1)), .at(.second(-1_000_000))])
  func oneShotsAreNeverMissed(timing: Timing) throws {
    let store = MemoryStore()
    var driver = try EngineDriver(store: store)
    driver.consume()
    driver.start(Definition(id: "a", timing: timing))
    driver = try EngineDriver.connected(store: store, at: .second(1_000_000))
    #expect(driver.ticks.count == 1)
    #expect(driver.ticks.first?.missed == 0)
  }

  // MARK: The in-doubt mark

  /// The mark is stored shortly before the first tick beyond it is due, so that the tick does not wait.
  @Test func markComesFirst() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(Definition(id: "a", timing: try Timing(cron: "0 * * * * *")), store: store)
    for minute in 1...10 as ClosedRange<Int64> {
      driver.advance(
        milliseconds: driver.now.wall.milliseconds == Instant.second(minute * 60 - 60).milliseconds ? 59_999 : 0)
      #expect(try store.load().inDoubtThrough >= .second(minute * 60), "the tick would have to wait")
      #expect(try store.load().inDoubtThrough <= .second(minute * 60 + 3))
      driver.advance(milliseconds: 1)
      #expect(driver.ticks.count == Int(minute))
      driver.ack()
    }
    #expect(driver.applied.count(where: \.raisesMark) == 10)
  }

  /// A slot more than 3 s after the end of a process is not in doubt: its misfire policy applies, although the mark was
  /// raised for the slot before.
  @Test func slotAfterTheHorizonIsMissed() throws {
    let store = MemoryStore()
    let timing = try Timing(cron: "*/4 * * * * *")
    let window = try DurationExpression("1s")
    let definition = Definition(id: "a", timing: timing, misfirePolicy: .skip, catchupWindow: window)
    var driver = try EngineDriver.starting(definition, store: store)
    driver.advance(seconds: 4)
    driver.ack()
    #expect(driver.ticks.count == 1)
    driver = try EngineDriver.connected(store: store, at: .second(602))
    #expect(driver.ticks.map(\.slot) == [.second(544)], "the first slot less than the threshold late")
  }

  /// While ticks are being stored, the mark is stored with them: it takes no transaction of its own, and no tick waits.
  @Test func markIsRenewedWithTheTicks() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    let before = driver.applied.count
    for second in 1...60 as ClosedRange<Int64> {
      driver.advance(seconds: 1)
      #expect(driver.ticks.last?.slot == .second(second))
      driver.ack()
    }
    #expect(driver.applied.count - before == 60, "a transaction for each tick")
    #expect(driver.applied.count(where: \.raisesMark) < 40)
  }

  /// While the mark is not stored, nothing beyond it is sent.
  @Test func tickWaitsForTheMark() throws {
    var driver = try EngineDriver.starting(
      Definition(id: "a", timing: try Timing(cron: "0 * * * * *")), store: MemoryStore())
    driver.holdsStore = true
    driver.step(milliseconds: 60_000)
    driver.advance(seconds: 5)
    #expect(driver.ticks.isEmpty)
    driver.holdsStore = false
    driver.answerStore()
    #expect(driver.ticks.count == 1)
  }

  /// Nothing is written while nothing is to be sent.
  @Test func noMarkWithoutTicks() throws {
    var driver = try EngineDriver.starting(
      Definition(id: "a", timing: try Timing(cron: "0 0 1 1 *")), store: MemoryStore())
    let count = driver.applied.count
    driver.advance(seconds: 3600)
    #expect(driver.applied.count == count)
  }

  // MARK: The clock is set

  @Test func backwardStepTicksNoSlotTwice() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    for _ in 0..<5 {
      driver.advance(seconds: 1)
      driver.ack()
    }
    driver.stepWall(seconds: -3)
    driver.advance(seconds: 3)
    #expect(driver.ticks.count == 5)
    driver.advance(seconds: 1)
    #expect(driver.ticks.map(\.slot) == (1...6).map { .second($0) })
  }

  /// Even a nacked tick is not sent again before its slot has come again.
  @Test(arguments: [true, false])
  func backwardStepSendsNothingEarly(isRefused: Bool) throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    driver.advance(seconds: 1)
    if isRefused { driver.nack() } else { driver.publisherDown() }
    driver.stepWall(seconds: -100)
    if !isRefused { driver.publisherUp() }
    driver.advance(milliseconds: 99_999)
    #expect(driver.ticks.count == 1)
    driver.advance(milliseconds: 1)
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(1)])
  }

  @Test func forwardStepDoesNotFloodConsumers() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    driver.advance(milliseconds: 500)
    driver.stepWall(seconds: 86_400)
    for _ in 0..<10 { driver.ack() }
    #expect(driver.ticks.map(\.slot) == [.second(86_400)])
    #expect(driver.ticks.map(\.missed) == [Schedule.NextTick.maximumMissed])
  }

  // MARK: Zone data

  /// Schedules of a time zone whose rules are missing are held and reported, and continue when the rules are available.
  @Test func missingZoneHoldsItsSchedules() throws {
    let store = MemoryStore()
    let zoned = Definition(id: "a", timing: everySecond.timing, timezone: "Europe/Rome")
    var driver = try EngineDriver.starting(zoned, store: store)
    driver = try EngineDriver.connected(store: store, at: .second(2), zones: { _ in nil })
    driver.advance(seconds: 10)
    #expect(driver.ticks.isEmpty)
    #expect(driver.reports.contains { if case .zoneMissing("a", "Europe/Rome") = $0 { true } else { false } })
    #expect(try driver.stored("a")?.nextTick != nil)
    let isMissing = driver.reports.count
    driver.receive(.zonesRefreshed(changed: true))
    #expect(driver.reports.count == isMissing + 1, "not retried")
    driver.stop("a")
    #expect(driver.stopped.count == 1, "a held schedule can be stopped")
  }
}

extension [Change] {
  fileprivate var raisesMark: Bool { contains { if case .markInDoubt = $0 { true } else { false } } }
}
