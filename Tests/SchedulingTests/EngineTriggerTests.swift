import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// P31: a Trigger leads to one tick more, outside of limit, counter and slots.
struct EngineTriggerTests {
  private let everyMinute: Definition
  private let payload = Array(#"{"by": "hand"}"#.utf8)

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"), limit: 2, payload: Array("1".utf8))
  }

  private func triggered(_ driver: EngineDriver) -> [Tick] { driver.ticks.filter(\.isTriggered) }

  @Test func aTriggeredTickCountsNothingAndMovesNoSlot() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 10)
    driver.trigger("a", messageID: "t")
    #expect(driver.controlled.map(\.effect) == [.triggered(.second(10))])
    #expect(driver.controlled.first?.nextSlot == .second(60))
    #expect(
      triggered(driver) == [
        Tick(
          definition: everyMinute, generation: 1, counter: 0, slot: .second(10), missed: 0, nextSlot: .second(60),
          isTriggered: true)
      ])
    #expect(driver.published.last?.origin == Origin(messageID: Array("t".utf8)))
    driver.ack()
    driver.advance(seconds: 50)
    driver.ack()
    driver.advance(seconds: 60)
    driver.ack()
    #expect(driver.ticks.map(\.counter) == [0, 0, 1])
    #expect(driver.ticks.map(\.slot) == [.second(10), .second(60), .second(120)])
    #expect(driver.stopped.map(\.counter) == [2])
  }

  @Test func itHasAPayloadOfItsOwn() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.trigger("a", payload: payload, messageID: "t")
    #expect(triggered(driver).map(\.definition.payload) == [payload])
    #expect(try driver.stored("a")?.definition.payload == Array("1".utf8))
  }

  @Test func itIsAllowedWhilePaused() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.pause("a")
    driver.ack()
    driver.trigger("a", messageID: "t")
    driver.ack()
    #expect(triggered(driver).count == 1)
    #expect(triggered(driver).first?.nextSlot == nil)
    driver.advance(seconds: 600)
    #expect(driver.ticks.count == 1)
    #expect(try driver.stored("a")?.isPaused == true)
  }

  @Test func itSurvivesARestart() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(everyMinute, store: store)
    driver.trigger("a", payload: payload, messageID: "t")
    let first = try #require(triggered(driver).first)
    driver = try EngineDriver.connected(store: store, at: .second(5))
    #expect(triggered(driver) == [first])
    driver.ack()
    driver = try EngineDriver.connected(store: store, at: .second(6))
    #expect(triggered(driver).isEmpty)
  }

  /// One at a time, each with an instant of its own; ticks go on meanwhile.
  @Test func theNextOneWaits() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.trigger("a", messageID: "t")
    driver.trigger("a", messageID: "u")
    driver.advance(seconds: 60)
    #expect(triggered(driver).count == 1)
    #expect(driver.ticks.map(\.slot) == [.second(0), .second(60)])
    driver.ack()
    driver.ack()
    #expect(triggered(driver).map(\.slot) == [.second(0), .second(60)])
    driver.trigger("a", messageID: "v")
    driver.ack()
    #expect(triggered(driver).last?.slot == .millisecond(60_001))
  }

  @Test func stopAndReplaceWaitForIt() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.trigger("a", messageID: "t")
    driver.stop("a")
    driver.start(everyMinute)
    driver.ack { !$0.isTick }
    #expect(driver.stopped.isEmpty && driver.started.count == 1)
    driver.ack()
    driver.ack()
    #expect(driver.stopped.count == 1 && driver.started.count == 2)
  }

  /// Decided together, they do not publish what is not stored.
  @Test func whatACommandOwesIsPublishedOnceItIsStored() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.holdsStore = true
    driver.deliver([
      (.trigger(Command.Trigger(id: "a")), messageID: "t"), (.stop(Command.Stop(id: "a")), messageID: "s"),
    ])
    driver.answerStore()
    guard case .apply(let changes) = driver.heldRequest else {
      Issue.record("the Trigger is not being stored")
      return
    }
    #expect(changes.count == 2)
    #expect(triggered(driver).isEmpty)
    driver.holdsStore = false
    driver.answerStore()
    #expect(triggered(driver).count == 1)
    #expect(driver.stopped.isEmpty)
    driver.ack()
    #expect(driver.stopped.count == 1)
  }

  /// Not even from the inbox, behind a command without `message_id` that is applied again.
  @Test func aRedeliveredOneTriggersNothing() throws {
    var driver = try EngineDriver.starting(everyMinute)
    let pause = (Command.pause(Command.Pause(id: "a")), messageID: String?.none)
    let trigger = (Command.trigger(Command.Trigger(id: "a")), messageID: String?.some("t"))
    driver.deliver([pause])
    driver.deliver([trigger])
    driver.ack()
    driver.ack()
    driver.advance(seconds: 1)
    driver.consume()
    driver.redeliver([(pause, 1), (trigger, 1)])
    driver.ack()
    driver.ack()
    #expect(triggered(driver).count == 1)
    #expect(driver.controlled.count == 4)
  }

  @Test func aDuplicateTriggersNothing() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.trigger("a", messageID: "t")
    driver.ack()
    driver.ack()
    driver.advance(seconds: 1)
    driver.trigger("a", messageID: "t")
    driver.ack()
    #expect(driver.controlled.map(\.isRepeated) == [false, true])
    #expect(triggered(driver).count == 1)
  }

  /// A queue that refuses ticks: after an hour it is given up, and stays so.
  @Test func aRefusedTickIsGivenUpAfterAnHour() throws {
    let yearly = Definition(id: "a", timing: try Timing(cron: "0 0 1 1 *"))
    var driver = try EngineDriver.starting(yearly)
    driver.trigger("a", messageID: "t")
    driver.ack { !$0.isTick }
    while driver.now.wall < .second(3500) {
      driver.nack()
      driver.advance(seconds: 1)
    }
    #expect(try driver.stored("a")?.owed == [.triggeredTick])
    while driver.now.wall < .second(3700) {
      driver.nack()
      driver.advance(seconds: 1)
    }
    #expect(try driver.stored("a")?.owed == [])
    #expect(driver.reports.contains { if case .tickExpired("a", .second(0), _) = $0 { true } else { false } })
  }
}
