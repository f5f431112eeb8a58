import Scheduling
import SchedulingTestKit
import Synchronization
import Simulation
import Testing

@testable import Recurrence

/// New rules of a time zone: next slots are recomputed, nearest first, before any tick leaves under the old rules.
struct EngineZoneTests {
  /// A zone whose rules change while the test looks on. At first it is UTC; nil is a zone that is gone.
  private final class Zone: Sendable {
    private let offset = Mutex<Int?>(0)

    func set(offsetMinutes: Int?) { offset.withLock { $0 = offsetMinutes } }

    var lookUp: @Sendable (String) -> ZoneRules? {
      { [self] name in
        offset.withLock { minutes in
          minutes.map { ZoneRules(name: name, offsets: [(start: .distantPastSecond, offset: $0 * 60)]) }
        }
      }
    }
  }

  private let zone = Zone()
  private let hourly: Definition

  init() throws {
    hourly = Definition(id: "a", timing: try Timing(cron: "0 * * * *"), timezone: "Test/Moving")
  }

  private func driver(store: MemoryStore = MemoryStore(), at now: Now = .second(0)) throws -> EngineDriver {
    try EngineDriver.connected(store: store, at: now, zones: zone.lookUp)
  }

  private func started() throws -> EngineDriver {
    var driver = try driver()
    driver.start(hourly)
    driver.ack()
    return driver
  }

  private func change(_ driver: inout EngineDriver, offsetMinutes: Int?) {
    zone.set(offsetMinutes: offsetMinutes)
    driver.receive(.zonesRefreshed(changed: true))
  }

