import Recurrence
import Scheduling
import SchedulingTestKit

/// Clients that start, stop, restart and control a few schedules, send duplicates and malformed commands.
struct SimulatedClients {
  private(set) var lastLabel = 0
  private var sent: [SimulatedMessage] = []
  private var declared: [Definition] = []

  /// Schedules that would tick more often than the simulation has time for if each slot of a day were sent.
  var frequent: Set<ScheduleID> = []

  /// Commands on the first two have a `message_id`, those on the next two have none, those on the last only some; a
  /// Trigger always has one. Two of them differ only in their bytes.
  static let ids: [ScheduleID] = ["a", "\u{e9}", "e\u{301}", "d", mixed]
  private static let mixed: ScheduleID = "e"
  private var lastID: ScheduleID = "a"

  /// Whether some commands on this id have no `message_id`: the others may then be applied again with those.
  static func isMixed(_ id: ScheduleID) -> Bool { !ids[..<2].contains(id) }

  mutating func next(at wall: Instant, using random: inout SeededGenerator) -> SimulatedMessage {
    lastLabel += 1
    var message = SimulatedMessage(label: lastLabel, content: .malformed, user: user(using: &random))
    switch Int.random(in: 0..<28, using: &random) {
    case 0: message.content = random.oneIn(10) ? .poison : .malformed
    case 1: message.content = .ownEvent
    case 2..<5:
      if let earlier = random.pick(sent) { (message.content, message.user) = (earlier.content, earlier.user) }
    case 26, 27: message.content = .batch(batch(at: wall, using: &random), key: numberedKey)
    case 5..<8:
      let id = nextID(using: &random)
      message.content = .command(
        .stop(Command.Stop(id: id, reason: "stop \(lastLabel)")), key: key(for: id, using: &random))
    case 8..<18:
      let command = control(at: wall, using: &random)
      var key = key(for: command.id, using: &random)
      if case .trigger = command { key = key ?? numberedKey }
      message.content = .command(command, key: key)
    default:
      let definition = random.oneIn(5) ? declaredAgain(at: wall, using: &random) : definition(at: wall, using: &random)
      declared.append(definition)
      let key = key(for: definition.id, using: &random)
      let paused: Bool? = random.oneIn(6) ? true : random.oneIn(8) ? false : nil
      message.content = .command(.start(Command.Start(definition: definition, paused: paused)), key: key)
    }
    switch message.content {
    case .command(let command, .some) where !Self.isMixed(command.id): sent.append(message)
    case .batch: sent.append(message)
    case .command, .malformed, .ownEvent, .poison: break
    }
    return message
  }

  /// Often the same again.
  mutating func nextID(using random: inout SeededGenerator) -> ScheduleID {
    if random.oneIn(2), let id = Self.ids.randomElement(using: &random) { lastID = id }
    return lastID
  }

  private func key(for id: ScheduleID, using random: inout SeededGenerator) -> CommandKey? {
    let hasKey = id == Self.mixed ? random.oneIn(2) : Self.ids[..<2].contains(id)
    return hasKey ? numberedKey : nil
  }

  private func user(using random: inout SeededGenerator) -> String? {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: nil
    case 1: TargetList.application
    default: TargetList.administrator
    }
  }

  private var numberedKey: CommandKey { CommandKey(high: 0, low: UInt64(lastLabel)) }

  /// One of the last Starts again, as sent by an application that has restarted.
  private mutating func declaredAgain(at wall: Instant, using random: inout SeededGenerator) -> Definition {
    guard var definition = random.pick(Array(declared.suffix(6))) else {
      return self.definition(at: wall, using: &random)
    }
    definition.ifExists = random.pick([.keep, .replaceIfChanged])
    return definition
  }

  private mutating func definition(at wall: Instant, using random: inout SeededGenerator) -> Definition {
    let id = nextID(using: &random)
    var definition = Definition(
      id: id, timing: timing(at: wall, using: &random), limit: random.pick([nil, 0, 1, 2, 5, 50]) ?? nil,
      timezone: random.oneIn(3) ? "Etc/UTC" : nil, jitter: random.oneIn(4) ? random.pick(Self.jitters) : nil,
      misfirePolicy: random.pick([nil, .fireOnce, .fireAll, .skip]) ?? nil,
      catchupWindow: random.oneIn(4) ? random.pick(Self.windows) : nil,
      ifExists: random.oneIn(3) ? random.pick(IfExists.allCases) : nil)
    definition.group = random.pick(Self.groups) ?? nil
    if !definition.timing.isOneShot, random.oneIn(4) { definition.endDate = endDate(after: wall, using: &random) }
    // A day of ticks every second would take too long.
    if definition.misfirePolicy == .fireAll, definition.catchupWindow == nil {
      definition.catchupWindow = Self.windows[1]
    }
    if random.oneIn(4) { definition.target = random.pick(Target.simulated) }
    note(definition.timing, of: id, hasWindow: definition.catchupWindow != nil)
    return definition
  }

  func timing(at wall: Instant, using random: inout SeededGenerator) -> Timing {
    let timing: Timing? =
      switch Int.random(in: 0..<6, using: &random) {
      case 0: .at(wall.advanced(byMilliseconds: .random(in: -100_000...30_000, using: &random)))
      case 1: random.pick(Self.intervals).map { .every($0) }
      default: random.pick(Self.crons).map { .cron($0) }
      }
    return timing ?? .at(wall)
  }

  func endDate(after wall: Instant, using random: inout SeededGenerator) -> Instant {
    let length = random.oneIn(2) ? 5_000...200_000 : 100_000...50_000_000 as ClosedRange<Int64>
    let end = wall.advanced(byMilliseconds: .random(in: length, using: &random))
    return random.oneIn(2) ? end.wholeMinute : end  // possibly on a slot
  }

  mutating func note(_ timing: Timing, of id: ScheduleID, hasWindow: Bool) {
    if !hasWindow, Self.frequentTimings.contains(timing) { frequent.insert(id) } else { frequent.remove(id) }
  }

  private static let frequentTimings: [Timing] = crons[..<2].map { .cron($0) } + intervals[..<2].map { .every($0) }
  private static let crons = ["* * * * * *", "*/5 * * * * *", "*/20 * * * * *", "0 * * * * *"].compactMap {
    try? CronExpression($0)
  }
  private static let intervals = ["1s", "7s", "90s"].compactMap { try? DurationExpression($0) }
  static let windows = ["30s", "5m", "2h"].compactMap { try? DurationExpression($0) }
  static let jitters = ["300ms", "4s"].compactMap { try? DurationExpression($0) }
}

extension Instant {
  fileprivate var wholeMinute: Instant { Instant(milliseconds: milliseconds / 60_000 * 60_000) }
}
