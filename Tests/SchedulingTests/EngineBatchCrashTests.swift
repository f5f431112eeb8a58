import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// P34: what a crash leaves of a command by group or prefix is completed by the next process, once.
struct EngineBatchCrashTests: BatchFixture {
  /// A crash before each transaction of a batch: the next process completes it, without the command.
  @Test(arguments: 1...12)
  func theNextProcessCompletesIt(after transactions: Int) throws {
    let store = MemoryStore()
    var driver = try driver(store: store, settings: smallSteps)
    driver.holdsStore = true
    driver.batch(pause, group)
    let applied = driver.applied.count
    for _ in 0..<100 where driver.applied.count < applied + transactions {
      driver.answerStore()
      driver.ack()
    }
    let isDone = !driver.batchesDone.isEmpty
    driver = try EngineDriver.connected(store: store, settings: smallSteps)
    if try store.batches(after: nil, limit: 9).batches.isEmpty, !isDone {
      // Nothing is left of it, or all of it: it is delivered again.
      driver.redeliver(contents: [(driver.batch(pause, group, "batch"), messageID: "batch", 1)])
    }
    for _ in 0..<9 { driver.ack() }
    for id in ["a", "b", "c"] as [ScheduleID] {
      #expect(try driver.stored(id)?.control.revision == 2, "\(id.text) is paused once")
      #expect(try driver.stored(id)?.isPaused == true)
    }
    #expect(try store.batches(after: nil, limit: 9) == BatchPage())
    driver.redeliver(contents: [(driver.batch(pause, group, "batch"), messageID: "batch", 1)])
    driver.ack()
    #expect(driver.batchesDone.last == done(3, 3))
    #expect(try driver.stored("a")?.control.revision == 2)
  }

  /// Decided and not confirmed: announced again.
  @Test func anUnconfirmedOutcomeIsAnnouncedAgain() throws {
    let store = MemoryStore()
    var driver = try driver(store: store)
    driver.batch(pause, group)
    driver.ack { $0.scheduleID == "b" }
    driver = try EngineDriver.connected(store: store)
    #expect(driver.controlled.map(\.id) == ["a", "c"])
    #expect(driver.controlled.allSatisfy { $0.isRepeated && $0.effect == .paused })
    driver.redeliver(contents: [(driver.batch(pause, group, "batch"), messageID: "batch", 1)])
    #expect(driver.batchesDone.isEmpty)
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3)])
  }

  /// Members come before anything that is delivered again or newer.
  @Test func membersOfAnEarlierProcessComeFirst() throws {
    let store = MemoryStore()
    var driver = try driver(store: store)
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "b" }
    driver.batch(pause, group)
    driver = try EngineDriver(store: store, at: .second(61))
    driver.consume()
    driver.resume("b")
    driver.publisherUp()
    driver.ack()
    #expect(try driver.stored("b")?.isPaused == false)
    #expect(driver.controlled.filter { $0.id == "b" }.map(\.name) == [.paused, .resumed])
  }

  /// A Start without `message_id` is applied again after a crash, and so is the Stop of its group behind it.
  @Test(arguments: [true, false])
  func itIsAppliedAgainBehindWhatIs(isDone: Bool) throws {
    let (store, archive) = (MemoryStore(), CommandArchive())
    var driver = try EngineDriver.connected(store: store, archive: archive)
    driver.start(try definition("a"))
    driver.start(try definition("b"), messageID: "m")
    driver.batch(stop, group)
    if isDone { driver.ack { $0.scheduleID != nil } }
    #expect(driver.batchesDone.count == (isDone ? 1 : 0))
    driver = try EngineDriver.connected(store: store, archive: archive)
    driver.redeliver(contents: [
      (.command(.start(Command.Start(definition: try definition("a"))), key: nil), messageID: nil, 1),
      (driver.batch(stop, group, "batch"), messageID: "batch", 1),
    ])
    for _ in 0..<6 { driver.ack() }
    #expect(try driver.stored("a")?.isLive == false)
    #expect(driver.batchesDone.map(\.counts) == [BatchCounts(matched: 2, changed: 2)])
    #expect(try store.batches(after: nil, limit: 9) == BatchPage())
    #expect(driver.frames == [.acknowledge(tag: 2, multiple: true)])
  }

  /// Each of two commands has a schedule in the line after a crash: what comes behind waits for both.
  @Test func membersOfTwoBatchesComeFirst() throws {
    let store = MemoryStore()
    var driver = try driver(store: store, settings: smallSteps)
    driver.batch(pause, group, messageID: "one")
    driver.ack { $0.scheduleID == "a" }
    driver.batch(pause, group, messageID: "two")
    #expect(try store.batches(after: nil, limit: 9).rows.map(\.member.id) == ["b", "c", "a", "b", "c"])
    driver = try EngineDriver.connected(store: store, settings: smallSteps)
    driver.resume("b")
    for _ in 0..<9 { driver.ack() }
    #expect(try driver.stored("b")?.isPaused == false)
  }

  /// The line does not wait for a batch whose command comes again with nothing before it that is applied again.
  @Test func othersGoOnWhileItIsCompletedAfterACrash() throws {
    let (store, archive) = (MemoryStore(), CommandArchive())
    var driver = try driver(store: store, settings: smallSteps)
    driver.batch(pause, group)
    for _ in 0..<2 {
      driver = try EngineDriver.connected(store: store, settings: smallSteps, archive: archive)
      #expect(driver.controlled.map(\.id) == ["a", "b"], "few outcomes are unconfirmed at a time")
      driver.redeliver(contents: [
        (driver.batch(pause, group, "batch"), messageID: "batch", 1),
        (.command(.stop(Command.Stop(id: "e", reason: "r")), key: nil), messageID: nil, 1),
      ])
      #expect(Set(driver.rejections.map(\.id)) == ["e"])
    }
    for _ in 0..<6 { driver.ack() }
    #expect(driver.controlled.map(\.id) == ["a", "b", "c"])
    #expect(Set(driver.batchesDone) == [done(3, 3)])
    #expect(try store.takeInbox(after: nil, limit: 9).rows.isEmpty)
  }

  /// What only waited for a batch is not taken for the cause of crashes.
  @Test func whatWaitsForItIsNoPoison() throws {
    let (store, archive) = (MemoryStore(), CommandArchive())
    var driver = try driver(store: store, settings: smallSteps)
    driver.batch(stop, group)
    for crash in 0..<5 {
      driver = try EngineDriver.connected(store: store, settings: smallSteps, archive: archive)
      guard crash == 0 else { continue }
      driver.redeliver(contents: [
        (.command(.start(Command.Start(definition: try definition("a"))), key: nil), messageID: nil, 1),
        (driver.batch(stop, group, "batch"), messageID: "batch", 1),
        (.command(.pause(Command.Pause(id: "d")), key: nil), messageID: nil, 1),
      ])
    }
    #expect(driver.controlled.isEmpty, "the batch has to be done and applied again before what follows")
    for _ in 0..<6 { driver.ack() }
    #expect(driver.published.filter { $0.event == nil }.isEmpty, "nothing goes to the dead queue")
    #expect(try driver.stored("a")?.isLive == false)
    #expect(try driver.stored("d")?.isPaused == true)
    #expect(driver.batchesDone.map(\.counts) == [BatchCounts(matched: 3, changed: 3)])
  }
}
