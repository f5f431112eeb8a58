import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Commands from delivery to settlement.
struct EngineCommandTests {
  private let everySecond: Definition
  private let hourly: Definition

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
    hourly = Definition(id: "a", timing: try Timing(cron: "0 * * * *"))
  }

  private func start(_ definition: Definition) -> Command { .start(Command.Start(definition: definition)) }
  private func stop(_ id: ScheduleID) -> Command { .stop(Command.Stop(id: id)) }

  // MARK: Commit, then announce, then acknowledge

  @Test func startIsStoredThenAnnouncedThenAcknowledged() throws {
    var driver = try EngineDriver.connected()
    driver.holdsStore = true
    driver.start(hourly)
    driver.answerStore()  // the look
    #expect(driver.published.isEmpty, "announced before it was stored")
    driver.answerStore()  // the transaction
    #expect(
      driver.events == [
        .started(
          Started(
            definition: hourly, generation: 1, counter: 0, nextSlot: .second(3600), effect: .created, ignored: []))
      ])
    #expect(driver.frames.isEmpty, "acknowledged before the answer was confirmed")
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    #expect(try driver.stored("a")?.nextTick?.slot == .second(3600))
  }

  @Test func ignoredFieldsAreListed() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(.start(Command.Start(definition: hourly, ignored: ["crn", "Limit"])))
    #expect(driver.started.first?.ignored == ["crn", "Limit"])
  }

  @Test func stopEndsAtOnce() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.stop("a", reason: "enough")
    #expect(driver.stopped.map(\.reason) == ["enough"])
    #expect(driver.stopped.first?.generation == 1)
    #expect(driver.stopped.first?.definition == everySecond)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 2, multiple: true)])
    driver.advance(seconds: 10)
    #expect(driver.ticks.isEmpty)
    #expect(try driver.stored("a")?.ending == Schedule.Ending(reason: "enough", at: .noon, owesStopped: false))
  }

  @Test func startReplaces() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.advance(seconds: 1)
    driver.ack()
    driver.start(hourly)
    driver.ack()
    #expect(driver.started.map(\.effect) == [.created, .replaced])
    #expect(driver.started.map(\.generation) == [1, 2])
    driver.advance(seconds: 10)
    #expect(driver.ticks.count == 1, "the replaced schedule still ticks")
    #expect(try driver.stored("a")?.counter == 0)
    #expect(driver.stopped.isEmpty)
  }

  /// Each command of a batch sees the changes of those before it.
  @Test func batchIsDecidedInOrder() throws {
    var driver = try EngineDriver.connected()
    let second = Definition(id: "a", timing: hourly.timing, limit: 2)
    driver.deliver(
      [stop("a"), start(hourly), stop("a"), start(hourly), start(second)].map { ($0, messageID: nil) })
    #expect(driver.events.count == 5)
    #expect(driver.rejections.count == 1)
    #expect(driver.started.map(\.effect) == [.created, .created, .replaced])
    #expect(driver.started.map(\.generation) == [1, 2, 3])
    #expect(driver.stopped.map(\.generation) == [1])
    #expect(try driver.stored("a")?.definition == second)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 5, multiple: true)])
  }

  // MARK: Rejections

  /// A rejection that depends on the stored state is acknowledged, any other is dead-lettered; both after their outcome
  /// is confirmed.
  @Test func rejections() throws {
    var driver = try EngineDriver.connected(zones: { _ in nil })
    driver.stop("nobody")
    #expect(driver.rejections.last?.field == "id")
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 1, multiple: true))

    driver.start(Definition(id: "a", timing: .at(.noon), endDate: .second(-1)))
    #expect(driver.rejections.last?.field == "endDate")
    driver.ack()
    #expect(driver.frames.last == .reject(tag: 2))

    driver.start(Definition(id: "a", timing: hourly.timing, timezone: "Europe/Rome"))
    #expect(driver.rejections.last?.field == "timezone")
    driver.ack()
    #expect(driver.frames.last == .reject(tag: 3))

    let malformed = Rejection(command: "Schedule Start", field: "body", reason: "not JSON")
    driver.deliver(.malformed(malformed))
    #expect(driver.rejections.last == malformed)
    #expect(driver.frames.count == 3, "dead-lettered before its Rejected was confirmed")
    driver.ack()
    #expect(driver.frames.last == .reject(tag: 4))
    #expect(try driver.stored("a") == nil)
  }

  /// A rejected Start leaves the live schedule alone.
  @Test func rejectedStartReplacesNothing() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    driver.start(Definition(id: "a", timing: .at(.noon), endDate: .second(-1)))
    #expect(driver.rejections.count == 1)
    #expect(try driver.stored("a")?.definition == hourly)
  }

  @Test func ownEventsAreDroppedWithoutAnOutcome() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(.ownEvent)
    #expect(driver.published.isEmpty)
    #expect(driver.frames == [.reject(tag: 1)])
  }

  // MARK: A tick in flight

  enum Outcome: CaseIterable { case acked, nacked, connectionLost, timedOut }

  /// A command on a schedule whose tick is in flight is decided once the tick is resolved; then it is never sent again.
  @Test(arguments: Outcome.allCases, [true, false])
  func commandWaitsForTheTickInFlight(outcome: Outcome, isStop: Bool) throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    driver.deliver(isStop ? stop("a") : start(hourly))
    #expect(driver.ticks.count == 1)
    #expect(driver.events.count == 2, "decided while the tick is in flight")
    switch outcome {
    case .acked: driver.ack()
    case .nacked: driver.nack()
    case .connectionLost:
      driver.publisherDown()
      driver.publisherUp()
    case .timedOut: driver.advance(seconds: 30)
    }
    #expect(driver.events.count == 3)
    if isStop { #expect(driver.stopped.map(\.counter) == [outcome == .acked ? 1 : 0]) }
    driver.ack()
    driver.advance(seconds: 100)
    #expect(driver.ticks.count == 1)
    #expect(driver.frames.last == .acknowledge(tag: 2, multiple: true))
  }

  /// Commands on other schedules do not wait, those on the same one stay behind it.
  @Test func onlyTheBusyScheduleWaits() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    let other = Definition(id: "b", timing: hourly.timing)
    driver.deliver([stop("a"), start(hourly), start(other)].map { ($0, messageID: nil) })
    #expect(driver.started.map(\.definition.id) == ["a", "b"])
    driver.ack()
    #expect(driver.started.map(\.definition.id) == ["a", "b", "a"])
    #expect(driver.started.map(\.generation) == [1, 2, 3])
    #expect(driver.stopped.map(\.generation) == [1])
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 3, multiple: true))
  }

  /// However far behind a schedule is, a Stop is decided between two of its ticks.
  @Test func stopIsNotStarvedByOverdueTicks() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    driver.step(milliseconds: 20_000)
    driver.stop("a")
    driver.ack()
    #expect(driver.stopped.map(\.counter) == [1])
    #expect(driver.ticks.count == 1)
  }

  /// Commands delay ticks no longer than their own transaction takes.
  @Test func ticksAreNotStarvedByCommands() throws {
    var driver = try EngineDriver.connected()
    driver.start(everySecond)
    driver.ack()
    driver.advance(seconds: 1)
    driver.step(milliseconds: 20_000)
    for count in 1...20 {
      driver.deliver([
        (start(everySecond), messageID: nil), (start(hourly), messageID: nil), (start(everySecond), messageID: nil),
      ])
      driver.step(milliseconds: 1_000)
      driver.ack()
      driver.ack()
      #expect(driver.ticks.count >= count)
    }
  }

  // MARK: Outcomes that are not confirmed

  @Test func nackedOutcomeIsSentAgainAndSettledOnce() throws {
    var driver = try EngineDriver.connected()
    driver.start(hourly)
    for pause in [1, 2, 4] as [Int64] {
      driver.nack()
      driver.advance(milliseconds: pause * 1000 - 1)
      #expect(driver.inFlight.isEmpty)
      driver.advance(milliseconds: 1)
      #expect(driver.inFlight.count == 1)
    }
    #expect(driver.frames.isEmpty)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    #expect(Set(driver.started) == [driver.started[0]])
  }

  /// A command whose outcome is nacked delays the settlement of later commands on its schedule: otherwise a Start could
  /// be redelivered without the Stop that followed it.
  @Test func nackedOutcomeDelaysLaterCommandsOnItsSchedule() throws {
    var driver = try EngineDriver.connected()
    driver.deliver([start(hourly), stop("a"), stop("b")].map { ($0, messageID: nil) })
    driver.nack { if case .started = $0 { true } else { false } }
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 3, multiple: false)])
    driver.advance(seconds: 1)
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 2, multiple: true))
  }

  @Test func outcomesAreSentAgainOnANewConnection() throws {
    var driver = try EngineDriver.connected()
    driver.deliver([start(hourly), stop("a")].map { ($0, messageID: nil) })
    driver.publisherDown()
    driver.publisherUp()
    #expect(driver.events.suffix(2) == driver.events.prefix(2))
    #expect(driver.events.count == 4)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 2, multiple: true)])
  }

  @Test func commandsAreStoredWhileThePublisherIsAway() throws {
    var driver = try EngineDriver()
    driver.consume()
    driver.start(hourly)
    #expect(try driver.stored("a") != nil)
    #expect(driver.published.isEmpty)
    driver.publisherUp()
    #expect(driver.started.count == 1)
  }

  // MARK: The consuming channel is lost

  enum Moment: CaseIterable { case lookUp, transaction, confirm }

  /// Whenever the channel is lost, its commands are redelivered on the next one under other tags: only deliveries of
  /// the new channel are settled there.
  @Test(arguments: Moment.allCases)
  func channelIsLost(at moment: Moment) throws {
    var driver = try EngineDriver.connected()
    driver.stop("nobody")
    driver.ack()
    let frames = driver.frames
    driver.holdsStore = true
    driver.start(hourly, messageID: "m1")  // tag 2
    if moment != .lookUp { driver.answerStore() }
    if moment == .confirm { driver.answerStore() }
    driver.receive(.commandsClosed)
    driver.consume()
    driver.start(hourly, messageID: "m1")  // tag 1
    driver.start(Definition(id: "b", timing: hourly.timing), messageID: "m2")  // tag 2
    while driver.heldRequest != nil, driver.started.count < 2 {
      driver.ack { $0.scheduleID == "a" }
      #expect(driver.frames == frames, "a delivery without an outcome is acknowledged")
      driver.answerStore()
    }
    driver.ack()
    while driver.heldRequest != nil { driver.answerStore() }
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 2, multiple: true))
    #expect(try driver.stored("a")?.generation == 1, "applied twice")
    #expect(Set(driver.started.map(\.generation)) == [1, 2])
  }
}
