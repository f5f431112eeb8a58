import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// A clean stop: work in flight is finished, nothing new begins, and the next start repeats nothing.
struct EngineDrainTests {
  private let everySecond: Definition

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  @Test func idleEngineIsDrainedAtOnce() throws {
    var driver = try EngineDriver.connected()
    driver.receive(.drain)
    #expect(driver.isDrained)
  }

  @Test func waitsForTheTickInFlight() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.connected(store: store)
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    driver.receive(.drain)
    driver.advance(seconds: 5)
    #expect(!driver.isDrained)
    #expect(driver.ticks.count == 1, "a new tick was sent")
    driver.ack()
    #expect(driver.isDrained)
    #expect(try driver.stored("a")?.counter == 1)
    #expect(try store.load().inDoubtThrough == .second(3))

    var next = try EngineDriver.connected(store: store, at: .second(7))
    next.ack()
    #expect(next.ticks.first?.slot == .second(2), "repeated after a clean stop")
  }

  /// A command whose transaction has begun is settled; one that still waits is left to the next start.
  @Test func finishesTheCommandsItHasBegun() throws {
    var driver = try EngineDriver.connected()
    driver.holdsStore = true
    driver.start(everySecond)
    driver.receive(.drain)
    driver.stop("a")
    while driver.heldRequest != nil { driver.answerStore() }
    #expect(driver.started.count == 1)
    #expect(!driver.isDrained)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    while driver.heldRequest != nil { driver.answerStore() }
    #expect(driver.isDrained)
    #expect(driver.stopped.isEmpty)
  }

  @Test func announcesTheEndThatItCaused() throws {
    var driver = try EngineDriver.connected()
    driver.start(Definition(id: "a", timing: everySecond.timing, limit: 1))
    driver.ack()
    driver.advance(seconds: 1)
    driver.receive(.drain)
    driver.ack { $0.isTick }
    #expect(!driver.isDrained)
    #expect(driver.stopped.count == 1)
    driver.ack()
    #expect(driver.isDrained)
    #expect(try driver.stored("a")?.ending?.owesStopped == false)
  }

  /// Neither nacked publications nor a lost connection keep the process from ending.
  @Test func doesNotWaitForUnsendablePublications() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.nack()
    driver.receive(.drain)
    #expect(driver.isDrained)
    driver.advance(seconds: 5)
    #expect(driver.published.count == 1)

    driver = try EngineDriver.connected()
    driver.receive(.publisherDown())
    driver.start(everySecond)
    driver.receive(.drain)
    #expect(driver.isDrained)
  }

  /// A tick that was sent before the clock was set back stays in doubt: it is not folded after the next start.
  @Test func clockSetBackLeavesTheSentInDoubt() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.connected(store: store)
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    driver.publisherDown()
    driver.stepWall(seconds: -5)
    for _ in 0..<2 {
      driver.receive(.drain)
      #expect(driver.isDrained)
      driver = try EngineDriver(store: store, at: .second(-3))
    }
    driver = try EngineDriver.connected(store: store, at: .second(600))
    #expect(driver.ticks.map(\.slot) == [.second(1)])
  }

  /// The mark is where the stop left it, also when a tick is about to become due.
  @Test func markStaysWhereTheStopLeftIt() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.connected(store: store)
    driver.start(Definition(id: "a", timing: try Timing(cron: "0 * * * * *")))
    driver.ack()
    driver.advance(milliseconds: 59_600)
    driver.receive(.drain)
    driver.advance(seconds: 30)
    #expect(driver.isDrained)
    #expect(try store.load().inDoubtThrough == .millisecond(59_600))
    #expect(driver.ticks.isEmpty)
  }
}
