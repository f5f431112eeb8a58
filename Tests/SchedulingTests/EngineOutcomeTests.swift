import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Outcomes and end notices that the broker nacks or does not confirm: they delay no others.
struct EngineOutcomeTests {
  private let daily: Definition
  private let once: Definition

  init() throws {
    daily = Definition(id: "a", timing: try Timing(every: "1d"))
    once = Definition(id: "once", timing: try Timing(every: "1s"), limit: 1)
  }

  private func expired(_ driver: EngineDriver) -> [OutgoingEvent] {
    driver.reports.compactMap { if case .outcomeExpired(let event, _, _) = $0 { event } else { nil } }
  }

  /// Effect and memory are stored, so the client may ask again.
  @Test func nackedOutcomeExpiresAfterAMinute() throws {
    var driver = try EngineDriver.connected()
    driver.start(daily)
    for pause in [1, 2, 4, 8, 16, 32] as [Int64] {
      driver.nack()
      driver.advance(milliseconds: pause * 1000 - 1)
      #expect(driver.inFlight.isEmpty)
      driver.advance(milliseconds: 1)
      #expect(driver.inFlight.count == 1)
    }
    #expect(driver.frames.isEmpty)
    driver.nack()
    #expect(expired(driver).count == 1)
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    driver.advance(seconds: 3600)
    #expect(driver.started.count == 7)
    #expect(try driver.stored("a") != nil)
  }

  /// A malformed command is dead-lettered even if its rejection expires.
  @Test func nackedRejectionExpires() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(.malformed(Rejection(command: "Schedule Start", field: "body", reason: "not JSON")))
    for _ in 0..<70 {
      driver.nack()
      driver.advance(seconds: 1)
    }
    #expect(driver.published.count == 7)
    #expect(expired(driver).count == 1)
    #expect(driver.frames == [.reject(tag: 1)])
  }

  /// Other commands are applied meanwhile, and nothing is requeued.
  @Test func nackedOutcomesDelayNoOthers() throws {
    var driver = try EngineDriver.connected()
    for second in 0..<1200 {
      if second.isMultiple(of: 20) { driver.stop("unknown") }
      driver.nack { if case .rejected = $0 { true } else { false } }
      driver.advance(seconds: 1)
    }
    driver.start(daily)
    driver.ack { if case .started = $0 { true } else { false } }
    #expect(driver.started.count == 1)
    #expect(driver.pauses == 0)
  }

  /// A timed-out outcome expires later; a late confirm settles its command, once.
  @Test(arguments: [true, false])
  func unconfirmedOutcome(isLate: Bool) throws {
    var driver = try EngineDriver.connected()
    driver.start(daily)
    driver.advance(seconds: 329)
    #expect(driver.frames.isEmpty)
    #expect(driver.reports.contains { if case .confirmTimedOut("a", 30) = $0 { true } else { false } })
    if isLate { driver.ack() }
    driver.advance(seconds: 1)
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    #expect(expired(driver).count == (isLate ? 0 : 1))
    driver.ack()
    #expect(driver.frames.count == 1)
    #expect(driver.started.count == 1, "it is not sent again on this connection")
    #expect(driver.pauses == 0)
  }

  /// When nothing can be published for ten minutes, intake is suspended; it resumes as soon as publishing does.
  @Test(arguments: [true, false])
  func commandsAreLeftWithTheBroker(isBlocked: Bool) throws {
    var driver = try EngineDriver.connected()
    driver.receive(isBlocked ? .blocked() : .publisherDown())
    driver.advance(milliseconds: 599_999)
    if !isBlocked { driver.receive(.publisherDown()) }
    #expect(driver.pauses == 0)
    driver.advance(milliseconds: 1)
    #expect(driver.pauses == 1)
    driver.advance(seconds: 600)
    #expect(driver.pauses == 1)
    #expect(driver.resumptions == 0)
    if isBlocked { driver.receive(.unblocked()) } else { driver.publisherUp() }
    #expect(driver.resumptions == 1)
    driver.advance(seconds: 3600)
    #expect(driver.pauses == 1)
  }

  /// A schedule's row is the outbox of its end notice: it is retried until it is confirmed, and suspends nothing.
  @Test func owedStoppedSuspendsNothing() throws {
    var driver = try EngineDriver.starting(once)
    driver.advance(seconds: 1)
    driver.ack()
    for _ in 0..<4000 {
      driver.nack()
      driver.advance(seconds: 1)
    }
    #expect(driver.pauses == 0)
    #expect(expired(driver).isEmpty)
    driver.advance(seconds: 60)
    driver.ack()
    #expect(try driver.stored("once")?.ending?.owesStopped == false)
  }

  /// Unless a command on the schedule waits for it, which the broker would take back after half an hour.
  @Test(arguments: [true, false])
  func awaitedStoppedIsGivenUp(isRefused: Bool) throws {
    var driver = try EngineDriver.starting(once)
    driver.advance(seconds: 1)
    driver.ack()
    driver.start(once)
    for _ in 0..<400 {
      if isRefused { driver.nack { if case .stopped = $0 { true } else { false } } }
      driver.ack { if case .started = $0 { true } else { false } }
      driver.advance(seconds: 1)
    }
    #expect(expired(driver).first.map { if case .stopped = $0 { true } else { false } } == true)
    #expect(driver.started.count == 2)
  }

  /// A queue that never confirms: the end notices in memory are limited, and the rest are published once it confirms.
  @Test func unconfirmedStoppedsAreBounded() throws {
    var settings = Engine.Settings()
    settings.maximumOwedEvents = 16
    settings.duePage = 8
    var driver = try EngineDriver.connected(settings: settings)
    let isTickOrStarted: (OutgoingEvent) -> Bool = { if case .stopped = $0 { false } else { true } }
    let count = 200
    for number in 0..<count {
      driver.start(Definition(id: ScheduleID("s\(number)"), timing: try Timing(every: "1s"), limit: 1))
    }
    for _ in 0..<60 {
      driver.ack(where: isTickOrStarted)
      driver.advance(seconds: 1)
    }
    #expect(driver.ticks.count == count)
    #expect(driver.stopped.count == 16)
    let ends = driver.reports.count { if case .scheduleStopped = $0 { true } else { false } }
    #expect(ends == count, "each end is reported once")
    while !driver.inFlight.isEmpty {
      driver.ack()
      driver.advance(seconds: 1)
    }
    #expect(Set(driver.stopped.map(\.id)).count == count)
    #expect(driver.stopped.count == count)
  }
}
