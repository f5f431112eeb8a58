import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Questions, and replies to them and to commands.
struct EngineQuestionTests {
  private static let address = ReplyAddress(replyTo: Array("me".utf8), correlationID: [1])

  private func describe(_ id: ScheduleID, next: Int = 10) -> ReceivedCommand.Content {
    .question(.describe(Question.Describe(id: id, next: next)), to: Self.address)
  }

  private func hourly(_ id: ScheduleID = "a") throws -> Definition {
    Definition(id: id, timing: try Timing(every: "1h"))
  }

  private func described(_ driver: EngineDriver) -> [Described] {
    driver.replies.compactMap { if case .described(let described) = $0.content { described } else { nil } }
  }

  private func rejected(_ driver: EngineDriver) -> [Rejection] {
    driver.replies.compactMap { if case .event(.rejected(let rejection)) = $0.content { rejection } else { nil } }
  }

  // MARK: Describe

  @Test("a schedule is described, and the question acknowledged at once, without any change or event")
  func describes() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.advance(seconds: 3600)
    driver.ack()
    let (changes, events) = (driver.applied.count, driver.events.count)
    driver.deliver(describe("a", next: 3))
    let described = try #require(described(driver).last)
    #expect(described.schedule == (try driver.stored("a")))
    #expect(described.history == (try driver.store.history(of: "a")))
    #expect(described.history.tally.last?.slot == .second(3600))
    #expect(described.upcoming == [.second(7200), .second(10800), .second(14400)])
    #expect(driver.replies.map(\.address) == [Self.address])
    #expect(driver.applied.count == changes && driver.events.count == events)
    #expect(driver.frames.last == .acknowledge(tag: 2, multiple: true))
    #expect(driver.reports.contains { if case .questionAnswered(.describe) = $0 { true } else { false } })
  }

  @Test("an unknown id is rejected to the client alone, and an ended schedule is described")
  func unknown() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.deliver(describe("b"))
    #expect(rejected(driver).map(\.field) == ["id"] && rejected(driver).map(\.command) == ["Schedule Describe"])
    #expect(driver.rejections.isEmpty, "nothing on the bus")
    driver.stop("a")
    driver.deliver(describe("a"))
    let last = try #require(described(driver).last)
    #expect(last.schedule.publicState == .ended && last.upcoming.isEmpty)
  }

  @Test("a question waits for no tick and no confirm")
  func inFlight() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.advance(seconds: 3600)  // its tick is in flight
    driver.deliver(describe("a"))
    #expect(described(driver).count == 1)
    driver.publisherDown()
    driver.deliver(describe("a"))
    #expect(described(driver).count == 2, "replies need no event bus")
  }

  @Test("a question sees the commands before it, and those that are stored together with them")
  func order() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(describe("a"))
    driver.deliver(contents: [
      .command(.start(Command.Start(definition: try hourly())), key: nil), describe("a"),
      .command(.stop(Command.Stop(id: "a")), key: nil), describe("a"),
    ])
    #expect(rejected(driver).count == 1)
    #expect(described(driver).map(\.schedule.publicState) == [.ended, .ended])
  }

  @Test("a question behind commands whose changes are not stored yet waits for them")
  func waitsForChanges() throws {
    var driver = try EngineDriver.connected()
    driver.holdsStore = true
    driver.deliver(contents: [.command(.start(Command.Start(definition: try hourly())), key: nil), describe("a")])
    driver.answerStore()  // the look-up
    guard case .apply? = driver.heldRequest else {
      Issue.record("\(String(describing: driver.heldRequest))")
      return
    }
    #expect(driver.replies.isEmpty)
    driver.holdsStore = false
    driver.answerStore()
    #expect(described(driver).count == 1 && rejected(driver).isEmpty)
  }

  @Test("a held or paused schedule has no next slots")
  func paused() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.pause("a")
    driver.deliver(describe("a"))
    let paused = try #require(described(driver).last)
    #expect(paused.schedule.publicState == .paused && paused.upcoming.isEmpty)
    driver.ack()
    driver.resume("a")
    driver.deliver(describe("a", next: 0))
    let resumed = try #require(described(driver).last)
    #expect(resumed.schedule.publicState == .active && resumed.upcoming.isEmpty)
  }

  @Test("no more slots are listed than the limit of a schedule permits")
  func limit() throws {
    var driver = try EngineDriver.connected()
    driver.start(Definition(id: "a", timing: try Timing(every: "1h"), limit: 2))
    driver.start(Definition(id: "b", timing: .at(.second(60)), limit: 9))
    driver.deliver(describe("a", next: 100))
    driver.deliver(describe("b", next: 100))
    #expect(described(driver).map(\.upcoming) == [[.second(3600), .second(7200)], [.second(60)]])
  }

  // MARK: Limits

  @Test("at most so many questions are in hand; what is behind them waits in the line, in order")
  func flood() throws {
    var settings = Engine.Settings()
    settings.maximumQuestions = 3
    var driver = try EngineDriver.connected(settings: settings)
    driver.holdsStore = true
    let questions = Array(repeating: describe("a"), count: 10)
    driver.deliver(contents: questions + [.command(.start(Command.Start(definition: try hourly())), key: nil)])
    var turns: [String] = []
    while let request = driver.heldRequest {
      switch request {
      case .lookUp(let ids, _, _, _): turns.append(ids.isEmpty ? "take" : "start")
      case .describe: turns.append("?")
      case .apply: turns.append("apply")
      default: break
      }
      driver.answerStore()
    }
    #expect(turns.count { $0 == "?" } == 10 && driver.replies.count == 10)
    let start = try #require(turns.firstIndex(of: "start"))
    #expect(turns[..<start].count { $0 == "?" } >= 7, "at most three are in hand: \(turns)")
    #expect(driver.started.count == 1)
  }

  @Test("questions take turns with ticks")
  func turns() throws {
    var driver = try EngineDriver.connected()
    for number in 0..<5 { driver.start(Definition(id: "t\(number)", timing: .at(.second(60)))) }
    driver.ack()
    driver.advance(seconds: 59)
    driver.holdsStore = true
    driver.deliver(contents: Array(repeating: describe("t0"), count: 20))
    driver.advance(seconds: 2)
    var answers = 0
    while driver.heldRequest != nil, driver.ticks.count < 5 || driver.heldRequest != nil {
      if case .describe? = driver.heldRequest { answers += 1 }
      driver.ack()
      driver.answerStore()
      if answers == 10 { #expect(driver.ticks.count == 5, "ticks are not behind the questions") }
    }
    #expect(answers == 20 && driver.replies.count == 20)
  }

  // MARK: Faults

  @Test("questions of a lost channel are dropped: the broker delivers them again, and they are answered from the inbox")
  func redelivered() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.holdsStore = true
    driver.deliver(contents: [describe("a"), describe("a")])
    driver.receive(.commandsClosed)
    driver.holdsStore = false
    driver.answerStore()
    let answered = driver.replies.count
    #expect(answered <= 1, "the one that was being read for")
    driver.consume()
    driver.redelivers = true
    driver.deliver(contents: [describe("a"), describe("a")])
    #expect(described(driver).count == answered + 2)
    #expect(!driver.engine.hasInbox, "an answered question leaves it")
  }

  @Test("a question of the inbox holds back the rest of it, so that no other command is blamed for it")
  func inboxIsHeld() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.redelivers = true
    driver.holdsStore = true
    driver.deliver(contents: [describe("a"), .command(.stop(Command.Stop(id: "a")), key: nil)])
    var isRead = false
    while let request = driver.heldRequest {
      if case .describe = request { isRead = true }
      driver.answerStore()
    }
    #expect(isRead && driver.replies.count == 1)
    driver.ack()
    #expect(!driver.engine.hasInbox)
  }

  @Test("a stop of the service answers the questions in hand")
  func drain() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.holdsStore = true
    driver.deliver(contents: Array(repeating: describe("a"), count: 3))
    driver.answerStore()  // the look-up
    driver.receive(.drain)
    driver.holdsStore = false
    driver.answerStore()
    #expect(driver.replies.count == 3 && driver.isDrained)
  }

  @Test("a passing failure of the store delays the answer")
  func storeFails() throws {
    var driver = try EngineDriver.starting(try hourly())
    driver.store.fault = StoreError(.full, "no room")
    driver.deliver(describe("a"))
    #expect(driver.replies.isEmpty)
    driver.store.fault = nil
    driver.advance(seconds: 60)
    driver.consume()  // the intake was suspended, and its questions are delivered again
    driver.deliver(describe("a"))
    #expect(described(driver).count >= 1)
  }

  // MARK: Outcomes

  @Test("an outcome is also replied if its command asks for it, after its changes are stored")
  func outcomes() throws {
    var driver = try EngineDriver.connected()
    driver.holdsStore = true
    let start = ReceivedCommand.Content.command(.start(Command.Start(definition: try hourly())), key: nil)
    driver.deliver(start, replyTo: Self.address)
    driver.answerStore()
    #expect(driver.replies.isEmpty, "its changes are not stored")
    driver.holdsStore = false
    driver.answerStore()
    #expect(driver.replies.map(\.content) == driver.started.map { .event(.started($0)) })
    let malformed = Rejection(command: "Schedule Stop", field: "id", reason: "id is required")
    driver.deliver(.malformed(malformed), replyTo: Self.address)
    #expect(driver.rejections == [malformed] && rejected(driver) == [malformed])
    driver.deliver(start)
    #expect(driver.replies.count == 2, "without an address there is no reply")
    driver.deliver(.ownEvent, replyTo: Self.address)
    #expect(driver.replies.count == 2, "an event of our own is never answered")
  }

  @Test("an outcome that is sent again after a lost connection is replied once")
  func once() throws {
    var driver = try EngineDriver.connected()
    driver.deliver(.command(.start(Command.Start(definition: try hourly())), key: nil), replyTo: Self.address)
    driver.publisherDown()
    driver.publisherUp()
    driver.ack()
    #expect(driver.started.count == 2 && driver.replies.count == 1)
  }
}
