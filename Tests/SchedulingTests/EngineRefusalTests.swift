import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Ticks that the broker nacks or does not confirm, or that are lost with their connection.
struct EngineRefusalTests {
  private let everySecond: Definition

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  @Test func nackedTickIsRetriedWithBackOff() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] as [Int64] {
      driver.nack()
      driver.advance(milliseconds: pause * 1000 - 1)
      #expect(driver.inFlight.isEmpty)
      driver.advance(milliseconds: 1)
      #expect(driver.inFlight.count == 1)
    }
    #expect(Set(driver.ticks).count == 1, "the retried tick is a different one")
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
  }

  /// After an hour it expires and is not counted, and the schedule continues.
  @Test(arguments: [true, false])
  func refusedTickIsGivenUp(isUnanswered: Bool) throws {
    let hourly = Definition(id: "a", timing: try Timing(cron: "*/30 * * * *"), limit: 1)
    var driver = try EngineDriver.starting(hourly)
    driver.advance(seconds: 1800)
    var hasGivenUp: Bool {
      driver.reports.contains { if case .tickExpired("a", .second(1800), _) = $0 { true } else { false } }
    }
    while driver.now.wall < .second(1800 + 3600) {
      if !isUnanswered { driver.nack() }
      driver.advance(seconds: 1)
      #expect(driver.ticks.allSatisfy { $0.slot == .second(1800) })
    }
    #expect(!hasGivenUp)
    while !hasGivenUp, driver.now.wall < .second(5500) {
      if !isUnanswered { driver.nack() }
      driver.advance(seconds: 1)
    }
    #expect(hasGivenUp)
    // The two slots that passed meanwhile are missed; one tick is sent for both.
    let next = try #require(driver.ticks.last)
    #expect(next.slot == .second(5400))
    #expect(next.missed == 1)
    #expect(next.counter == 0)
    driver.ack { $0 == .tick(next) }
    #expect(driver.stopped.map(\.counter) == [1])
  }

  @Test func nackedTickDelaysNoOthers() throws {
    var settings = Engine.Settings()
    settings.publishWindow = 1
    var driver = try EngineDriver.starting(Definition(id: "a", timing: .at(.second(1))), settings: settings)
    driver.start(Definition(id: "b", timing: .at(.second(2))))
    driver.ack()
    driver.advance(seconds: 1)
    driver.nack()
    driver.advance(milliseconds: 1_500)
    driver.nack { $0.scheduleID == "a" }
    #expect(driver.ticks.map(\.definition.id).contains("b"))
  }

  enum Answer: CaseIterable { case late, lateNack, none }

  /// It makes room for others and is not republished on the same connection; a late reply applies.
  @Test(arguments: Answer.allCases)
  func unconfirmedTickIsSetAside(answer: Answer) throws {
    var settings = Engine.Settings()
    settings.publishWindow = 1
    var driver = try EngineDriver.starting(everySecond, settings: settings)
    driver.start(Definition(id: "b", timing: .at(.second(2))))
    driver.ack()
    driver.advance(seconds: 1)
    driver.advance(milliseconds: 29_999)
    #expect(driver.ticks.map(\.definition.id) == ["a"])
    driver.advance(milliseconds: 1)
    #expect(driver.ticks.map(\.definition.id) == ["a", "b"])
    driver.ack { $0.scheduleID == "b" }
    driver.advance(seconds: 1000)
    #expect(driver.ticks.count == 2)
    switch answer {
    case .late: driver.ack()
    case .lateNack:
      driver.nack()
      driver.advance(seconds: 2)
      #expect(driver.ticks.map(\.slot) == [.second(1), .second(2), .second(1)])
      driver.ack()
    case .none:
      driver.publisherDown()
      driver.publisherUp()
      #expect(driver.ticks.map(\.slot) == [.second(1), .second(2), .second(1)])
      driver.ack()
    }
    #expect(try driver.stored("a")?.counter == 1)
  }

  /// A Stop does not wait for a timed-out tick; a confirm that arrives during its transaction changes nothing.
  @Test func lateConfirmDuringAStop() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.advance(seconds: 30)
    driver.holdsStore = true
    driver.stop("a")
    driver.ack()
    driver.holdsStore = false
    driver.answerStore()
    driver.ack()
    #expect(driver.stopped.map(\.counter) == [0])
    #expect(try driver.stored("a")?.ending?.reason == "stopped")
    #expect(driver.ticks.count == 1)
  }

  @Test func lostTickIsSentAgainAsItWas() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.publisherDown()
    driver.advance(seconds: 10)
    #expect(driver.ticks.count == 1, "published without a connection")
    driver.publisherUp()
    #expect(driver.ticks.count == 2)
    #expect(Set(driver.ticks).count == 1)
    driver.ack()
    #expect(driver.ticks.last?.slot == .second(2))
  }

  /// A confirm of an earlier connection is ignored.
  @Test func lateConfirmIsIgnored() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    let number = try #require(driver.inFlight.first?.number)
    driver.publisherDown()
    driver.receive(.acked([number, number + 1000]))
    #expect(try driver.stored("a")?.counter == 0)
  }

  @Test func nothingIsPublishedWhileBlocked() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.receive(.blocked())
    driver.start(Definition(id: "b", timing: everySecond.timing))
    driver.advance(seconds: 20)
    #expect(driver.events.count == 1)
    #expect(try driver.stored("b") != nil, "commands are still applied")
    driver.receive(.unblocked())
    #expect(driver.started.count == 2)
    #expect(driver.ticks.count == 2)
  }

  /// While the broker blocks, confirm timeouts do not run: nothing is repeated and nothing expires.
  @Test func blockedTimeDoesNotCountAsTimeout() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.receive(.blocked())
    driver.advance(seconds: 7200)
    driver.receive(.unblocked())
    driver.advance(seconds: 29)
    #expect(driver.ticks.count == 1)
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
  }

  /// Nothing expires because the process was frozen for more than an hour.
  @Test func sleepExpiresNothing() throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.step(milliseconds: 7_200_000)
    driver.advance(seconds: 1)
    driver.publisherDown()
    driver.publisherUp()
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(1)])
  }

  /// A nacked tick whose back-off ends while the broker is blocked causes no busy loop.
  @Test(arguments: [true, false])
  func pauseEndsWhileNothingCanBeSent(isBlocked: Bool) throws {
    var driver = try EngineDriver.starting(everySecond)
    driver.advance(seconds: 1)
    driver.nack()
    driver.receive(isBlocked ? .blocked() : .publisherDown())
    driver.advance(seconds: 10)
    #expect(driver.ticks.count == 1)
    if isBlocked { driver.receive(.unblocked()) } else { driver.publisherUp() }
    #expect(driver.ticks.count == 2)
    #expect(Set(driver.ticks).count == 1)
  }
}
