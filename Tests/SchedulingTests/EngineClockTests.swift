import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// A wall clock that is set while schedules run.
struct EngineClockTests {
  private static let day: Int64 = 86_400
  private let hourly: Definition

  init() throws {
    hourly = Definition(id: "hourly", timing: try Timing(cron: "0 * * * *"))
  }

  /// A step back of up to a day is waited out: no slot occurs twice.
  @Test func aDayBackIsWaitedOut() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.ack()
    driver.stepWall(seconds: -Self.day)
    driver.advance(seconds: Self.day)
    #expect(driver.ticks.map(\.slot) == [.second(3600)])
    driver.advance(seconds: 3600)
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(7200)])
    #expect(!driver.saysClockWasSetBack)
  }

  /// After a larger step the earlier time is taken to have been wrong: all schedules continue from now, in phase.
  @Test func furtherBackEachContinuesFromNow() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    let every = Definition(id: "every", timing: try Timing(every: "90m"))
    let bounded = Definition(id: "bounded", timing: hourly.timing, startDate: .second(-86_400 * 10 + 7200))
    let once = Definition(id: "once", timing: .at(.second(10)))
    for definition in [hourly, every, bounded, once] { driver.start(definition) }
    driver.ack()
    driver.stepWall(seconds: -10 * Self.day)
    #expect(driver.saysClockWasSetBack)
    let start = -10 * Self.day
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(start + 3600))
    #expect(try driver.stored("every")?.nextTick?.slot == .second(start + 5400))
    #expect(try driver.stored("bounded")?.nextTick?.slot == .second(start + 7200))
    #expect(try driver.stored("once")?.nextTick?.slot == .second(10))
    driver.advance(seconds: 3600)
    #expect(driver.ticks.map(\.slot) == [.second(start + 3600)])
    #expect(driver.ticks.map(\.counter) == [0])
  }

  /// The clock showed 2100 while the service ran. The service was stopped, the clock corrected, and the service
  /// restarted.
  @Test func setBackWhileStopped() throws {
    let store = MemoryStore()
    let far = 74 * 365 * Self.day
    var driver = try EngineDriver.connected(store: store, at: .second(far), settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 7200)
    driver = try EngineDriver.connected(store: store, at: .second(0), settings: .trustingTheClock)
    #expect(driver.saysClockWasSetBack)
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(3600))
    #expect(try store.load().inDoubtThrough == .second(3))
    driver.advance(seconds: 3600)
    #expect(driver.ticks.map(\.slot) == [.second(3600)])
    driver.ack()
    // Within a day the ticks sent on the wrong clock are in doubt: the tick is sent unchanged, and only then are slots
    // folded.
    driver.publisherDown()
    driver.advance(seconds: 3 * 3600)
    driver.publisherUp()
    #expect(driver.ticks.last?.missed == 0)
    driver.ack()
    #expect(driver.ticks.last?.missed == 1)
  }

  /// A machine without a hardware clock boots in 1970 and is corrected a moment later: no slot occurs twice.
  @Test func aShortStepBack() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.ack()
    driver.stepWall(seconds: -50 * 365 * Self.day)
    driver.advance(seconds: 240)
    driver.stepWall(seconds: 50 * 365 * Self.day)
    driver.advance(seconds: 3600)
    #expect(!driver.saysClockWasSetBack)
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(7200)])
    #expect(driver.ticks.last?.missed == 0)
    driver.stepWall(seconds: -3 * Self.day)
    driver.advance(seconds: 299)
    #expect(!driver.saysClockWasSetBack)
    driver.advance(seconds: 1)
    #expect(driver.saysClockWasSetBack)
  }

  /// A tick whose slot moved while it was backing off is never sent again, and its confirm does not apply to another
  /// tick.
  @Test func nackedOnTheWrongClock() throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.nack()
    driver.stepWall(seconds: -3 * Self.day)
    let slot = Instant.second(3600 - 3 * Self.day + 3600)
    #expect(try driver.stored("hourly")?.nextTick?.slot == slot)
    driver.stepWall(seconds: 3600)
    driver.nack()
    driver.advance(seconds: 5)
    #expect(driver.ticks.map(\.slot) == [.second(3600), slot, slot])
    driver.ack()
    #expect(try driver.stored("hourly")?.counter == 1)
  }

  /// More schedules than fit in a page, or in the window.
  @Test func allOfThemAreReviewed() throws {
    var settings = Engine.Settings.trustingTheClock
    settings.duePage = 3
    settings.dueCapacity = 6
    var driver = try EngineDriver.connected(settings: settings)
    let ids = (0..<40).map { ScheduleID(stored: Array("s\($0)".utf8)) }
    for (number, id) in ids.enumerated() {
      driver.start(Definition(id: id, timing: try Timing(cron: "\(number % 7) \(number % 5) * * *")))
    }
    driver.ack()
    driver.stepWall(seconds: -3 * Self.day)
    for id in ids {
      let slot = try #require(try driver.stored(id)?.nextTick?.slot)
      #expect(slot > driver.now.wall && slot <= driver.now.wall.advanced(byMilliseconds: Self.day * 1000))
    }
  }

  /// A Resume moves a schedule forward in the order of due times, to where the review has already been.
  @Test func resumedDuringTheReview() throws {
    var driver = try reviewing()
    driver.resume("hourly")
    while driver.heldRequest != nil { driver.answerStore() }
    #expect(try driver.stored("hourly")?.isPaused == false)
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(3600 - 3 * Self.day))
  }

  /// The Stop comes with the Resume: the review does not bring the schedule back.
  @Test func resumedAndStoppedDuringTheReview() throws {
    var driver = try reviewing()
    driver.deliver([
      (.resume(Command.Resume(id: "hourly", misfirePolicy: nil)), messageID: nil),
      (.stop(Command.Stop(id: "hourly", reason: "stopped")), messageID: nil),
    ])
    while driver.heldRequest != nil { driver.answerStore() }
    driver.holdsStore = false
    driver.ack()
    driver.advance(seconds: 7200)
    #expect(!driver.ticks.contains { $0.definition.id == "hourly" })
  }

  /// A driver after a step back of three days, with the first page of the review read: "hourly" is paused and comes last, the
  /// others before it. The store waits for `answerStore`.
  private func reviewing() throws -> EngineDriver {
    var settings = Engine.Settings.trustingTheClock
    settings.duePage = 2
    var driver = try EngineDriver.starting(hourly, settings: settings)
    driver.pause("hourly")
    for number in 0..<6 as Range<UInt8> {
      driver.start(Definition(id: ScheduleID(stored: [number]), timing: hourly.timing))
    }
    driver.ack()
    driver.holdsStore = true
    driver.stepWall(seconds: -3 * Self.day)
    driver.answerStore()
    return driver
  }

  /// What an Update or a Resume on the wrong clock left for the slots after one in doubt is put right, too.
  @Test(arguments: ["update", "resume"]) func inDoubtBeforeTheWrongClock(command: String) throws {
    var driver = try EngineDriver.starting(hourly, settings: .trustingTheClock)
    driver.advance(seconds: 3600)
    driver.nack()
    if command == "resume" { driver.pause("hourly") }
    driver.ack { !$0.isTick }
    driver.stepWall(seconds: 3 * Self.day)
    if command == "resume" {
      driver.resume("hourly")
    } else {
      driver.update("hourly", [.timing(try Timing(every: "7m"))])
    }
    driver.ack { !$0.isTick }
    driver.stepWall(seconds: -3 * Self.day)
    driver.advance(seconds: 120)
    driver.ack()
    driver.ack()
    let next = try #require(try driver.stored("hourly")?.nextTick?.slot)
    #expect(next <= .second(2 * 3600), "\(next.rfc3339)")
    driver.advance(seconds: 2 * 3600)
    #expect(driver.ticks.contains { $0.slot > .second(3600) && $0.slot <= .second(2 * 3600) })
  }

  /// After a small step back an Update does not begin again with slots that have been.
  @Test func updatedAfterASmallStepBack() throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: try Timing(cron: "* * * * *")))
    driver.confirm(through: 300)
    driver.stepWall(seconds: -200)
    driver.update("a", [.endDate(.second(86_400))])
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == .second(360))
  }

  /// Updated while its next tick was in doubt: what occurs again are the slots of the new definition.
  @Test func updatedOnTheWrongClock() throws {
    var driver = try EngineDriver.starting(hourly, settings: .trustingTheClock)
    driver.advance(seconds: 3600)
    driver.nack()
    driver.advance(milliseconds: 500)
    driver.update("hourly", [.timing(try Timing(every: "7m"))])
    driver.ack { !$0.isTick }
    driver.stepWall(seconds: -3 * Self.day)
    driver.ack()
    let slot = try #require(try driver.stored("hourly")?.nextTick?.slot)
    let phase = Instant.second(3600).milliseconds + 500 - slot.milliseconds
    #expect(slot < .second(0) && phase % (7 * 60_000) == 0)
  }

  enum Fate: CaseIterable { case confirmed, refused, lost }

  /// A tick in flight is left alone until it is resolved; then its schedule, too, continues from now.
  @Test(arguments: Fate.allCases)
  func inFlight(fate: Fate) throws {
    var driver = try EngineDriver.connected(settings: .trustingTheClock)
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    let start = 3600 - 3 * Self.day
    if fate == .refused { driver.nack() }
    driver.stepWall(seconds: -3 * Self.day)
    if fate != .refused { #expect(try driver.stored("hourly")?.nextTick?.slot == .second(3600)) }
    if fate == .confirmed { driver.ack() }
    if fate == .lost { driver.publisherDown() }
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(start + 3600))
    #expect(try driver.stored("hourly")?.counter == (fate == .confirmed ? 1 : 0))
    if fate == .lost { driver.publisherUp() }
    driver.advance(seconds: 3600)
    #expect(driver.ticks.map(\.slot) == [.second(3600), .second(start + 3600)])
  }

  /// Its late confirm arrives while slots are being recomputed.
  @Test func confirmedDuringTheReview() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.ack()
    driver.advance(seconds: 3600)
    driver.stepWall(seconds: -3 * Self.day)
    driver.holdsStore = true
    driver.step(milliseconds: 300_000)
    #expect(driver.saysClockWasSetBack)
    driver.ack()
    driver.holdsStore = false
    driver.answerStore()
    #expect(try driver.stored("hourly")?.counter == 1)
    #expect(try driver.stored("hourly")?.nextTick?.slot == .second(3600 - 3 * Self.day + 3600))
  }
}

extension Engine.Settings {
  /// A clock that is set far back is believed at once, to test what follows; `aShortStepBack` tests the wait.
  static var trustingTheClock: Engine.Settings {
    var settings = Engine.Settings()
    settings.clockPatienceMilliseconds = 0
    return settings
  }
}
