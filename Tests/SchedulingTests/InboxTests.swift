import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// Redelivered commands: gathered, kept in order, decided from there.
struct InboxTests {
  // MARK: Gathering

  private func raw(_ number: Int) -> RawDelivery { RawDelivery(number: number) }

  @Test func aBatchIsAcknowledgedWhenItIsComplete() {
    var gathering = Gathering(after: 6)
    #expect(gathering.add(raw(1), deliveries: 2, tag: 1, maximumBytes: 100).isEmpty)
    #expect(gathering.add(raw(2), deliveries: 1, tag: 2, maximumBytes: 100).isEmpty)
    #expect(
      gathering.end() == [
        .discardIncomplete,
        .receive([InboxArrival(raw: raw(1), deliveries: 2), InboxArrival(raw: raw(2), deliveries: 1)], batch: 7),
        .complete(batch: 7),
      ])
    #expect(!gathering.isEmpty)
    #expect(gathering.completed(7) == ([1, 2], 2))
    #expect(gathering.isEmpty)
    #expect(gathering.end().isEmpty, "nothing was gathered since")
  }

  /// What is filed before all of it is here stays unacknowledged, and is forgotten with the channel.
  @Test func muchIsFiledInParts() {
    var gathering = Gathering(after: 0)
    #expect(gathering.add(raw(1), deliveries: 1, tag: 1, maximumBytes: 16).isEmpty)
    #expect(gathering.add(raw(2), deliveries: 1, tag: 2, maximumBytes: 16).count == 2)
    #expect(gathering.takeReleased() == [1, 2])
    #expect(gathering.takeReleased() == [])
    gathering.abandon()
    #expect(gathering.isEmpty)
    _ = gathering.add(raw(3), deliveries: 1, tag: 1, maximumBytes: 16)
    #expect(gathering.end().first == .discardIncomplete)
  }

  /// The channel ends while a batch is on its way to the disk: it will be there, and comes again.
  @Test func aBatchOfAChannelThatIsGoneIsNotAcknowledged() {
    var gathering = Gathering(after: 0)
    _ = gathering.add(raw(1), deliveries: 1, tag: 1, maximumBytes: 100)
    _ = gathering.end()
    gathering.abandon()
    #expect(gathering.completed(1) == ([], 1))
  }

  // MARK: The engine

  private let hourly = Definition(id: "a", timing: .at(.second(9_000)))

  private func commands(_ count: Int) -> [(Command, messageID: String?)] {
    (0..<count).map { number in
      number.isMultiple(of: 2)
        ? (.start(Command.Start(definition: hourly)), messageID: "m\(number)")
        : (.stop(Command.Stop(id: "a", reason: "stop \(number)")), messageID: number % 4 == 1 ? nil : "m\(number)")
    }
  }

  /// The second of two interruptions returns what it held behind the rest.
  @Test func countsDecideTheOrder() throws {
    var driver = try EngineDriver.connected()
    let commands = commands(4)
    driver.redeliver([(commands[2], 1), (commands[3], 1), (commands[0], 2), (commands[1], 2)])
    driver.ack()
    #expect(driver.rejections.isEmpty)
    #expect(try driver.stored("a")?.ending?.reason == "stop 3")
    #expect(driver.frames == [.acknowledge(tag: 4, multiple: true)])
  }

  /// Nothing is decided before all of it is here, and nothing newer before that.
  @Test func freshCommandsWaitForTheInbox() throws {
    var driver = try EngineDriver.connected()
    driver.redeliver([(commands(1)[0], 1)], isAll: false)
    #expect(driver.published.isEmpty)
    driver.stop("a", reason: "fresh")
    #expect(driver.started.count == 1)
    #expect(driver.stopped.map(\.reason) == ["fresh"])
  }

  /// Decided and not confirmed: after a crash it is announced again, and not decided again.
  @Test func whatWasDecidedIsOnlyAnnouncedAgain() throws {
    let (store, archive) = (MemoryStore(), CommandArchive())
    var driver = try EngineDriver.connected(store: store, archive: archive)
    driver.redeliver([((.start(Command.Start(definition: hourly)), messageID: nil), 1)])
    let generation = try #require(driver.started.first?.generation)
    driver = try EngineDriver.connected(store: store, archive: archive)
    #expect(driver.started.map(\.generation) == [generation])
    driver.ack()
    driver = try EngineDriver.connected(store: store, archive: archive)
    #expect(driver.started.isEmpty)
    #expect(try driver.stored("a")?.generation == generation)
  }

  /// After three deaths over a command it is answered and copied to the dead queue, and its neighbours are decided.
  @Test func aCommandThatEndsTheProcessIsSetAside() throws {
    let (store, archive) = (MemoryStore(), CommandArchive())
    let start = ReceivedCommand.Content.command(.start(Command.Start(definition: hourly)), key: nil)
    try store.apply([
      .inbox(
        .receive(
          [
            InboxArrival(raw: archive.raw(.ownEvent, isPoison: true), deliveries: 1),
            InboxArrival(raw: archive.raw(start), deliveries: 1),
          ], batch: 1)), .inbox(.complete(batch: 1)),
    ])
    for death in 1...3 {
      // What an engine does after it met the poison would not happen: the try is what is left of it.
      let page = try store.takeInbox(after: nil, limit: 256)
      #expect(page.rows.first?.tries == death - 1)
      #expect(page.rows.count == (death == 1 ? 2 : 1), "it comes alone once it was tried")
    }
    var driver = try EngineDriver.connected(store: store, archive: archive)
    #expect(!archive.takePoison())
    #expect(driver.rejections.count == 1)
    driver.ack()
    #expect(driver.published.contains { if case .deadLetter = $0.content { true } else { false } })
    #expect(driver.started.map(\.definition.id) == ["a"])
  }

  // MARK: Suspension

  @Test func outcomesThatCannotBePublishedSuspendAfterAWhile() {
    var suspension = IntakeSuspension(settings: Engine.Settings())
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 0) == nil)
    #expect(suspension.deadline(canAnswer: false) == 600_000)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 599_999) == nil)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 600_000) == .suspend(.unanswered))
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 700_000) == nil)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: true, at: 700_001) == .resume)
  }

  @Test func tooManyBytesSuspendOnlyWhileNothingCanBeAnswered() {
    var suspension = IntakeSuspension(settings: Engine.Settings())
    suspension.congested()
    #expect(suspension.step(isStoreAvailable: true, canAnswer: true, at: 0) == nil)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 1) == nil, "it was a moment ago")
    suspension.congested()
    #expect(suspension.step(isStoreAvailable: true, canAnswer: false, at: 2) == .suspend(.congested))
  }

  @Test func theStoreIsGivenASecond() {
    var suspension = IntakeSuspension(settings: Engine.Settings())
    #expect(suspension.step(isStoreAvailable: false, canAnswer: true, at: 0) == .suspend(.store))
    suspension.storeRecovered(at: 50)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: true, at: 1_049) == nil)
    #expect(suspension.step(isStoreAvailable: true, canAnswer: true, at: 1_050) == .resume)
  }
}