  /// Half an hour further ahead, the wall clock strikes the hour half an hour earlier.
  @Test func slotMoves() throws {
    var driver = try started()
    change(&driver, offsetMinutes: 30)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(1800))
    #expect(
      driver.reports.contains { if case .slotMoved("a", .second(3600), .second(1800)?) = $0 { true } else { false } })
    driver.advance(seconds: 1800)
    driver.ack()
    driver.advance(seconds: 3600)
    #expect(driver.ticks.map(\.slot) == [.second(1800), .second(5400)])
    #expect(driver.ticks.map(\.counter) == [0, 1])
  }

  /// What lies in the past under the new rules is a missed slot like any other; what was sent is not sent again.
  @Test func slotMovesIntoThePast() throws {
    var driver = try started()
    driver.advance(seconds: 3600)
    driver.ack()
    driver.advance(seconds: 2700)
    change(&driver, offsetMinutes: 30)
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(5400)])
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == .second(9000))
  }

  /// Whatever it owes: ticks do not wait for that either.
  @Test func slotOfAScheduleThatOwesMoves() throws {
    var driver = try started()
    driver.pause("a", .until(.second(1000)))
    driver.ack()
    driver.advance(seconds: 1000)
    change(&driver, offsetMinutes: 30)
    #expect(try driver.stored("a")?.owed == [.resumed])
    #expect(try driver.stored("a")?.nextTick?.slot == .second(1800))
    driver.ack()
    #expect(try driver.stored("a")?.owed == [])
  }

  @Test func tickInFlightKeepsItsSlot() throws {
    var driver = try started()
    driver.advance(seconds: 3600)
    change(&driver, offsetMinutes: 30)
    #expect(driver.ticks.map(\.slot) == [.second(3600)])
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == .second(5400))
  }

  /// Neither does a tick move that is tried again after a refusal, or was on a connection that is lost.
  @Test(arguments: [true, false])
  func unconfirmedTickKeepsItsSlot(isRefused: Bool) throws {
    var driver = try started()
    driver.advance(seconds: 3600)
    if isRefused { driver.nack() } else { driver.publisherDown() }
    change(&driver, offsetMinutes: 30)
    if !isRefused { driver.publisherUp() }
    driver.advance(seconds: 5)
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(3600)])
  }

  @Test func sameRulesChangeNothing() throws {
    var driver = try started()
    let count = driver.applied.count
    change(&driver, offsetMinutes: 60)
    #expect(driver.applied.count == count)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(3600))
  }

  /// Only schedules that follow a time zone are recomputed.
  @Test func othersKeepTheirSlots() throws {
    var driver = try driver()
    driver.start(Definition(id: "utc", timing: hourly.timing))
    driver.start(Definition(id: "every", timing: try Timing(every: "1h"), timezone: "Test/Moving"))
    let count = driver.applied.count
    change(&driver, offsetMinutes: 30)
    #expect(driver.applied.count == count)
  }

  /// The rules may have changed while the service was down.
  @Test func slotsAreReviewedAtTheStart() throws {
    let store = MemoryStore()
    var driver = try driver(store: store)
    driver.start(hourly)
    driver.ack()
    driver.receive(.drain)
    zone.set(offsetMinutes: 30)
    driver = try self.driver(store: store, at: .second(1805))
    #expect(driver.ticks.map(\.slot) == [.second(1800)])
  }

  /// Page after page, in and outside of what is loaded; each ticks once, at its new time.
  @Test func manySchedulesMove() throws {
    var settings = Engine.Settings()
    settings.duePage = 3
    settings.dueCapacity = 12
    var driver = try EngineDriver.connected(settings: settings, zones: zone.lookUp)
    for minute in 0..<20 {
      let timing = try Timing(cron: "\(minute) * * * *")
      driver.start(Definition(id: "\(minute)", timing: timing, limit: 1, timezone: "Test/Moving"))
    }
    driver.ack()
    change(&driver, offsetMinutes: 50)
    for minute in 0..<70 as Range<Int64> {
      driver.advance(milliseconds: driver.now.wall == .noon ? 60_001 : 60_000)
      while !driver.inFlight.isEmpty { driver.ack() }
      let slots = driver.ticks.map(\.slot)
      #expect(slots.allSatisfy { $0 <= .second(minute * 60 + 60) })
    }
    #expect(driver.ticks.map(\.slot) == (10..<30).map { .second($0 * 60) })
  }

  /// While the slots are looked at, no tick leaves that might be another's; ticks of other schedules due earlier do.
  @Test func ticksWaitForTheReview() throws {
    var driver = try started()
    driver.start(Definition(id: "b", timing: .at(.second(3599))))
    driver.ack()
    driver.advance(milliseconds: 3_598_500)  // the mark is set
    driver.holdsStore = true
    change(&driver, offsetMinutes: 30)
    driver.advance(seconds: 20)
    #expect(driver.ticks.map(\.definition.id) == ["b"])
    driver.holdsStore = false
    driver.answerStore()
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(3599), .second(1800)])
  }

  /// A command on a schedule whose slot is on the move waits until that is stored.
  @Test func commandWaitsForTheMove() throws {
    var driver = try started()
    driver.holdsStore = true
    change(&driver, offsetMinutes: 30)
    driver.answerStore()
    driver.stop("a")
    while driver.heldRequest != nil { driver.answerStore() }
    #expect(driver.stopped.count == 1)
    #expect(try driver.stored("a")?.nextTick == nil)
    driver.holdsStore = false
    driver.advance(seconds: 7200)
    #expect(driver.ticks.isEmpty)
  }

  @Test func newRulesMayEndIt() throws {
    var driver = try driver()
    driver.start(Definition(id: "a", timing: hourly.timing, timezone: "Test/Moving", endDate: .second(3600)))
    driver.ack()
    change(&driver, offsetMinutes: -10)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(600))
    driver.stop("a")
    driver.start(
      Definition(id: "b", timing: try Timing(cron: "0 13 * * *"), timezone: "Test/Moving", endDate: .second(7200)))
    driver.ack()
    #expect(try driver.stored("b")?.nextTick?.slot == .second(4200))
    change(&driver, offsetMinutes: -120)
    #expect(driver.stopped.last?.reason == Schedule.EndReason.endDate)
    driver.ack()
    #expect(try driver.stored("b")?.ending?.owesStopped == false)
  }

  /// A zone that is gone pauses its schedules and ends none; when it is back, they go on.
  @Test func zoneIsGoneForAWhile() throws {
    var driver = try started()
    change(&driver, offsetMinutes: nil)
    driver.advance(seconds: 3700)
    #expect(driver.ticks.isEmpty)
    #expect(driver.reports.contains { if case .zoneMissing("a", "Test/Moving") = $0 { true } else { false } })
    change(&driver, offsetMinutes: 0)
    #expect(driver.ticks.map(\.slot) == [.second(3600)])
  }

  /// It cannot be known what follows its tick, so that tick is sent again when the rules are back.
  @Test func aTickThatExpiresWithoutItsZone() throws {
    var driver = try started()
    driver.advance(seconds: 3600 + 60)
    change(&driver, offsetMinutes: nil)
    driver.advance(seconds: 7200)
    #expect(driver.ticks.map(\.slot) == [.second(3600)])
    change(&driver, offsetMinutes: 0)
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(3600), .second(3 * 3600)])
  }

  /// What an Update asked for follows the tick in doubt, by the rules of then.
  @Test func whatFollowsATickInDoubtMoves() throws {
    var driver = try started()
    driver.advance(seconds: 3600)
    driver.nack()
    driver.update("a", [.timing(try Timing(cron: "0 16 * * *"))])
    driver.ack { !$0.isTick }
    change(&driver, offsetMinutes: 60)
    driver.advance(seconds: 1)
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == .second(3 * 3600))
  }

  /// The state refuses them: nothing is wrong with the commands.
  @Test func commandsWithoutTheZoneAreAcknowledged() throws {
    var driver = try started()
    driver.pause("a")
    driver.ack()
    change(&driver, offsetMinutes: nil)
    driver.resume("a")
    driver.update("a", [.description("text")])
    driver.ack()
    #expect(driver.rejections.map(\.field) == ["timezone", "timezone"])
    #expect(driver.frames.allSatisfy { if case .acknowledge = $0 { true } else { false } })
  }
}
