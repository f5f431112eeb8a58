import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// From a due slot to its stored advance.
struct EngineTickTests {
  private let everySecond: Definition
  private let payload = Array(#"{"any": 1.0}"#.utf8)

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  // MARK: A tick's way

  @Test func advancesOnlyAfterItsConfirm() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(milliseconds: 999)
    #expect(driver.ticks.isEmpty, "early")
    driver.advance(milliseconds: 1)
    #expect(
      driver.ticks == [
        Tick(
          definition: everySecond, generation: 1, counter: 0, slot: .second(1), missed: 0, nextSlot: .second(2))
      ])
    driver.advance(seconds: 5)
    #expect(driver.ticks.count == 1, "two ticks of one schedule in flight")
    #expect(try driver.stored("a")?.nextTick?.slot == .second(1))
    #expect(try driver.stored("a")?.counter == 0)
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == .second(2))
    #expect(try driver.stored("a")?.counter == 1)
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(2)])
  }

  @Test func ticksCarryTheOriginOfTheirStart() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond, messageID: "m")
    driver.advance(seconds: 1)
    #expect(driver.published.last?.origin == Origin(messageID: [UInt8(ascii: "m")]))
  }

  /// Counters 0, 1, 2, then Stopped, once each; the payload is kept until the Stopped is confirmed.
  @Test func limitIsExact() throws {
    let limited = Definition(id: "a", timing: everySecond.timing, limit: 3, payload: payload)
    var driver = try EngineDriver.starting(limited)
    for _ in 0..<3 {
      driver.advance(seconds: 1)
      driver.ack()
    }
    #expect(driver.ticks.map(\.counter) == [0, 1, 2])
    #expect(driver.ticks.map(\.nextSlot) == [.second(2), .second(3), nil])
    #expect(
      driver.stopped == [
        Stopped(definition: limited, id: "a", generation: 1, counter: 3, reason: Schedule.EndReason.countLimit)
      ])
    driver.ack()
    #expect(try driver.stored("a")?.ending?.owesStopped == false)
    #expect(try driver.stored("a")?.definition.payload == nil)
    driver.advance(seconds: 10)
    #expect(driver.events.count == 5)
  }

  @Test func owedStoppedIsAnnouncedOnceConfirmed() throws {
    let limited = Definition(id: "a", timing: everySecond.timing, limit: 1, payload: payload)
    var driver = try EngineDriver.starting(limited)
    driver.advance(seconds: 1)
    driver.ack { $0.isTick }
    #expect(driver.stopped.count == 1)
    #expect(try driver.stored("a")?.ending?.owesStopped == true)
    #expect(try driver.stored("a")?.definition.payload == payload)
    driver.start(everySecond)
    #expect(driver.started.count == 1, "replaced before its Stopped was confirmed")
    driver.ack()
    #expect(driver.applied.contains([.announced(generation: 1)]))
    #expect(driver.started.map(\.effect) == [.created, .created])
  }

  @Test func owedStoppedSurvivesARestart() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.starting(
      Definition(id: "a", timing: everySecond.timing, limit: 1, payload: payload), store: store)
    driver.advance(seconds: 1)
    driver.ack { $0.isTick }
    driver = try EngineDriver(store: store, at: .second(2))
    driver.consume()
    driver.start(everySecond)
    #expect(driver.events.isEmpty)
    driver.publisherUp()
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
    #expect(driver.stopped.first?.definition?.payload == payload)
    #expect(driver.started.isEmpty)
    driver.ack()
    #expect(driver.started.map(\.generation) == [2])
  }

  @Test(arguments: [Timing.at(.second(-1000)), .at(.second(2))])
  func oneShotEndsWithoutAWord(timing: Timing) throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: timing, limit: 5, payload: payload))
    driver.advance(seconds: 2)
    driver.ack()
    driver.advance(seconds: 100)
    driver.ack()
    #expect(driver.ticks.count == 1)
    #expect(driver.ticks.first?.nextSlot == nil)
    #expect(driver.stopped.isEmpty)
    #expect(try driver.stored("a")?.ending?.reason == nil)
    #expect(try driver.stored("a")?.counter == 1)
  }

  @Test func endDateEndsIt() throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: everySecond.timing, endDate: .second(2)))
    for _ in 0..<5 {
      driver.advance(seconds: 1)
      driver.ack()
    }
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(2)])
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.endDate])
  }

  /// A jittered tick leaves at its slot plus jitter, and speaks of the slot.
  @Test func jitterDelaysTheSending() throws {
    let jittered = Definition(id: "a", timing: try Timing(every: "10s"), jitter: try DurationExpression("10s"))
    var driver = try EngineDriver.starting(jittered)
    let due = jittered.due(of: .second(10), in: .utc)
    #expect(due > .second(10) && due < .second(20), "a poor choice of id: \(due)")
    driver.advance(milliseconds: due.milliseconds - Instant.noon.milliseconds - 1)
    #expect(driver.ticks.isEmpty)
    driver.advance(milliseconds: 1)
    #expect(driver.ticks.map(\.slot) == [.second(10)])
  }

  /// The window bounds what is published and not yet advanced, and the rest follow in order of their due time.
  @Test func publishWindowIsFilledAndKept() throws {
    var settings = Engine.Settings()
    settings.publishWindow = 3
    var driver = try EngineDriver.connected(settings: settings)
    for second in 1...8 as ClosedRange<Int64> {
      driver.start(Definition(id: "\(second)", timing: .at(.second(-second))))
    }
    driver.ack { !$0.isTick }
    while driver.ticks.count < 8 {
      #expect(driver.inFlight.count == 3 || driver.ticks.count == 8)
      driver.ack()
    }
    driver.ack()
    #expect(Set(driver.ticks.map(\.slot)).count == 8)
  }

  /// With the window full, so many confirmed ticks are stored together; none of them waits long for others.
  @Test func confirmedTicksAreGathered() throws {
    var settings = Engine.Settings()
    settings.publishWindow = 3
    settings.gatheredTicks = 2
    var driver = try EngineDriver.connected(settings: settings)
    for id in ["a", "b", "c", "d"] as [ScheduleID] {
      driver.start(Definition(id: id, timing: .at(.second(1))))
    }
    driver.ack { !$0.isTick }
    driver.advance(seconds: 1)
    let stored = driver.applied.count
    driver.ack { $0.scheduleID == "a" }
    #expect(driver.applied.count == stored, "stored alone")
    driver.advance(milliseconds: settings.gatheringMilliseconds - 1)
    #expect(driver.applied.count == stored, "stored too soon")
    driver.advance(milliseconds: 1)
    #expect(driver.applied.dropFirst(stored).map(\.count) == [1])
    driver.ack { $0.scheduleID == "b" }
    driver.ack { $0.scheduleID == "c" }
    #expect(driver.applied.dropFirst(stored).map(\.count) == [1, 2], "not stored together")
    driver.ack { $0.scheduleID == "d" }
    #expect(driver.applied.dropFirst(stored).map(\.count) == [1, 2, 1], "nothing waits while there is room")
  }

  @Test func returnedTickCountsAsSent() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.receive(.returned(try #require(driver.inFlight.first?.number), cause: "312 NO_ROUTE"))
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
    #expect(driver.reports.contains { if case .tickReturned("a", _) = $0 { true } else { false } })
  }
}
