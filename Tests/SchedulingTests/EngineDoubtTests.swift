import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Which slots control commands take to be in doubt: those that may have been published, and no others.
struct EngineDoubtTests {
  private let everyMinute: Definition

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"))
  }

  /// The in-doubt mark covers the end of the pause, which is not the due time of a tick.
  @Test func theEndOfAPauseIsNotInDoubt() throws {
    let store = MemoryStore()
    var before = try EngineDriver.starting(everyMinute, store: store)
    before.pause("a", .until(.second(60)))
    before.ack()
    before.advance(milliseconds: 59_900)
    #expect(try store.load().inDoubtThrough > .second(60))
    var driver = try EngineDriver.connected(store: store, at: .second(59))
    driver.pause("a")
    driver.ack()
    driver.advance(seconds: 200)
    driver.resume("a")
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.ticks.map(\.slot) == [.second(300)])
  }

  /// No earlier process can have sent a tick of a schedule that this one has started.
  @Test func aNewScheduleIsNotInDoubt() throws {
    let store = MemoryStore()
    var before = try EngineDriver.starting(everyMinute, store: store)
    before.advance(seconds: 60)
    var driver = try EngineDriver.connected(store: store, at: .second(60))
    let past = Definition(id: "b", timing: .at(.second(30)))
    let change = DefinitionChange(values: [.timing(everyMinute.timing)])
    driver.deliver([
      (.start(Command.Start(definition: past)), messageID: nil),
      (.update(Command.Update(id: "b", change: change)), messageID: nil),
    ])
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.ticks.filter { $0.definition.id == "b" }.map(\.slot) == [.second(120)])
  }

  /// A one-shot that is moved to a past instant is sent after the tick that may have been published.
  @Test func anEarlierInstantFollowsTheSlotInDoubt() throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: .at(.second(60))))
    driver.advance(seconds: 95)
    driver.update("a", [.timing(.at(.second(30)))])
    driver.ack { !$0.isTick }
    #expect(driver.ticks.map(\.slot) == [.second(60)])
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(30)])
    driver.ack()
    #expect(try driver.stored("a")?.isLive == false)
  }
}

extension EngineDoubtTests {
  /// A second Update changes only its end date: what follows the slot in doubt is still what the first one asked for.
  @Test(arguments: ["at", "every"]) func aSecondUpdateKeepsWhatFollows(timing: String) throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: .at(.second(60))))
    driver.advance(seconds: 95)
    driver.update("a", [.timing(timing == "at" ? .at(.second(120)) : try Timing(every: "25s"))])
    driver.update("a", [.endDate(.second(3600))])
    driver.ack { !$0.isTick }
    driver.ack()
    driver.advance(seconds: 25)
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(120)])
  }

  /// An Update sets a limit that was reached, while a tick is in doubt. When a clock that was set far back takes that
  /// tick away, none is left.
  @Test func aLimitReachedOnAWrongClock() throws {
    let settings = Engine.Settings.trustingTheClock
    var driver = try EngineDriver.starting(everyMinute, settings: settings)
    driver.confirm(through: 120)
    driver.advance(seconds: 60)
    driver.nack()
    driver.update("a", [.limit(2)])
    driver.ack { !$0.isTick }
    driver.stepWall(seconds: -3 * 86_400)
    driver.ack()
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
    #expect(driver.stopped.map(\.counter) == [2])
  }

  /// Until it is believed that the clock was set back, what an Update asked for becomes past: that is not left out.
  @Test func whatFollowsMayBePast() throws {
    let store = MemoryStore()
    var before = try EngineDriver.starting(Definition(id: "a", timing: .at(.second(60))), store: store)
    before.advance(seconds: 60)
    let start: Int64 = 60 - 3 * 86_400
    var driver = try EngineDriver.connected(store: store, at: .second(start))
    driver.update("a", [.timing(everyMinute.timing), .timezone("Etc/UTC")])
    driver.pause("a")
    driver.ack { !$0.isTick }
    driver.advance(seconds: 600)
    #expect(driver.saysClockWasSetBack)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(start + 60))
  }

  /// The end of a pause on a wrong clock does not swallow the slots that occur again on the right one.
  @Test func aResumeOnAWrongClockIsForgottenWithIt() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.stepWall(seconds: 10 * 86_400)
    driver.pause("a")
    driver.ack()
    driver.advance(seconds: 100)
    driver.resume("a")
    driver.ack()
    driver.ack()
    driver.stepWall(seconds: -10 * 86_400)
    driver.advance(seconds: 600)
    driver.ack()
    let before = driver.ticks.count
    driver.advance(seconds: 60)
    driver.ack()
    #expect(driver.ticks.count == before + 1)
  }
}
