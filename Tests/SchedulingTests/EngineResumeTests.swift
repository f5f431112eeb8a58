import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// P27, P28, P29: nothing leaves during a pause, and its slots are treated as the Resume says, or as of its end.
struct EngineResumeTests {
  private let everyMinute: Definition

  private static let fiveMinutes: Command.Pause.End = {
    guard let length = try? DurationExpression("5m") else { return .until(.noon) }
    return .after(length)
  }()

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"))
  }

  // MARK: Resume

  @Test func resumeSkipsByDefault() throws {
    var driver = try EngineDriver.paused()
    driver.advance(seconds: 299)
    driver.resume("a")
    let resumed = try #require(driver.controlled.last)
    #expect(resumed.effect == .resumed(missed: 5, reason: nil))
    #expect(resumed.nextSlot == .second(360))
    #expect(resumed.revision == 3 && resumed.pause == nil)
    driver.confirm(through: 420)
    #expect(driver.minutes == [6, 7])
    #expect(driver.ticks.map(\.counter) == [0, 1])
    #expect(driver.ticks.map(\.missed) == [0, 0])
    #expect(try driver.store.history(of: "a")?.tally.missed == 5)
  }

  @Test func resumeWithFireOnceFoldsThem() throws {
    var driver = try EngineDriver.paused()
    driver.advance(seconds: 330)
    driver.resume("a", .fireOnce)
    #expect(driver.controlled.last?.effect == .resumed(missed: 4, reason: nil))
    driver.confirm(through: 360)
    #expect(driver.minutes == [5, 6])
    #expect(driver.ticks.map(\.missed) == [4, 0])
    #expect(try driver.store.history(of: "a")?.tally.missed == 4)
  }

  /// Whatever the schedule's own policy, and across a restart in the middle of it.
  @Test func resumeWithFireAllSendsEach() throws {
    let store = MemoryStore()
    var definition = everyMinute
    definition.misfirePolicy = .skip
    var driver = try EngineDriver.paused(definition, store: store)
    driver.advance(seconds: 330)
    driver.resume("a", .fireAll)
    driver.ack { !$0.isTick }
    driver.ack()
    driver.ack()
    #expect(driver.minutes == [1, 2, 3])
    driver = try EngineDriver.connected(store: store, at: .second(340))
    driver.confirm(through: 370)
    #expect(driver.minutes == [3, 4, 5, 6])
    #expect(driver.ticks.map(\.counter) == [2, 3, 4, 5])
  }

  @Test func fireAllIsBoundedByTheCatchupWindow() throws {
    var definition = everyMinute
    definition.catchupWindow = try DurationExpression("2m")
    var driver = try EngineDriver.paused(definition)
    driver.advance(seconds: 330)
    driver.resume("a", .fireAll)
    #expect(driver.controlled.last?.effect == .resumed(missed: 3, reason: nil))
    driver.confirm(through: 370)
    #expect(driver.minutes == [4, 5, 6])
  }

  @Test func anIntervalKeepsItsGrid() throws {
    var driver = try EngineDriver.paused(Definition(id: "a", timing: try Timing(every: "1m")))
    driver.advance(seconds: 94)
    driver.resume("a")
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.minutes == [2])
  }

  @Test(arguments: MisfirePolicy.allCases)
  func theEndDateIsJudgedNow(policy: MisfirePolicy) throws {
    var definition = everyMinute
    definition.endDate = .second(150)
    var driver = try EngineDriver.paused(definition)
    driver.advance(seconds: 200)
    driver.resume("a", policy)
    #expect(driver.controlled.last?.hasEnded == true)
    #expect(driver.ticks.isEmpty)
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.endDate])
    #expect(driver.events.last.map { if case .stopped = $0 { true } else { false } } == true, "after its Resumed")
  }

  @Test func aOneShotThatFellDueIsSent() throws {
    var driver = try EngineDriver.paused(Definition(id: "a", timing: .at(.second(60))))
    driver.advance(seconds: 600)
    driver.resume("a")
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(60)])
    #expect(driver.stopped.isEmpty)
  }

  @Test func aOneShotIsSkippedOnlyIfTheResumeSaysSo() throws {
    var driver = try EngineDriver.paused(Definition(id: "a", timing: .at(.second(60))))
    driver.advance(seconds: 600)
    driver.resume("a", .skip)
    driver.ack()
    #expect(driver.ticks.isEmpty)
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.skippedWhilePaused])
  }

  @Test func aOneShotThatIsNotDueWaits() throws {
    var driver = try EngineDriver.paused(Definition(id: "a", timing: .at(.second(600))))
    driver.resume("a", .skip)
    driver.ack()
    driver.advance(seconds: 600)
    #expect(driver.ticks.map(\.slot) == [.second(600)])
  }

  @Test func resumingWhatIsNotPausedChangesNothing() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.resume("a")
    #expect(driver.controlled.map(\.effect) == [.resumed(missed: 0, reason: nil)])
    #expect(driver.controlled.map(\.revision) == [1])
    #expect(driver.applied.flatMap { $0 }.allSatisfy { if case .revise = $0 { false } else { true } })
  }

  // MARK: A pause that ends by itself

  @Test(arguments: [Command.Pause.End.until(.second(301)), Self.fiveMinutes])
  func aPauseEndsByItself(end: Command.Pause.End) throws {
    var driver = try EngineDriver.paused(nil, end)
    #expect(driver.controlled.first?.pause?.until == .second(301))
    driver.advance(milliseconds: 299_999)
    #expect(driver.controlled.count == 1)
    driver.advance(milliseconds: 1)
    #expect(driver.controlled.last?.effect == .resumed(missed: 5, reason: nil))
    #expect(driver.controlled.last?.isOwed == true)
    #expect(driver.controlled.last?.nextSlot == .second(360))
    #expect(try driver.stored("a")?.owed == [.resumed])
    driver.ack()
    #expect(try driver.stored("a")?.owed == [])
    driver.advance(seconds: 60)
    #expect(driver.minutes == [6])
  }

  /// Slots up to its end are skipped; those after it are missed like any others.
  @Test func aPauseThatEndedWhileTheServiceWasDown() throws {
    let store = MemoryStore()
    _ = try EngineDriver.paused(nil, .until(.second(150)), store: store)
    var driver = try EngineDriver.connected(store: store, at: .second(630))
    #expect(driver.controlled.map(\.effect) == [.resumed(missed: 2, reason: nil)])
    #expect(driver.controlled.first?.nextSlot == .second(180))
    #expect(driver.minutes == [10])
    #expect(driver.ticks.map(\.missed) == [7])
    driver.ack()
  }

  /// "Until nine o'clock" does not leave out the tick of nine o'clock.
  @Test func aSlotAtTheEndOfThePauseIsSent() throws {
    var driver = try EngineDriver.paused(nil, .until(.second(120)))
    driver.advance(seconds: 119)
    #expect(driver.controlled.last?.effect == .resumed(missed: 1, reason: nil))
    #expect(driver.minutes == [2])
  }

  /// Commands that come before the publisher is back find the pause over, and its end comes first.
  @Test(arguments: [EventName.resume, .pause, .update])
  func aCommandAfterTheEndOfThePause(name: EventName) throws {
    let store = MemoryStore()
    _ = try EngineDriver.paused(nil, .until(.second(150)), store: store)
    var driver = try EngineDriver(store: store, at: .second(630))
    driver.consume()
    switch name {
    case .pause: driver.pause("a", messageID: "m")
    case .resume: driver.resume("a", messageID: "m")
    default: driver.update("a", [.limit(100)], messageID: "m")
    }
    #expect(try driver.stored("a")?.owed == [.resumed])
    driver.publisherUp()
    #expect(driver.controlled.map(\.effect) == [.resumed(missed: 2, reason: nil)])
    driver.ack { !$0.isTick }
    driver.ack()
    driver.ack()
    #expect(driver.controlled.count == 2)
    #expect(driver.minutes == [10])
    #expect(driver.ticks.map(\.missed) == [7])
    if name == .pause { #expect(driver.controlled.last?.pause?.since == .second(630)) }
  }

  /// Also when the broker confirms the tick after it first.
  @Test func anOwedResumedIsSentOnce() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.nack()
    driver.pause("a", .until(.second(100)))
    driver.ack()
    driver.advance(seconds: 40)
    let numbers = driver.inFlight.map(\.number)
    #expect(numbers.count == 2, "its Resumed and the tick in doubt")
    driver.receive(.acked(numbers.reversed()))
    driver.advance(seconds: 60)
    driver.ack()
    driver.advance(seconds: 600)
    #expect(driver.controlled.count == 2)
    #expect(try driver.stored("a")?.owed == [])
  }

  @Test func anOwedResumedSurvivesARestart() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.paused(nil, .until(.second(301)), store: store)
    driver.advance(seconds: 300)
    let first = try #require(driver.controlled.last)
    driver = try EngineDriver.connected(store: store, at: .second(310))
    #expect(driver.controlled == [first])
    driver.ack()
    driver = try EngineDriver.connected(store: store, at: .second(320))
    #expect(driver.controlled.isEmpty)
  }

  /// Its Resumed and its Stopped, in this order, though the second is owed before the first is confirmed.
  @Test func aScheduleThatEndsWhileItOwesItsResumed() throws {
    let store = MemoryStore()
    var definition = everyMinute
    definition.limit = 1
    var driver = try EngineDriver.paused(definition, .until(.second(90)), store: store)
    driver.advance(seconds: 119)
    driver.ack { $0.isTick }
    #expect(try driver.stored("a")?.owed == [.resumed, .stopped])
    #expect(driver.stopped.isEmpty)
    driver.ack()
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
    driver.ack()
    #expect(try driver.stored("a")?.owed == [])
  }
}
