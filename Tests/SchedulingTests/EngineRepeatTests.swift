import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// A command with the same message_id and body has one effect, however often and whenever it is delivered.
struct EngineRepeatTests {
  private let limited: Definition
  private let other: Definition

  init() throws {
    limited = Definition(id: "a", timing: try Timing(cron: "* * * * * *"), limit: 2, payload: Array("{}".utf8))
    other = Definition(id: "a", timing: try Timing(cron: "0 * * * *"))
  }

  private func start(_ definition: Definition) -> Command { .start(Command.Start(definition: definition)) }

  @Test func inTheSameBatch() throws {
    var driver = try EngineDriver.connected()
    driver.deliver([(start(limited), messageID: "m"), (start(limited), messageID: "m")])
    #expect(driver.started.count == 2)
    #expect(Set(driver.started.map(\.generation)) == [1])
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 2, multiple: true)])
  }

  @Test func laterItDescribesTheCurrentSchedule() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited, messageID: "m")
    driver.ack()
    driver.advance(seconds: 1)
    driver.ack()
    driver.start(limited, messageID: "m")
    let again = try #require(driver.started.last)
    #expect(again.generation == 1)
    #expect(again.counter == 1)
    #expect(again.nextSlot == .second(2))
  }

  @Test func afterARestart() throws {
    let store = MemoryStore()
    var driver = try EngineDriver.connected(store: store)
    driver.start(limited, messageID: "m")
    driver = try EngineDriver.connected(store: store, at: .second(100))
    driver.start(limited, messageID: "m")
    driver.ack()  // the tick that became due meanwhile
    #expect(driver.started.map(\.generation) == [1])
    #expect(driver.started.map(\.effect) == [.created])
  }

  /// An ended schedule is not started again. The payload that its row has lost is in the command.
  @Test func afterItsEnd() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited, messageID: "m")
    for _ in 0..<4 {
      driver.ack()
      driver.advance(seconds: 1)
    }
    #expect(driver.stopped.map(\.reason) == [Schedule.EndReason.countLimit])
    #expect(try driver.stored("a")?.definition.payload == nil)
    driver.start(limited, messageID: "m")
    let again = try #require(driver.started.last)
    #expect(
      again
        == Started(
          definition: limited, generation: 1, counter: 2, nextSlot: nil, effect: .created, ignored: [], isRepeated: true
        ))
    driver.advance(seconds: 10)
    #expect(driver.ticks.count == 2)
  }

  @Test func afterItWasReplaced() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited, messageID: "m1")
    driver.start(other, messageID: "m2")
    driver.start(limited, messageID: "m1")
    let again = try #require(driver.started.last)
    #expect(again.definition == other)
    #expect(again.generation == 2)
    #expect(try driver.stored("a")?.definition == other)
  }

  /// A duplicate Stop describes the schedule that it stopped, and does not affect one started since.
  @Test func repeatedStop() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited, messageID: "m1")
    driver.stop("a", messageID: "m2")
    driver.stop("a", messageID: "m2")
    #expect(driver.stopped.count == 2)
    #expect(driver.stopped.map(\.isRepeated) == [false, true])
    var again = try #require(driver.stopped.last)
    again.isRepeated = false
    #expect(again.definition?.payload == nil, "removed with the Stop")
    again.definition?.payload = limited.payload
    #expect(again == driver.stopped.first)
    driver.start(other, messageID: "m3")
    driver.stop("a", messageID: "m2")
    #expect(driver.stopped.last?.generation == 1)
    #expect(driver.stopped.last?.definition == nil)
    #expect(try driver.stored("a")?.nextTick != nil)
  }

  /// A rejection is remembered too: a duplicate of a Stop that came too early does not stop a schedule started after
  /// it.
  @Test func repeatedRejection() throws {
    var driver = try EngineDriver.connected()
    driver.stop("a", messageID: "m1")
    driver.start(limited, messageID: "m2")
    driver.stop("a", messageID: "m1")
    #expect(driver.rejections.count == 2)
    #expect(driver.rejections.last == driver.rejections.first)
    #expect(try driver.stored("a")?.nextTick != nil)
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 3, multiple: true)])

    let late = Definition(id: "b", timing: .at(.second(5)), endDate: .second(4))
    for tag in 4...5 as ClosedRange<UInt64> {
      driver.start(late, messageID: "m4")
      driver.ack()
      #expect(driver.frames.last == .reject(tag: tag))
    }
  }

  /// A duplicate is recognised before any check that depends on the time: it had slots left when it was accepted.
  @Test func duplicateIsNotValidatedAgain() throws {
    var driver = try EngineDriver.connected()
    let soonOver = Definition(id: "a", timing: limited.timing, endDate: .second(2))
    driver.start(soonOver, messageID: "m")
    driver.advance(seconds: 60)
    driver.start(soonOver, messageID: "m")
    #expect(driver.rejections.isEmpty)
    #expect(driver.started.count == 2)
  }

  @Test func anotherBodyIsAnotherCommand() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited, messageID: "m")
    driver.start(other, messageID: "m")
    #expect(driver.started.map(\.generation) == [1, 2])
  }

  @Test func withoutMessageIDItIsAppliedAgain() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited)
    driver.start(limited)
    #expect(driver.started.map(\.generation) == [1, 2])
    #expect(driver.started.map(\.effect) == [.created, .replaced])
  }

  /// A suffix is redelivered after a crash before anything was acknowledged: nothing happens twice, and the result is
  /// the same.
  @Test func suffixAfterACrash() throws {
    let store = MemoryStore()
    let commands: [(Command, messageID: String?)] = [
      (start(limited), messageID: "m1"), (.stop(Command.Stop(id: "a")), messageID: "m2"),
      (start(other), messageID: "m3"),
      (.stop(Command.Stop(id: "a")), messageID: "m4"),
    ]
    var driver = try EngineDriver.connected(store: store)
    driver.deliver(commands)
    let stored = try driver.stored("a")
    for suffix in 0...4 {
      driver = try EngineDriver.connected(store: store)
      driver.deliver(Array(commands.dropFirst(suffix)))
      #expect(try driver.stored("a") == stored)
      #expect(driver.events.count == 4 - suffix)
    }
  }

  // MARK: Commands with and without message_id on one schedule

  /// A crash after everything was applied and nothing acknowledged: a command that is applied again is undone again by
  /// the one after it.
  @Test(arguments: [false, true])
  func whatFollowedIsAppliedAgainToo(endsWithStart: Bool) throws {
    let store = MemoryStore()
    let stop = Command.stop(Command.Stop(id: "a"))
    var commands: [(Command, messageID: String?)] = [(start(limited), messageID: nil), (stop, messageID: "m1")]
    if endsWithStart { commands += [(stop, messageID: nil), (start(other), messageID: "m2")] }
    var driver = try EngineDriver.connected(store: store)
    driver.deliver(commands)
    driver = try EngineDriver.connected(store: store)
    driver.redelivers = true
    driver.deliver(commands)
    for _ in commands { driver.ack() }
    let stored = try #require(try driver.stored("a"))
    #expect((stored.nextTick != nil) == endsWithStart)
    var expected = endsWithStart ? other : limited
    if !endsWithStart { expected.payload = nil }
    #expect(stored.definition == expected)
  }

  /// Once a first delivery shows that the redelivery is complete, duplicates are recognised again.
  @Test func aLaterDuplicateIsNotPartOfTheRedelivery() throws {
    var driver = try EngineDriver.connected()
    driver.start(other, messageID: "m1")
    driver.redelivers = true
    driver.start(limited)
    driver.ack()
    driver.redelivers = false
    driver.start(Definition(id: "b", timing: limited.timing))
    driver.ack()
    driver.redelivers = true
    driver.start(other, messageID: "m1")
    #expect(try driver.stored("a")?.definition == limited)
  }

  /// The answer to an unacknowledged command is remembered however long it takes: the command may be redelivered.
  @Test func memoryOutlastsTheWindowForWhatIsUnacknowledged() throws {
    var driver = try EngineDriver.connected()
    driver.start(Definition(id: "b", timing: limited.timing), messageID: "m0")
    driver.ack()
    driver.advance(seconds: 1)
    driver.start(Definition(id: "b", timing: limited.timing), messageID: "m1")
    driver.publisherDown()
    driver.receive(.commandsClosed)
    driver.advance(seconds: 3 * 3600)
    driver.consume()
    driver.redelivers = true
    driver.start(Definition(id: "b", timing: limited.timing), messageID: "m1")
    driver.advance(seconds: 600)
    #expect(try #require(driver.sweeps.last?.answeredBefore) <= .second(1))
    driver.publisherUp()
    driver.ack()
    driver.redelivers = false
    driver.start(other)
    driver.ack()
    driver.advance(seconds: 600)
    #expect(try #require(driver.sweeps.last?.answeredBefore) > .second(3600))
  }
}
