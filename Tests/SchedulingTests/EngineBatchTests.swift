import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// P34: a command by group or prefix has exactly one effect on each schedule that it selects, and on no other.
struct EngineBatchTests: BatchFixture {
  // MARK: Selecting

  @Test func eachScheduleOfAGroupIsAnswered() throws {
    var driver = try driver()
    driver.batch(pause, group)
    #expect(driver.controlled.map(\.id) == ["a", "b", "c"])
    #expect(driver.controlled.allSatisfy { $0.effect == .paused && $0.pause?.reason == "away" })
    #expect(driver.published.suffix(3).map(\.origin.messageID) == Array(repeating: Array("batch".utf8), count: 3))
    #expect(driver.batchesDone.isEmpty, "not before they are confirmed")
    #expect(driver.frames.count == 1)
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3)])
    #expect(driver.frames.count == 1, "it is settled when its own outcome is confirmed")
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 5, multiple: true))
    #expect(try driver.store.counts() == ScheduleCounts(live: 4, ended: 0, paused: 3))
  }

  @Test func aPrefixIsTheFirstBytesOfTheID() throws {
    var driver = try EngineDriver.connected()
    for id in ["tenant", "tenant1", "tenant1:a", "tenant10", "tenant2", "tenants", "u"] as [ScheduleID] {
      driver.start(try definition(id))
    }
    driver.ack()
    driver.batch(stop, .prefix(Array("tenant1".utf8)))
    driver.ack()
    #expect(driver.stopped.map(\.id) == ["tenant1", "tenant10", "tenant1:a"])
    #expect(driver.batchesDone.map(\.counts) == [BatchCounts(matched: 3, changed: 3)])
  }

  @Test func aPrefixOfTheLargestByteMatches() throws {
    var driver = try EngineDriver.connected()
    driver.start(try definition("\u{10ffff}a"))
    driver.ack()
    driver.batch(stop, .prefix(Array("\u{10ffff}".utf8)))
    #expect(driver.stopped.map(\.id) == ["\u{10ffff}a"])
  }

  @Test func endedOnesAreNotSelectedAndUnpausedOnesStay() throws {
    var driver = try driver()
    driver.stop("a")
    driver.pause("b")
    driver.ack()
    driver.batch(resume, group)
    driver.ack()
    #expect(driver.controlled.suffix(2).map(\.id) == ["b", "c"])
    #expect(driver.batchesDone == [done(2, 1, .resume)])
  }

  @Test func nothingMatches() throws {
    var driver = try driver()
    driver.batch(pause, .group(Array("other".utf8)))
    #expect(driver.batchesDone.map(\.counts) == [BatchCounts()])
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 5, multiple: true))
  }

  @Test func nothingIsDoneIfMoreMatch() throws {
    var driver = try driver()
    driver.batch(pause, group, maximum: 2)
    #expect(driver.rejections.map(\.field) == ["group"])
    #expect(driver.rejections.first?.reason.contains("more than 2 schedules match") == true)
    driver.ack()
    #expect(driver.frames.last == .acknowledge(tag: 5, multiple: true))
    driver.batch(pause, group, maximum: 3)
    #expect(driver.controlled.count == 3)
  }

  @Test func aPauseThatIsOverIsRejectedOnce() throws {
    var driver = try driver()
    driver.batch(.pause(end: .until(.second(0)), reason: nil, time: nil), group)
    #expect(driver.rejections.map(\.field) == ["until"])
    driver.ack()
    #expect(driver.frames.last == .reject(tag: 5))
  }

  /// Also for a member that waited for its tick.
  @Test func aPauseThatLastsEndsForAllAtOnce() throws {
    var driver = try driver()
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "b" }
    driver.batch(.pause(end: .after(try DurationExpression("10m")), reason: nil, time: nil), group)
    driver.advance(seconds: 20)
    driver.ack()
    let ends = driver.controlled.map(\.pause?.until)
    #expect(ends == Array(repeating: .second(660), count: 3))
  }

  @Test func theOutcomeOfTheWholeIsReplied() throws {
    var driver = try driver()
    let address = ReplyAddress(replyTo: Array("me".utf8))
    driver.batch(pause, group, replyTo: address)
    driver.ack()
    #expect(driver.replies.map(\.content) == [.event(.batchDone(done(3, 3)))])
    #expect(driver.replies.map(\.address) == [address])
  }

  // MARK: Order

  @Test func aMemberWaitsForItsTickAndOthersGoOn() throws {
    var driver = try driver()
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "b" }
    driver.batch(pause, group)
    #expect(driver.controlled.map(\.id) == ["a", "c"])
    driver.pause("d")
    driver.stop("b")
    driver.start(try definition("e"))
    #expect(driver.controlled.map(\.id) == ["a", "c", "d"])
    #expect(driver.started.last?.definition.id == "e", "other ids go on")
    #expect(driver.stopped.isEmpty, "a later command on a member waits")
    driver.ack { $0.isTick }
    #expect(driver.controlled.last?.id == "b")
    #expect(driver.stopped.map(\.id) == ["b"])
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3)])
    #expect(try driver.stored("e")?.isPaused == false, "a later Start is not touched")
  }

  /// An Update before it takes a schedule into the group, and waits itself.
  @Test func whatCameBeforeIsDecidedBefore() throws {
    var driver = try driver()
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "d" }
    driver.update("d", [.group("g")])
    driver.batch(pause, group)
    driver.update("a", [.group("other")])
    #expect(driver.controlled.isEmpty, "the first waits for a tick, the others for the first")
    driver.ack()
    #expect(driver.controlled.map(\.id) == ["d", "a", "b", "c", "d", "a"])
    #expect(driver.controlled.map(\.name) == [.updated, .paused, .paused, .paused, .paused, .updated])
  }

  @Test func aSecondBatchIsSelectedAfterTheFirst() throws {
    var driver = try driver()
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "b" }
    driver.batch(stop, group, messageID: "one")
    driver.batch(pause, group, messageID: "two")
    driver.ack { $0.isTick }
    driver.ack()
    driver.ack()
    #expect(driver.stopped.count == 3)
    #expect(
      driver.batchesDone == [done(0, 0), done(3, 3, .stop)], "the first waits for confirms, the second finds none")
  }

  @Test func aTriggeredTickOfAMemberComesFirst() throws {
    var driver = try driver()
    driver.trigger("b", messageID: "t")
    driver.batch(stop, group)
    #expect(driver.stopped.map(\.id) == ["a", "c"])
    driver.ack()
    #expect(driver.stopped.map(\.id) == ["a", "c", "b"])
  }

  // MARK: Repeats

  @Test func aRepeatIsAnsweredWithTheCounts() throws {
    var driver = try driver()
    driver.batch(pause, group)
    driver.batch(pause, group)
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3), done(3, 3)], "it waited")
    driver.ack()
    driver.resume("a")
    driver.batch(pause, group)
    driver.ack()
    #expect(driver.batchesDone.count == 3)
    #expect(driver.batchesDone.last == done(3, 3))
    #expect(driver.frames.last == .acknowledge(tag: 8, multiple: true))
    #expect(try driver.stored("a")?.isPaused == false)
  }

  @Test func aRepeatWaitsWhileOthersGoOn() throws {
    var driver = try driver()
    driver.advance(seconds: 60)
    driver.ack { $0.scheduleID != "b" }
    driver.batch(pause, group)
    driver.batch(pause, group)
    driver.start(try definition("e"))
    #expect(driver.started.last?.definition.id == "e")
    driver.ack()
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3), done(3, 3)])
  }

  // MARK: Limits

  /// Each confirm leaves a change to store, and pages are read in turn with them.
  @Test func ticksDelayNoSelection() throws {
    var settings = Engine.Settings()
    settings.batchPage = 1
    var driver = try driver(settings: settings)
    driver.holdsStore = true
    driver.batch(pause, group)
    for _ in 0..<20 {
      driver.advance(seconds: 60)
      driver.ack { $0.scheduleID == "d" }
      driver.answerStore()
    }
    #expect(try driver.store.batches(after: nil, limit: 9).batches.count == 1)
  }

  @Test func fewBusyMembersAreLookedAtAtATime() {
    var settings = Engine.Settings()
    settings.maximumMemberOutcomes = 2
    var line = BatchMemberLine(settings: settings)
    for id in ["a", "b", "c"] as [ScheduleID] { line.append(BatchMember(batch: 1, id: id)) }
    var asked: [ScheduleID] = []
    let taken = line.take {
      asked.append($0)
      return true
    }
    #expect(taken.isEmpty && asked == ["a", "b"])
    #expect(line.take { _ in false }.map(\.id) == ["a", "b"])
  }

  @Test func fewOutcomesAreUnconfirmedAtATime() throws {
    var driver = try driver(settings: smallSteps)
    driver.batch(pause, group)
    #expect(driver.controlled.map(\.id) == ["a", "b"])
    driver.ack { $0.scheduleID == "b" }
    #expect(driver.controlled.map(\.id) == ["a", "b", "c"])
    driver.ack()
    #expect(driver.batchesDone == [done(3, 3)])
  }

  @Test func aMemberThatEndsMeanwhileIsUnchanged() throws {
    var driver = try EngineDriver.connected()
    var last = try definition("b")
    last.limit = 1
    driver.start(try definition("a"))
    driver.start(last)
    driver.ack()
    driver.advance(seconds: 60)
    driver.batch(pause, group)
    driver.ack()
    driver.ack()
    driver.ack()
    #expect(driver.rejections.map(\.id) == ["b"])
    #expect(driver.batchesDone == [done(2, 1)])
  }

  @Test func aLostChannelEndsASelection() throws {
    var driver = try driver()
    driver.holdsStore = true
    driver.batch(pause, group)
    driver.answerStore()
    driver.receive(.commandsClosed)
    driver.holdsStore = false
    driver.answerStore()
    driver.consume()
    driver.start(try definition("e"))
    driver.ack()
    #expect(driver.started.last?.definition.id == "e")
  }
}
