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

  /// Up to a day back is waited out: no slot comes twice.
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

  /// More than that means that the clock was wrong before: all schedules go on from now, in their phase.
  @Test func furtherBackEachGoesOnFromNow() throws {
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

  /// The clock stood in 2100 when the service ran; it was stopped, the clock mended, and it was started again.
  @Test func setBackWhileAway() throws {
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
    // Within a day it is not known what was sent on the clock of before: that is sent as it was, and only then folded.
    driver.publisherDown()
    driver.advance(seconds: 3 * 3600)
    driver.publisherUp()
    #expect(driver.ticks.last?.missed == 0)
    driver.ack()
    #expect(driver.ticks.last?.missed == 1)
  }

  /// A machine without a clock of its own starts in 1970 and is set right a moment later: no slot comes twice.
  @Test func aShortVisitToThePast() throws {
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

  /// A tick whose slot was moved while it waited for another try is never sent again, nor is its answer that of another.
  @Test func refusedOnTheClockOfBefore() throws {
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

  enum Fate: CaseIterable { case confirmed, refused, lost }

  /// A tick in flight is left alone until it is known what became of it; then its schedule, too, goes on from now.
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

  /// Its confirm comes late, just while slots are looked for anew.
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
  /// A clock that is set far back is believed at once, for what follows from that; `aShortVisitToThePast` is about the wait.
  static var trustingTheClock: Engine.Settings {
    var settings = Engine.Settings()
    settings.clockPatienceMilliseconds = 0
    return settings
  }
}
