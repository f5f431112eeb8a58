import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// The delivery results of a schedule's ticks.
struct EngineTallyTests {
  private let everySecond: Definition

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  private func tally(_ driver: EngineDriver) throws -> Schedule.Tally {
    try #require(try driver.store.history(of: "a")).tally
  }

  @Test func lastTick() throws {
    var driver = try EngineDriver.starting(everySecond)
    #expect(try tally(driver) == Schedule.Tally())
    driver.advance(milliseconds: 1000)
    driver.advance(milliseconds: 30)
    driver.ack()
    var expected = Schedule.Tally()
    expected.last = .init(slot: .second(1), latenessMilliseconds: 0, confirmationMilliseconds: 30)
    #expect(try tally(driver) == expected)
    driver.advance(milliseconds: 970)
    driver.ack()
    expected.last = .init(slot: .second(2), latenessMilliseconds: 0, confirmationMilliseconds: 0)
    #expect(try tally(driver) == expected)
    #expect(expected.last?.sentAt == .second(2))
  }

  /// Jitter is not lateness: that is measured from the due time.
  @Test func jitterIsNotLateness() throws {
    var definition = Definition(id: "a", timing: try Timing(every: "1h"))
    definition.jitter = try DurationExpression("50m")
    var driver = try EngineDriver.starting(definition)
    let nextTick = try #require(try driver.stored("a")?.nextTick)
    #expect(nextTick.due > nextTick.slot)
    driver.advance(milliseconds: nextTick.due.milliseconds - driver.now.wall.milliseconds)
    #expect(driver.ticks.map(\.due) == [nextTick.due])
    driver.ack()
    let last = try #require(try tally(driver).last)
    #expect(last.latenessMilliseconds == 0)
    #expect(last.jitterMilliseconds == nextTick.due.milliseconds - nextTick.slot.milliseconds)
    #expect(last.sentAt == nextTick.due)
  }

  /// The tick that others are folded into counts them when it is confirmed; its lateness is that of its own slot.
  @Test func missedSlots() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everySecond, store: store)
    driver.receive(.drain)
    driver = try EngineDriver.connected(store: store, at: .second(600))
    #expect(try tally(driver).missed == 0)
    driver.ack()
    #expect(try tally(driver).missed == 599)
    #expect(try tally(driver).last?.slot == .second(600))
  }

  @Test func skippedSlots() throws {
    let store = MemoryStore()
    var definition = everySecond
    definition.misfirePolicy = .skip
    var driver = try EngineDriver.starting(definition, store: store)
    driver.receive(.drain)
    driver = try EngineDriver.connected(store: store, at: .second(600))
    let missed = try tally(driver).missed
    #expect(missed == 540)
    driver.ack()
    #expect(try tally(driver).missed == missed)
  }

  @Test func repeats() throws {
    var driver = try EngineDriver.starting(everySecond, store: MemoryStore())
    driver.advance(seconds: 1)
    driver.publisherDown()
    driver.publisherUp()
    driver.ack()
    #expect(try tally(driver).repeats == 1)
    driver.advance(seconds: 1)
    driver.ack()
    #expect(try tally(driver).repeats == 1)
  }

  @Test func refusals() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.nack()
    driver.advance(seconds: 1)
    driver.nack { if case .tick = $0 { true } else { false } }
    driver.advance(seconds: 2)
    #expect(try tally(driver).refusals == 0, "known once the tick is confirmed")
    driver.ack()
    #expect(try tally(driver).refusals == 2)
    #expect(try tally(driver).last?.latenessMilliseconds == 3000)
  }

  @Test func returns() throws {
    var driver = try EngineDriver.starting(everySecond)
    for count in 1...2 {
      driver.advance(seconds: 1)
      driver.receive(.returned(try #require(driver.inFlight.first?.number), cause: "312 NO_ROUTE"))
      driver.ack()
      #expect(try tally(driver).returns == count)
    }
    driver.advance(seconds: 1)
    driver.ack()
    #expect(try tally(driver).returns == 2)
  }

  /// A schedule that replaces another begins with no history.
  @Test func replacementBeginsWithNothing() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.ack()
    driver.start(everySecond)
    driver.ack()
    #expect(try tally(driver) == Schedule.Tally())
    #expect(try driver.store.history(of: "a")?.beginning?.at == .second(1))
  }

  @Test func stoppedOneKeepsIt() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.ack()
    driver.stop("a")
    #expect(try tally(driver).last?.slot == .second(1))
    #expect(try driver.stored("a")?.nextTick == nil)
  }
}
