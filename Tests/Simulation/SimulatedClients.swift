import Recurrence
import Scheduling
import SchedulingTestKit

/// Clients that start, stop and start again a few schedules, repeat themselves and send rubbish.
struct SimulatedClients {
  private var lastLabel = 0
  private var sent: [SimulatedMessage] = []

  /// Commands on the first two carry a `message_id`, those on the others none. (Both kinds on one id are no good: a Start
  /// without one that is applied again after a crash is not undone by the remembered Stop behind it.)
  private static let ids: [ScheduleID] = ["a", "b", "c", "d"]
  private static let keyed: Set<ScheduleID> = ["a", "b"]

  mutating func next(at wall: Instant, using random: inout SeededGenerator) -> SimulatedMessage {
    lastLabel += 1
    var message = SimulatedMessage(label: lastLabel, content: .malformed)
    switch Int.random(in: 0..<20, using: &random) {
    case 0: break
    case 1: message.content = .ownEvent
    case 2..<5: if let earlier = random.pick(sent) { message.content = earlier.content }
    case 5..<10:
      let id = Self.ids.randomElement(using: &random) ?? "a"
      message.content = .command(.stop(Command.Stop(id: id, reason: "stop \(lastLabel)")), key: key(for: id))
    default:
      let definition = definition(at: wall, using: &random)
      message.content = .command(.start(Command.Start(definition: definition)), key: key(for: definition.id))
    }
    if case .command(_, .some) = message.content { sent.append(message) }
    return message
  }

  private func key(for id: ScheduleID) -> CommandKey? {
    Self.keyed.contains(id) ? CommandKey(high: 0, low: UInt64(lastLabel)) : nil
  }

  private func definition(at wall: Instant, using random: inout SeededGenerator) -> Definition {
    let id = Self.ids.randomElement(using: &random) ?? "a"
    let timing: Timing? =
      switch Int.random(in: 0..<6, using: &random) {
      case 0: .at(wall.advanced(byMilliseconds: .random(in: -100_000...30_000, using: &random)))
      case 1: random.pick(Self.intervals).map { .every($0) }
      default: random.pick(Self.crons).map { .cron($0) }
      }
    return Definition(
      id: id, timing: timing ?? .at(wall), limit: random.pick([nil, 0, 1, 2, 5]) ?? nil,
      timezone: random.oneIn(3) ? "Etc/UTC" : nil,
      jitter: random.oneIn(4) ? random.pick(Self.jitters) : nil)
  }

  private static let crons = ["* * * * * *", "*/5 * * * * *", "*/20 * * * * *", "0 * * * * *"].compactMap {
    try? CronExpression($0)
  }
  private static let intervals = ["1s", "7s", "90s"].compactMap { try? DurationExpression($0) }
  private static let jitters = ["300ms", "4s"].compactMap { try? DurationExpression($0) }
}
