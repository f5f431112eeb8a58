import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

struct CommandBacklogTests {
  private func stop(_ id: ScheduleID, tag: UInt64) -> ReceivedCommand {
    ReceivedCommand(tag: tag, origin: Origin(), content: .command(.stop(Command.Stop(id: id)), key: nil))
  }

  private func backlog(_ ids: [ScheduleID]) -> CommandBacklog {
    var backlog = CommandBacklog()
    backlog.open(1)
    backlog.append(ids.enumerated().map { stop($1, tag: UInt64($0 + 1)) }, on: 1, at: .noon)
    return backlog
  }

  @Test func takesInOrderUpToTheLimit() {
    var backlog = backlog(["a", "b", "a", "c"])
    #expect(backlog.take(3) { _ in false }.map(\.tag) == [1, 2, 3])
    #expect(backlog.take(3) { _ in false }.map(\.tag) == [4])
    #expect(backlog.isEmpty)
  }

  @Test func passesOverABusySchedule() {
    var backlog = backlog(["a", "b", "a", "c"])
    #expect(backlog.take(2) { $0 == "a" }.map(\.tag) == [2, 4])
    #expect(backlog.take(2) { _ in false }.map(\.tag) == [1, 3])
  }

  /// A command whose schedule becomes free half-way must not overtake one on the same schedule that was passed over.
  @Test func followersArePassedOverToo() {
    var backlog = backlog(["a", "a", "a"])
    var isBusy = true
    let taken = backlog.take(3) { _ in
      defer { isBusy = false }
      return isBusy
    }
    #expect(taken.isEmpty)
    #expect(backlog.take(3) { _ in false }.map(\.tag) == [1, 2, 3])
  }

  @Test func putBackComesFirst() {
    var backlog = backlog(["a", "b", "c", "d"])
    let taken = backlog.take(3) { _ in false }
    backlog.putBack([taken[0], taken[2]], on: 1)
    #expect(backlog.take(9) { _ in false }.map(\.tag) == [1, 3, 4])
  }

  /// Nothing of an earlier channel gets into the next: its tags mean other deliveries there.
  @Test func channelsDoNotMix() {
    var backlog = backlog(["a", "b"])
    let taken = backlog.take(1) { _ in false }
    backlog.open(2)
    #expect(backlog.isEmpty)
    backlog.putBack(taken, on: 1)
    backlog.append([stop("z", tag: 9)], on: 1, at: .noon)
    #expect(backlog.isEmpty)
    backlog.append([stop("a", tag: 1)], on: 2, at: .noon)
    backlog.settle(1, on: 1, .acknowledge)
    #expect(backlog.takeFrames() == nil)
    backlog.settle(1, on: 2, .acknowledge)
    #expect(backlog.takeFrames()?.channel == 2)
  }

  /// However busy the schedules are from one time to the next, each command is taken once, and those on one id in order.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func keepsTheOrderOfEachSchedule(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let ids: [ScheduleID] = ["a", "b", "c"]
    var backlog = CommandBacklog()
    backlog.open(1)
    var delivered: [ScheduleID] = []
    var taken: [ReceivedCommand] = []
    while taken.count < 40 {
      if delivered.count < 40, random.oneIn(2), let id = random.pick(ids) {
        delivered.append(id)
        backlog.append([stop(id, tag: UInt64(delivered.count))], on: 1, at: .noon)
      }
      let busy = random.pick(ids)
      let some = backlog.take(.random(in: 1...4, using: &random)) { $0 == busy }
      let back = random.oneIn(3) ? some.filter { $0.scheduleID == some.first?.scheduleID } : []
      backlog.putBack(back, on: 1)
      taken += some.filter { command in !back.contains { $0.tag == command.tag } }
    }
    for id in ids {
      let tags = taken.filter { $0.scheduleID == id }.map(\.tag)
      #expect(tags == (1...40).filter { delivered[Int($0) - 1] == id })
    }
  }
}
