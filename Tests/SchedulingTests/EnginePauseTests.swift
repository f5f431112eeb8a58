import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// P27, P28, P29: nothing leaves during a pause, and its slots are treated as the Resume says, or as of its end.
struct EnginePauseTests {
  private let everyMinute: Definition

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"))
  }

  // MARK: Nothing leaves

  @Test func aPausedScheduleDoesNotTick() throws {
    var driver = try EngineDriver.paused()
    let outcome = try #require(driver.controlled.first)
    #expect(outcome.effect == .paused)
    #expect(outcome.pause == Schedule.Pause(since: .second(1)))
    #expect(outcome.revision == 2)
    #expect(outcome.nextSlot == nil && !outcome.hasEnded)
    driver.advance(seconds: 100_000)
    #expect(driver.ticks.isEmpty)
    #expect(try driver.store.counts() == ScheduleCounts(live: 1, ended: 0, paused: 1))
  }

  @Test func aPauseOutlivesARestart() throws {
    let store = MemoryStore()
    _ = try EngineDriver.paused(store: store)
    var driver = try EngineDriver.connected(store: store, at: .second(600))
    driver.advance(seconds: 600)
    #expect(driver.ticks.isEmpty)
    driver.resume("a")
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.minutes == [21])
  }

  @Test func aPauseWaitsForATickInFlight() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.pause("a")
    #expect(driver.controlled.isEmpty)
    driver.ack()
    #expect(driver.controlled.map(\.counter) == [1])
    driver.ack()
    driver.advance(seconds: 600)
    #expect(driver.minutes == [1])
  }

  @Test func pausingAgainKeepsTheDate() throws {
    var driver = try EngineDriver.paused()
    driver.advance(seconds: 10)
    driver.pause("a", .until(.second(1000)))
    driver.ack()
    #expect(driver.controlled.last?.pause == Schedule.Pause(since: .second(1), until: .second(1000)))
    #expect(driver.controlled.map(\.revision) == [2, 3])
  }

  @Test(arguments: [Command.Pause.End.until(.second(0)), .until(.second(1))])
  func aPauseThatIsOverIsRejected(end: Command.Pause.End) throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 1)
    driver.pause("a", end)
    #expect(driver.rejections.map(\.field) == ["until"])
    driver.ack()
    #expect(try driver.stored("a")?.isPaused == false)
  }

  @Test func unknownOrEndedIsRejected() throws {
    var driver = try EngineDriver.connected()
    driver.pause("a")
    driver.resume("a")
    driver.trigger("a", messageID: "m")
    driver.update("a", [.limit(1)])
    #expect(driver.rejections.map(\.field) == ["id", "id", "id", "id"])
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 4, multiple: true)])
  }

  // MARK: Start

  @Test func aScheduleCanBeginPaused() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(.start(Command.Start(definition: everyMinute, paused: true)))
    driver.ack()
    #expect(driver.started.map(\.isPaused) == [true])
    #expect(driver.started.first?.hasEnded == false)
    driver.advance(seconds: 300)
    #expect(driver.ticks.isEmpty)
    driver.resume("a", .fireOnce)
    #expect(driver.ticks.map(\.missed) == [4])
    #expect(driver.minutes == [5])
  }

  @Test(arguments: [nil, true, false])
  func aReplacingStartLeavesAPauseAlone(paused isPaused: Bool?) throws {
    var driver = try EngineDriver.paused(nil, .until(.second(1000)))
    driver.deliver(.start(Command.Start(definition: everyMinute, paused: isPaused)))
    driver.ack()
    let started = try #require(driver.started.last)
    #expect(started.effect == .replaced)
    #expect(started.isPaused == (isPaused != false))
    #expect(started.revision == 3)
    let pause = try driver.stored("a")?.control.pause
    #expect(pause == (isPaused == false ? nil : Schedule.Pause(since: .second(1), until: .second(1000))))
  }

  // MARK: A slot that may have been published

  /// It is held as it was, its late confirm counts, and its hour of retries has stopped.
  @Test func aTimedOutTickIsHeld() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60 + 30)
    driver.pause("a")
    #expect(driver.controlled.map(\.counter) == [0])
    driver.ack { !$0.isTick }
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
    #expect(try driver.stored("a")?.isPaused == true)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(120))
    driver.advance(seconds: 7200)
    #expect(driver.ticks.count == 1)
    driver.resume("a")
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.ticks.last?.counter == 1)
    #expect(driver.ticks.last?.missed == 0)
  }

  /// It is sent again after the pause, unchanged, and has an hour for it from then on.
  @Test func aTimedOutTickIsSentAgainAfterTheResume() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60 + 30)
    driver.pause("a")
    driver.ack { !$0.isTick }
    driver.advance(seconds: 3500)
    driver.resume("a")
    driver.ack { !$0.isTick }
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(60)])
    driver.advance(seconds: 300)
    #expect(try driver.stored("a")?.nextTick?.slot == .second(60))
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
  }

  @Test func aNackedTickIsSentAgainUnchangedAfterTheResume() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.nack()
    driver.pause("a")
    driver.ack()
    driver.advance(seconds: 7200)
    #expect(driver.ticks.count == 1)
    driver.resume("a")
    driver.ack { !$0.isTick }
    #expect(driver.ticks.count == 2)
    #expect(driver.ticks[0] == driver.ticks[1])
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.ticks.count == 3)
    #expect(driver.ticks.last?.counter == 1)
    #expect(driver.ticks.last?.slot == .second(7320), "those of the pause are skipped")
  }

  @Test(arguments: [MisfirePolicy.skip, .fireOnce])
  func aTickInDoubtSurvivesPauseAndRestart(policy: MisfirePolicy) throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everyMinute, store: store)
    driver.advance(seconds: 60)
    let first = try #require(driver.ticks.first)
    driver = try EngineDriver(store: store, at: .second(62))
    driver.consume()
    driver.pause("a")
    driver.publisherUp()
    driver.ack()
    #expect(try driver.stored("a")?.isPaused == true)
    driver.advance(seconds: 238)
    driver = try EngineDriver.connected(store: store, at: .second(330))
    driver.resume("a", policy)
    driver.ack { !$0.isTick }
    #expect(driver.ticks.first == first)
    driver.ack()
    driver.advance(seconds: 60)
    driver.ack()
    #expect(driver.minutes == (policy == .skip ? [1, 6] : [1, 5, 6]))
    #expect(driver.ticks.map(\.missed) == (policy == .skip ? [0, 0] : [0, 3, 0]))
  }

  // MARK: Repeats

  @Test func duplicatesAreAnsweredAgain() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.pause("a", messageID: "p")
    driver.ack()
    driver.resume("a", messageID: "r")
    driver.ack()
    driver.pause("a", messageID: "p")
    driver.ack()
    #expect(driver.controlled.map(\.isRepeated) == [false, false, true])
    #expect(driver.controlled.last?.revision == 3)
    #expect(driver.controlled.last?.pause == nil, "as it is now")
    #expect(try driver.stored("a")?.isPaused == false)
  }

  @Test func aStopEndsAPausedSchedule() throws {
    var driver = try EngineDriver.paused()
    driver.stop("a")
    driver.ack()
    #expect(driver.stopped.count == 1)
    #expect(try driver.stored("a")?.isLive == false)
    #expect(try driver.store.counts() == ScheduleCounts(live: 0, ended: 1, paused: 0))
  }
}
