import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Synchronization
import Testing

/// P32, P33: schedules that publish an event of their own leave over a second connection, and only where their owner may.
struct EngineTargetTests {
  static let alarm = Target(exchange: "alarms", detailType: "Alarm")

  /// The operator's list: these users may publish to any target.
  final class Allowed: Sendable {
    private let users: Mutex<Set<String?>>

    init(_ users: Set<String?>) { self.users = Mutex(users) }

    var refusal: @Sendable (Target, String?) -> String? {
      { [self] _, user in users.withLock { $0.contains(user) } ? nil : "not \(user ?? "nobody")" }
    }
  }

  func everyMinute(_ id: ScheduleID = "a", _ target: Target? = alarm, limit: Int64? = nil) throws -> Definition {
    Definition(id: id, timing: try Timing(cron: "* * * * *"), limit: limit, target: target)
  }

  func start(_ definition: Definition) -> Command { .start(Command.Start(definition: definition)) }

  func driver(
    _ users: Set<String?> = ["alice"], store: MemoryStore = MemoryStore(), at now: Now = .second(0),
    settings: Engine.Settings = Engine.Settings()
  ) throws -> EngineDriver {
    try EngineDriver.connected(
      store: store, at: now, settings: settings, refusalOfTarget: Allowed(users).refusal)
  }

  /// One with a schedule "a" of alice that has a target, and the connection for targets.
  func started(_ definition: Definition? = nil, store: MemoryStore = MemoryStore()) throws -> EngineDriver {
    var driver = try driver(store: store)
    driver.deliver(start(try definition ?? everyMinute()), as: "alice")
    driver.ack()
    driver.advance(seconds: 31)
    driver.targetsUp()
    return driver
  }

  func slots(_ publications: [Publication]) -> [Instant] { publications.compactMap(\.event).ticks.map(\.slot) }

  // MARK: Where it leaves

  /// Most installations have no target, and no second connection.
  @Test func connectionIsNotAskedForWithoutATarget() throws {
    var driver = try driver()
    driver.deliver(start(try everyMinute("a", nil)), as: "alice")
    driver.confirm(through: 300)
    #expect(!driver.needsTargets && driver.ticks.count == 5)
  }

  @Test func ticksWithATargetLeaveOverTheirConnection() throws {
    var driver = try started()
    #expect(driver.needsTargets)
    driver.advance(seconds: 30)
    #expect(driver.ticks.isEmpty && slots(driver.publishedToTargets) == [.second(60)])
    #expect(try driver.stored("a")?.counter == 0, "it counts once it is confirmed")
    driver.ackTargets()
    driver.advance(seconds: 60)
    driver.ackTargets()
    #expect(slots(driver.publishedToTargets) == [.second(60), .second(120)])
    #expect(try driver.stored("a")?.counter == 2)
    #expect(driver.publishedToTargets.allSatisfy { $0.origin.userID == "alice" })
  }

  @Test func limitEndsItWithAStoppedOnTheBus() throws {
    var driver = try started(try everyMinute(limit: 2))
    for _ in 1...4 {
      driver.advance(seconds: 60)
      driver.ackTargets()
    }
    driver.ack()
    #expect(driver.publishedToTargets.count == 2)
    #expect(driver.stopped.map(\.reason) == ["Count Limit Reached"] && driver.stopped.map(\.counter) == [2])
  }

