import Recurrence
import Scheduling
import SchedulingTestKit

/// Commands that control a schedule. Each names its message where it leaves a trace: the reason of a Pause, the payload
/// of a Trigger, the description that an Update sets.
extension SimulatedClients {
  mutating func control(at wall: Instant, using random: inout SeededGenerator) -> Command {
    let id = nextID(using: &random)
    return switch Int.random(in: 0..<10, using: &random) {
    case 0..<3: .pause(Command.Pause(id: id, end: pauseEnd(at: wall, using: &random), reason: "pause \(lastLabel)"))
    case 3..<6: .resume(Command.Resume(id: id, misfirePolicy: resumePolicy(of: id, using: &random)))
    case 6..<8:
      .trigger(Command.Trigger(id: id, payload: random.oneIn(2) ? Array("\(lastLabel)".utf8) : nil))
    default:
      .update(
        Command.Update(
          id: id, change: change(of: id, at: wall, using: &random),
          ifRevision: random.oneIn(4) ? .random(in: 1...4, using: &random) : nil))
    }
  }

  static let groups: [String?] = [nil, "g", "g", "h"]
  private static let prefixes: [[UInt8]] = ["a", "\u{e9}", "e", "e\u{301}", "d", "b"].map { Array($0.utf8) }

  /// A command by group or prefix: of one schedule, some or none.
  mutating func batch(at wall: Instant, using random: inout SeededGenerator) -> BatchCommand {
    let selector: BatchCommand.Selector =
      random.oneIn(3)
      ? .prefix(random.pick(Self.prefixes) ?? []) : .group(Array((random.oneIn(3) ? "h" : "g").utf8))
    let action: BatchCommand.Action =
      switch Int.random(in: 0..<8, using: &random) {
      case 0, 1: .stop(reason: "stop \(lastLabel)")
      case 2..<5: .pause(end: pauseEnd(at: wall, using: &random), reason: "pause \(lastLabel)", time: nil)
      default: .resume(misfirePolicy: random.pick([nil, .skip, .fireOnce]) ?? nil, reason: nil)
      }
    return BatchCommand(selector: selector, action: action, maximum: random.oneIn(4) ? 1 : 1000)
  }

  /// Sometimes in the past.
  private func pauseEnd(at wall: Instant, using random: inout SeededGenerator) -> Command.Pause.End? {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: .until(wall.advanced(byMilliseconds: .random(in: -20_000...400_000, using: &random)))
    case 1: random.pick(Self.pauses).map { .after($0) }
    default: nil
    }
  }

  private func resumePolicy(of id: ScheduleID, using random: inout SeededGenerator) -> MisfirePolicy? {
    let policy: MisfirePolicy? = random.pick([nil, .skip, .fireOnce, .fireAll]) ?? nil
    return policy == .fireAll && frequent.contains(id) ? .fireOnce : policy
  }

  private mutating func change(
    of id: ScheduleID, at wall: Instant, using random: inout SeededGenerator
  ) -> DefinitionChange {
    var values: [DefinitionChange.Value] = [.description("update \(lastLabel)")]
    var removed: [DefinitionChange.Removable] = []
    switch Int.random(in: 0..<17, using: &random) {
    case 0..<3:
      let timing = timing(at: wall, using: &random)
      values.append(.timing(timing))
      // The schedule may have a catch-up window, or not.
      note(timing, of: id, hasWindow: false)
    case 3..<5: values.append(.limit(random.pick([0, 1, 1, 1, 2, 3, 5]) ?? 0))
    case 5: removed.append(.limit)
    case 6: values.append(.endDate(endDate(after: wall, using: &random)))
    case 7: removed.append(.endDate)
    case 8:
      values += random.pick(Self.jitters).map { [.jitter($0)] } ?? []
      values += (random.pick(Self.groups) ?? nil).map { [.group($0)] } ?? []
    case 9:
      values.append(.misfirePolicy(random.pick(MisfirePolicy.allCases) ?? .skip))
      values.append(.catchupWindow(Self.windows[1]))
    case 10: removed += [.jitter, .misfirePolicy, .payload]
    case 11..<14: values += random.pick(Target.simulated).map { [.target($0)] } ?? []
    case 14, 15: removed.append(.target)
    default: values.append(.payload(Array("\(lastLabel)".utf8)))
    }
    return DefinitionChange(values: values, removed: removed)
  }

  private static let pauses = ["3s", "40s", "10m", "3h"].compactMap { try? DurationExpression($0) }
}
