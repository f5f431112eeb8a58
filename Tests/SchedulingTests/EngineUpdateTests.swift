import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// P30: an Update gives another definition, under the same counter and pause.
struct EngineUpdateTests {
  private let everyMinute: Definition
  private let one = Array("1".utf8)
  private let two = Array("2".utf8)

  init() throws {
    everyMinute = Definition(id: "a", timing: try Timing(cron: "* * * * *"), payload: Array("1".utf8))
  }

  private func changed(_ driver: EngineDriver) -> [[String]] {
    driver.controlled.compactMap { if case .updated(let changed, _) = $0.effect { changed } else { nil } }
  }

  @Test func keepsTheCounterAndWhatItDoesNotName() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.ack()
    driver.update("a", [.payload(two), .group("g"), .tags(["t", "u"]), .description("d")])
    driver.ack()
    #expect(changed(driver) == [["payload", "group", "tags", "description"]])
    #expect(driver.controlled.first?.revision == 2)
    #expect(driver.controlled.first?.counter == 1)
    #expect(driver.controlled.first?.nextSlot == .second(120))
    var expected = everyMinute
    (expected.payload, expected.group, expected.tags, expected.description) = (two, "g", ["t", "u"], "d")
    #expect(driver.controlled.first?.definition == expected)
    driver.advance(seconds: 60)
    #expect(driver.ticks.map(\.counter) == [0, 1])
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(120)])
    #expect(driver.ticks.last?.definition == expected)
  }

  /// As it is sent: the tick in doubt, then the slots that the Update asked for.
  @Test func upcomingSlotsFollowTheUpdate() throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: try Timing(every: "1h")))
    driver.advance(seconds: 3600)
    driver.nack()
    driver.advance(milliseconds: 500)
    driver.update("a", [.timing(try Timing(every: "7m"))])
    let slots = try #require(try driver.stored("a")).upcomingSlots(3, in: .utc)
    #expect(slots.map { $0.milliseconds - Instant.second(3600).milliseconds } == [0, 420_500, 840_500])
  }

  @Test func removesFields() throws {
    var definition = everyMinute
    (definition.limit, definition.group, definition.endDate) = (5, "g", .second(90))
    var driver = try EngineDriver.starting(definition)
    driver.update("a", [], removing: [.limit, .group, .endDate, .payload, .tags])
    driver.ack()
    #expect(changed(driver) == [["limit", "endDate", "payload", "group"]])
    driver.advance(seconds: 60)
    driver.ack()
    driver.advance(seconds: 60)
    #expect(driver.ticks.count == 2)
    #expect(driver.ticks.last?.definition == Definition(id: "a", timing: everyMinute.timing))
  }

  @Test func anotherTimingCountsFromNow() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 90)
    driver.ack()
    driver.update("a", [.timing(try Timing(every: "1h"))])
    driver.ack()
    #expect(changed(driver) == [["every"]])
    driver.advance(seconds: 4000)
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(90 + 3600)])
  }

  /// An interval keeps its grid when only its end changes.
  @Test func anIntervalKeepsItsGrid() throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: try Timing(every: "1m")))
    driver.advance(seconds: 30)
    driver.update("a", [.endDate(.second(1000))])
    driver.ack()
    #expect(driver.controlled.first?.nextSlot == .second(60))
  }

  @Test func nothingIsChangedByTheSame() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.update("a", [.payload(one), .timing(everyMinute.timing)])
    driver.ack()
    #expect(changed(driver) == [[]])
    #expect(driver.controlled.first?.revision == 1)
  }

  @Test(arguments: [1, 2])
  func aRevisionCanBeDemanded(_ revision: Int64) throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.update("a", [.payload(two)])
    driver.ack()
    driver.update("a", [.payload(one)], ifRevision: revision)
    driver.ack()
    #expect(driver.rejections.map(\.field) == (revision == 2 ? [] : ["ifRevision"]))
    #expect(driver.frames == (1...3).map { .acknowledge(tag: $0, multiple: true) }, "refused for the state")
    #expect(try driver.stored("a")?.definition.payload == (revision == 2 ? one : two))
  }

  @Test func aLimitThatIsReachedEndsIt() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.ack()
    driver.update("a", [.limit(1)])
    #expect(driver.controlled.map(\.hasEnded) == [true])
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
    #expect(driver.events.last.map { if case .stopped = $0 { true } else { false } } == true, "after its Updated")
    driver.ack()
    driver.advance(seconds: 300)
    #expect(driver.ticks.count == 1)
  }

  @Test(arguments: [
    (DefinitionChange.Value.endDate(.second(50)), "endDate"), (.startDate(.second(101)), "endDate"),
    (.endDate(.second(10)), "endDate"),
  ])
  func datesThatDoNotFitAreRejected(value: DefinitionChange.Value, field: String) throws {
    var definition = everyMinute
    definition.endDate = .second(100)
    var driver = try EngineDriver.starting(definition)
    driver.advance(seconds: 10)
    driver.update("a", [value])
    driver.ack()
    #expect(driver.rejections.map(\.field) == [field])
    #expect(try driver.stored("a")?.definition == definition)
    #expect(try driver.stored("a")?.control.revision == 1)
  }

  @Test func keepsAPause() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.pause("a", .until(.second(1000)))
    driver.ack()
    driver.update("a", [.timing(try Timing(cron: "30 * * * *"))])
    driver.ack()
    #expect(driver.controlled.last?.pause == Schedule.Pause(since: .second(0), until: .second(1000)))
    driver.advance(seconds: 900)
    #expect(driver.ticks.isEmpty)
    driver.advance(seconds: 900)
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(1800)])
  }

  /// A declaration is compared with the last Start, not with an Update.
  @Test func theNextDeclarationFindsItUnchanged() throws {
    var definition = everyMinute
    definition.ifExists = .replaceIfChanged
    var driver = try EngineDriver.starting(definition)
    driver.update("a", [.payload(two)])
    driver.ack()
    driver.start(definition)
    driver.ack()
    #expect(driver.started.map(\.effect) == [.created, .kept])
    #expect(driver.started.last?.revision == 2)
    #expect(try driver.stored("a")?.definition.payload == two)
  }

  // MARK: A slot that may have been published

  @Test func waitsForATickInFlight() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.update("a", [.payload(two)])
    #expect(driver.controlled.isEmpty)
    driver.ack()
    driver.ack()
    #expect(driver.controlled.map(\.counter) == [1])
  }

  /// Dates alone do not restart a one-shot, nor make one of a nacked tick two.
  @Test(arguments: [true, false])
  func datesDoNotMoveAOneShot(isNacked: Bool) throws {
    var driver = try EngineDriver.starting(Definition(id: "a", timing: try Timing(duration: "1m")))
    driver.advance(seconds: isNacked ? 60 : 30)
    driver.nack()
    driver.update("a", [.endDate(.second(5000)), .timezone("Etc/UTC")])
    driver.advance(seconds: 60)
    driver.ack()
    driver.advance(seconds: 1000)
    driver.ack()
    #expect(Set(driver.ticks.map(\.slot)) == [.second(60)])
    #expect(try driver.stored("a")?.counter == 1)
  }

  /// A one-shot in the past is due at once, also behind a slot that is still to be resolved.
  @Test func aOneShotFollowsANackedTick() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.nack()
    driver.update("a", [.timing(.at(.second(-5)))])
    driver.advance(seconds: 1)
    driver.ack()
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(60), .second(-5)])
    driver.ack()
    #expect(try driver.stored("a")?.isLive == false)
  }

  @Test(arguments: [true, false])
  func aLimitThatIsReachedWaitsForANackedTick(isConfirmed: Bool) throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.ack()
    driver.advance(seconds: 60)
    driver.nack()
    driver.update("a", [.limit(1)])
    driver.ack()
    #expect(driver.controlled.map(\.hasEnded) == [false])
    while driver.stopped.isEmpty, driver.now.wall < .second(5000) {
      driver.advance(seconds: 1)
      if isConfirmed { driver.ack() } else { driver.nack { $0.isTick } }
    }
    #expect(driver.stopped.map(\.counter) == [isConfirmed ? 2 : 1])
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
  }

  /// Applied again after a Start without `message_id`: it was accepted once, whatever the revision is now.
  @Test func anAcceptedRevisionIsNotAskedForAgain() throws {
    let store = MemoryStore()
    let archive = CommandArchive()
    var driver = try EngineDriver.connected(store: store, archive: archive)
    let start = (Command.start(Command.Start(definition: everyMinute)), messageID: String?.none)
    let update = (
      Command.update(
        Command.Update(id: "a", change: DefinitionChange(values: [.payload(two)]), ifRevision: 1)),
      messageID: String?.some("u")
    )
    driver.deliver([start])
    driver.deliver([update])
    driver.ack()
    #expect(changed(driver) == [["payload"]])
    driver.consume()
    driver.redeliver([(start, 1), (update, 1)])
    driver.ack()
    driver.ack()
    #expect(driver.rejections.isEmpty)
    #expect(try driver.stored("a")?.definition.payload == two)
  }

  /// The old tick goes on as it was, and the new definition takes the slots after it, from now.
  @Test func aNackedTickGoesOnAsItWas() throws {
    var driver = try EngineDriver.starting(everyMinute)
    driver.advance(seconds: 60)
    driver.nack()
    driver.advance(milliseconds: 500)
    driver.update("a", [.payload(two), .timing(try Timing(every: "10m"))])
    driver.ack()
    #expect(driver.controlled.first?.counter == 0)
    driver.advance(seconds: 1)
    #expect(driver.ticks.map(\.definition.payload) == [one, one])
    driver.ack()
    driver.advance(seconds: 1000)
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(60), .millisecond(660_500)])
    #expect(driver.ticks.last?.counter == 1)
  }
}
