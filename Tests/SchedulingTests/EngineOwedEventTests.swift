import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// An event that a schedule owed and that is confirmed is not published again.
struct EngineOwedEventTests {
  private let everyMinute: Definition

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"))
  }

  private func triggered(_ driver: EngineDriver) -> [Tick] { driver.ticks.filter(\.isTriggered) }

  @Test func aConfirmWhileTheEndOfAPauseIsStoredCounts() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.pause("a", .until(.second(60)))
    driver.ack()
    driver.trigger("a", messageID: "t")
    driver.ack { !$0.isTick }
    driver.advance(milliseconds: 59_900)
    driver.holdsStore = true
    driver.advance(milliseconds: 100)
    driver.ack { $0.isTick }
    driver.holdsStore = false
    driver.answerStore()
    driver.ack()
    driver.advance(seconds: 60)
    driver.ack()
    driver.ack()
    #expect(triggered(driver).count == 1)
    #expect(driver.controlled.filter(\.isOwed).count == 1)
    #expect(driver.ticks.map(\.slot) == [.second(0), .second(60), .second(120)])
  }
}

extension EngineOwedEventTests {
  /// Slots are reviewed after a far step back of the clock, whatever the schedule owes.
  @Test func theSlotsOfAScheduleThatOwesAnEventAreReviewed() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.stepWall(seconds: 10 * 86_400)
    driver.advance(seconds: 60)
    driver.ack()
    driver.trigger("a", messageID: "t")
    driver.ack { !$0.isTick }
    driver.stepWall(seconds: -10 * 86_400)
    driver.advance(seconds: 600)
    let slot = try #require(try driver.stored("a")?.nextTick?.slot)
    #expect(slot < .second(86_400))
  }
}
