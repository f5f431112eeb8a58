import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// An Update that sets, changes or removes a target.
extension EngineTargetTests {
  /// An Update that sets or removes a target moves the next tick to the other connection.
  @Test func updateMovesItToTheOtherConnection() throws {
    var driver = try driver()
    driver.deliver(start(try everyMinute("a", nil)), as: "alice")
    driver.confirm(through: 90)
    driver.update("a", [.target(Self.alarm)])
    #expect(driver.rejections.count == 1, "without a login")
    let update = Command.update(Command.Update(id: "a", change: DefinitionChange(values: [.target(Self.alarm)])))
    driver.deliver(update, as: "alice", messageID: "u")
    driver.ack()
    driver.targetsUp()
    driver.advance(seconds: 35)
    driver.ackTargets()
    let removal = Command.update(Command.Update(id: "a", change: DefinitionChange(values: [], removed: [.target])))
    driver.deliver(removal, as: "alice", messageID: "r")
    driver.confirm(through: 190)
    #expect(slots(driver.publishedToTargets) == [.second(120)])
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(180)])
    #expect(driver.ticks.map(\.counter) == [0, 2])
    #expect(try driver.stored("a")?.counter == 3)
  }

  /// A tick that backs off for its target leaves over the event bus once an Update has removed that.
  @Test(arguments: [true, false])
  func tickThatBacksOffFollowsItsSchedule(isConnected: Bool) throws {
    var driver = try started(try everyMinute("a", Target(exchange: "gone", detailType: "Alarm")))
    driver.advance(seconds: 30)
    driver.resolveTargets(refusing: ["gone"])
    if !isConnected { driver.targetsDown() }
    let removal = Command.update(Command.Update(id: "a", change: DefinitionChange(values: [], removed: [.target])))
    driver.deliver(removal, as: "alice", messageID: "r")
    driver.confirm(through: 200)
    #expect(slots(driver.publishedToTargets) == [.second(60)])
    #expect(driver.ticks.map(\.slot) == [.second(60), .second(120), .second(180)])
    #expect(driver.ticks.map(\.counter) == [0, 1, 2])
    #expect(try driver.stored("a")?.counter == 3)
  }

  /// The slot of a schedule may be in doubt though it is not loaded yet: an Update that sets a target moves it to where
  /// everything is.
  @Test func slotInDoubtStaysSoWhereItMoves() throws {
    let store = MemoryStore()
    var driver = try driver(store: store)
    for number in 0..<3 { driver.deliver(start(try everyMinute("plain\(number)", nil)), as: nil) }
    driver.deliver(start(try everyMinute("a", nil)), as: "alice")
    driver.ack()
    driver.advance(seconds: 61)
    #expect(driver.ticks.count == 4)

    var settings = Engine.Settings()
    (settings.dueCapacity, settings.duePage) = (2, 1)
    driver = try EngineDriver(
      store: store, at: .second(3000), settings: settings, refusalOfTarget: Allowed(["alice"]).refusal)
    driver.consume()
    let update = Command.update(Command.Update(id: "a", change: DefinitionChange(values: [.target(Self.alarm)])))
    driver.deliver(update, as: "alice", messageID: "u")
    driver.targetsUp()
    driver.advance(seconds: 1)
    #expect(slots(driver.publishedToTargets) == [.second(60)], "neither folded nor skipped")
  }

  /// P14: an outage alone does not use up the hour after which a triggered event expires.
  @Test func triggeredEventOutlastsAnOutage() throws {
    var driver = try started()
    driver.targetsDown()
    driver.deliver(.trigger(Command.Trigger(id: "a")), as: "alice", messageID: "t")
    driver.confirm(through: 9000)
    driver.targetsUp()
    driver.advance(seconds: 61)
    #expect(driver.publishedToTargets.compactMap(\.event).ticks.contains { $0.isTriggered })
    #expect(!driver.reports.contains { if case .tickExpired = $0 { true } else { false } })
  }

  /// A tick that is in doubt is sent again after a crash, over its own connection.
  @Test func tickInDoubtIsSentAgain() throws {
    let store = MemoryStore()
    var driver = try started(store: store)
    driver.advance(seconds: 30)
    #expect(driver.publishedToTargets.count == 1)
    driver = try self.driver(store: store, at: .second(3000))
    driver.targetsUp()
    driver.advance(seconds: 1)
    #expect(slots(driver.publishedToTargets) == [.second(60)] && driver.ticks.isEmpty)
  }
}