  /// Lock 6: any number of schedules with a target wait without holding up the ticks of others.
  @Test func noConnectionHoldsOnlyTargets() throws {
    var settings = Engine.Settings()
    (settings.dueCapacity, settings.duePage, settings.publishWindow) = (8, 4, 4)
    var driver = try driver(settings: settings)
    for number in 0..<40 { driver.deliver(start(try everyMinute("target\(number)")), as: "alice") }
    driver.deliver(start(try everyMinute("plain", nil)), as: nil)
    driver.ack()
    driver.confirm(through: 300)
    #expect(driver.ticks.map(\.definition.id) == Array(repeating: "plain", count: 5))
    #expect(driver.publishedToTargets.isEmpty)
    driver.targetsUp()
    for _ in 0..<100 { driver.ackTargets() }
    #expect(Set(driver.publishedToTargets.compactMap { $0.event?.scheduleID }).count == 40)
    #expect(
      driver.publishedToTargets.compactMap(\.event).ticks.allSatisfy { $0.slot == .second(300) && $0.missed == 4 })
  }

  /// Lock 6: a connection that accepts ticks and does not answer has a window of its own.
  @Test func silentConnectionHoldsOnlyTargets() throws {
    var settings = Engine.Settings()
    settings.publishWindow = 2
    var driver = try driver(settings: settings)
    for number in 0..<9 { driver.deliver(start(try everyMinute("target\(number)")), as: "alice") }
    for number in 0..<9 { driver.deliver(start(try everyMinute("plain\(number)", nil)), as: nil) }
    driver.ack()
    driver.advance(seconds: 40)
    driver.targetsUp()
    driver.advance(seconds: 21)
    for _ in 0..<9 { driver.ack() }
    #expect(driver.ticks.count == 9)
    #expect(driver.publishedToTargets.count == 2)
  }

  @Test func lostConnectionSendsTheSameTickAgain() throws {
    var driver = try started()
    driver.advance(seconds: 30)
    driver.targetsDown()
    #expect(try driver.stored("a")?.counter == 0)
    driver.confirm(through: 200)
    driver.targetsUp()
    #expect(slots(driver.publishedToTargets) == [.second(60), .second(60)], "in doubt: neither folded nor skipped")
    driver.ackTargets()
    #expect(try driver.stored("a")?.counter == 1)
  }

  /// While only the event bus is away, targets go on.
  @Test func targetsGoOnWithoutTheBus() throws {
    var driver = try started()
    driver.publisherDown()
    driver.advance(seconds: 30)
    driver.ackTargets()
    #expect(slots(driver.publishedToTargets) == [.second(60)])
  }

  /// Lock 6: an exchange that is missing backs off alone.
  @Test func missingExchangeBacksOffAlone() throws {
    var driver = try started(try everyMinute("gone", Target(exchange: "gone", detailType: "Alarm")))
    driver.deliver(start(try everyMinute("there")), as: "alice")
    driver.deliver(start(try everyMinute("plain", nil)), as: nil, messageID: "n")
    while driver.now.wall < .second(400) {
      driver.advance(seconds: 1)
      driver.ack()
      driver.resolveTargets(refusing: ["gone"])
    }
    let sent = driver.publishedToTargets.compactMap(\.event).ticks
    #expect(sent.filter { $0.definition.id == "there" }.map(\.slot) == (1...6).map { .second(60 * $0) })
    #expect(driver.ticks.count == 6)
    let gone = sent.filter { $0.definition.id == "gone" }
    #expect(Set(gone.map(\.slot)) == [.second(60)], "the same tick each time")
    #expect(gone.count < 15, "with growing pauses")
    #expect(try driver.stored("gone")?.counter == 0)
    driver.ackTargets()
    driver.advance(seconds: 61)
    driver.ackTargets()
    #expect(try driver.stored("gone")?.counter == 1)
  }

  /// More schedules with a target than the window holds begin at once, beside others that are due soon or late: each goes on.
  @Test func manyThatBeginAtOnceGoOn() throws {
    var settings = Engine.Settings()
    (settings.dueCapacity, settings.duePage, settings.publishWindow) = (4, 2, 4)
    var driver = try driver(at: .second(40), settings: settings)  // so that the first slot is within what is loaded
    driver.targetsUp()
    for number in 0..<5 {
      let daily = Definition(id: "daily\(number)", timing: try Timing(cron: "0 3 * * *"))
      driver.deliver(start(daily), as: nil, messageID: "d\(number)")
    }
    for number in 0..<20 {
      driver.deliver(start(try everyMinute("plain\(number)", nil)), as: nil, messageID: "p\(number)")
      driver.deliver(start(try everyMinute("target\(number)")), as: "alice", messageID: "t\(number)")
      driver.ack()
    }
    while driver.now.wall < .second(200) {
      driver.advance(seconds: 1)
      for _ in 0..<10 {
        driver.ack()
        driver.ackTargets()
      }
    }
    for number in 0..<20 {
      #expect(try driver.stored("target\(number)")?.counter == 3)
      #expect(try driver.stored("plain\(number)")?.counter == 3)
    }
  }

  /// The late confirm of a tick that timed out counts though its connection is lost before the command that it waited for is
  /// decided.
  @Test func lateConfirmCountsWithoutItsConnection() throws {
    var driver = try started()
    driver.advance(seconds: 65)
    #expect(slots(driver.publishedToTargets) == [.second(60)])
    driver.holdsStore = true
    driver.deliver(start(try everyMinute("other")), as: "alice", messageID: "o")
    driver.ackTargets()
    driver.targetsDown()
    driver.holdsStore = false
    driver.answerStore()
    driver.ack()
    #expect(try driver.stored("a")?.counter == 1)
  }

  // MARK: Who may

  /// Lock 5: a Start is checked against its sender.
  @Test(arguments: ["alice", "bob", nil] as [String?])
  func startIsCheckedAgainstItsSender(user: String?) throws {
    var driver = try driver()
    driver.deliver(start(try everyMinute()), as: user)
    guard user != "alice" else {
      #expect(driver.started.count == 1)
      return
    }
    #expect(driver.started.isEmpty && driver.rejections.map(\.field) == ["target"])
    #expect(try driver.stored("a") == nil)
    driver.ack()
    #expect(driver.frames == [.reject(tag: 1)], "kept for the operator")
  }

  /// Lock 5: an Update of a schedule with a target is checked against its sender, whatever it changes.
  @Test func updateIsCheckedAgainstItsSender() throws {
    var driver = try started()
    func update(_ values: [DefinitionChange.Value], as user: String?, _ removed: [DefinitionChange.Removable] = []) {
      let change = DefinitionChange(values: values, removed: removed)
      driver.deliver(.update(Command.Update(id: "a", change: change)), as: user, messageID: "\(values)\(user ?? "")")
      driver.ack()
    }
    update([.payload(Array("1".utf8))], as: "bob")
    update([.description("x")], as: nil)
    update([.target(Target(detailType: "Other"))], as: "bob")
    #expect(driver.rejections.map(\.field) == ["target", "target", "target"])
    #expect(try driver.stored("a")?.definition == everyMinute())
    update([.payload(Array("1".utf8))], as: "alice")
    #expect(try driver.stored("a")?.definition.payload == Array("1".utf8))
    update([], as: "bob", [.target])
    #expect(try driver.stored("a")?.definition.target == nil, "a plain tick needs no right")
  }

  /// A target that an Update sets has to be allowed to the owner, too, or the schedule would be held at once.
  @Test func updateSetsOnlyWhatTheOwnerMay() throws {
    var driver = try driver()
    driver.deliver(start(try everyMinute("a", nil)), as: "bob")
    let update = Command.update(
      Command.Update(id: "a", change: DefinitionChange(values: [.target(Self.alarm)])))
    driver.deliver(update, as: "alice", messageID: "u")
    #expect(driver.rejections.map(\.reason) == ["not bob"])
  }

  /// Lock 5: a Trigger with a payload is checked against its sender; without one it repeats what the owner may.
  @Test func triggerWithAPayloadIsCheckedAgainstItsSender() throws {
    var driver = try started()
    func trigger(_ payload: String?, as user: String?) {
      let trigger = Command.Trigger(id: "a", payload: payload.map { Array($0.utf8) })
      driver.deliver(.trigger(trigger), as: user, messageID: "\(payload ?? "") \(user ?? "")")
      driver.ack()
      driver.ackTargets()
    }
    trigger("1", as: "bob")
    trigger("1", as: nil)
    #expect(driver.rejections.map(\.field) == ["target", "target"] && driver.publishedToTargets.isEmpty)
    trigger("1", as: "alice")
    trigger(nil, as: "bob")
    let triggered = driver.publishedToTargets.compactMap(\.event).ticks
    #expect(triggered.map(\.isTriggered) == [true, true])
    #expect(triggered.map(\.definition.payload) == [Array("1".utf8), nil])
    #expect(driver.publishedToTargets.map(\.origin.userID) == ["alice", "alice"], "the owner's")
    #expect(driver.ticks.isEmpty)
  }

  /// Lock 5: the list has shrunk while the service was down. The schedule is held, and goes on when it is allowed again.
  @Test func shrunkListHoldsTheSchedule() throws {
    let store = MemoryStore()
    var driver = try started(store: store)
    driver.advance(seconds: 30)
    driver.ackTargets()
    #expect(driver.publishedToTargets.count == 1)

    driver = try self.driver(["carol"], store: store, at: .second(70))
    driver.deliver(start(try everyMinute("plain", nil)), as: nil)
    driver.targetsUp()
    driver.confirm(through: 300)
    #expect(driver.publishedToTargets.isEmpty && driver.ticks.count == 4)
    #expect(driver.reports.contains { if case .targetRefused("a", "not alice") = $0 { true } else { false } })
    driver.deliver(.stop(Command.Stop(id: "plain")), as: nil, messageID: "s")
    driver.ack()
    #expect(driver.stopped.map(\.id) == ["plain"])

    driver = try self.driver(["alice"], store: store, at: .second(310))
    driver.targetsUp()
    driver.advance(seconds: 1)
    driver.ackTargets()
    // The first slot that it was held with is covered by the in-doubt mark, which does not say which tick was sent.
    let sent = driver.publishedToTargets.compactMap(\.event).ticks
    #expect(sent.map(\.slot) == [.second(120), .second(300)])
    #expect(sent.map(\.missed) == [0, 2] && sent.map(\.counter) == [1, 2])
  }

  /// Lock 5: a triggered tick that the owner may not publish any more backs off and expires, and a Stop need not wait for it
  /// without end.
  @Test(arguments: [true, false])
  func stopWaitsForATriggeredTickOnlyAWhile(isConnected: Bool) throws {
    let store = MemoryStore()
    var driver = try started(store: store)
    driver.deliver(.trigger(Command.Trigger(id: "a")), as: "alice", messageID: "t")
    driver.ack()
    #expect(driver.publishedToTargets.count == 1)

    driver = try self.driver(isConnected ? ["carol"] : ["alice"], store: store, at: .second(40))
    if isConnected { driver.targetsUp() } else { driver.targetsDown() }
    driver.deliver(.stop(Command.Stop(id: "a")), as: nil, messageID: "s")
    driver.confirm(through: 200)
    #expect(driver.publishedToTargets.isEmpty)
    #expect(driver.stopped.map(\.id) == ["a"])
  }
}
