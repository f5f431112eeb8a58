import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

struct IntakeTests {
  private func stop(_ id: ScheduleID, tag: UInt64) -> ReceivedCommand {
    ReceivedCommand(
      source: .delivery(tag: tag), origin: Origin(), content: .command(.stop(Command.Stop(id: id)), key: nil))
  }

  private static func intake() -> Intake {
    var intake = Intake(lastBatch: 0, settings: Engine.Settings())
    intake.load(InboxPage()) { _, source in ReceivedCommand(source: source, origin: Origin(), content: .ownEvent) }
    return intake
  }

  private func intake(_ ids: [ScheduleID]) -> Intake {
    var intake = Self.intake()
    intake.open(1)
    intake.append(ids.enumerated().map { stop($1, tag: UInt64($0 + 1)) }, on: 1, at: .noon)
    return intake
  }

  @Test func takesInOrderUpToTheLimit() {
    var intake = self.intake(["a", "b", "a", "c"])
    #expect(intake.take(3) { _ in false }.tags == [1, 2, 3])
    #expect(intake.take(3) { _ in false }.tags == [4])
    #expect(intake.take(9) { _ in false }.isEmpty)
  }

  @Test func passesOverABusySchedule() {
    var intake = self.intake(["a", "b", "a", "c"])
    #expect(intake.take(2) { $0 == "a" }.tags == [2, 4])
    #expect(intake.take(2) { _ in false }.tags == [1, 3])
  }

  /// A command whose schedule becomes free half-way must not overtake one on the same schedule that was passed over.
  @Test func followersArePassedOverToo() {
    var intake = self.intake(["a", "a", "a"])
    var isBusy = true
    let taken = intake.take(3) { _ in
      defer { isBusy = false }
      return isBusy
    }
    #expect(taken.tags.isEmpty)
    #expect(intake.take(3) { _ in false }.tags == [1, 2, 3])
  }

  @Test func putBackComesFirst() {
    var intake = self.intake(["a", "b", "c", "d"])
    let taken = intake.take(3) { _ in false }
    intake.putBack([taken.commands[0], taken.commands[2]], on: 1)
    #expect(intake.take(9) { _ in false }.tags == [1, 3, 4])
  }

  /// Nothing of an earlier channel gets into the next: its tags mean other deliveries there.
  @Test func channelsDoNotMix() {
    var intake = self.intake(["a", "b"])
    let taken = intake.take(1) { _ in false }
    intake.open(2)
    #expect(intake.take(9) { _ in false }.isEmpty)
    intake.putBack(taken.commands, on: 1)
    intake.append([stop("z", tag: 9)], on: 1, at: .noon)
    #expect(intake.take(9) { _ in false }.isEmpty)
    intake.append([stop("a", tag: 1)], on: 2, at: .noon)
    intake.settle(1, on: 1, .acknowledge)
    #expect(intake.takeFrames() == nil)
    intake.settle(1, on: 2, .acknowledge)
    #expect(intake.takeFrames()?.channel == 2)
  }

  /// However busy the schedules are from one time to the next, each command is taken once, and those on one id in
  /// order.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func keepsTheOrderOfEachSchedule(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let ids: [ScheduleID] = ["a", "b", "c"]
    var intake = Self.intake()
    intake.open(1)
    var delivered: [ScheduleID] = []
    var taken: [ReceivedCommand] = []
    while taken.count < 40 {
      if delivered.count < 40, random.oneIn(2), let id = random.pick(ids) {
        delivered.append(id)
        intake.append([stop(id, tag: UInt64(delivered.count))], on: 1, at: .noon)
      }
      let busy = random.pick(ids)
      let some = intake.take(.random(in: 1...4, using: &random)) { $0 == busy }.commands
      let back = random.oneIn(3) ? some.filter { $0.scheduleID == some.first?.scheduleID } : []
      intake.putBack(back, on: 1)
      taken += some.filter { command in !back.contains { $0.source == command.source } }
    }
    for id in ids {
      let tags = taken.filter { $0.scheduleID == id }.compactMap(\.source.tag)
      #expect(tags == (1...40).filter { delivered[Int($0) - 1] == id })
    }
  }
}

extension CommandSource {
  fileprivate var tag: UInt64? {
    if case .delivery(let tag) = self { tag } else { nil }
  }
}

extension InboxLine.Taken {
  fileprivate var tags: [UInt64] { commands.compactMap(\.source.tag) }
}

extension Intake {
  /// Without batches.
  fileprivate mutating func take(_ limit: Int, unless isBusy: (ScheduleID) -> Bool) -> InboxLine.Taken {
    var batches = Batches(settings: Engine.Settings())
    return take(limit, batches: &batches, unless: isBusy)
  }
}
