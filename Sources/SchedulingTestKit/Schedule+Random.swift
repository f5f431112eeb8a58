package import Recurrence
package import Scheduling

/// Random values, often unusual ones: a store must keep whatever a client sends.
///
/// Ids come from a small set, so that schedules share them.
extension Schedule {
  package static func random(
    generation: Int64, using generator: inout some RandomNumberGenerator
  ) -> Schedule {
    var schedule = Schedule(
      definition: .random(using: &generator), origin: .random(using: &generator),
      key: Key(generation: generation, beginningAt: .random(using: &generator)),
      progress: .random(using: &generator), declaration: .random(using: &generator))
    if generator.oneIn(2) { schedule.control = .random(isLive: schedule.isLive, using: &generator) }
    return schedule
  }
}

extension Schedule.Control {
  /// - Parameter isLive: Only a live schedule is paused.
  static func random(isLive: Bool, using generator: inout some RandomNumberGenerator) -> Schedule.Control {
    var control = Schedule.Control()
    control.revision = .random(in: 1...(1 << 40), using: &generator)
    if isLive, generator.oneIn(2) {
      control.pause = Schedule.Pause(
        since: .random(using: &generator), until: generator.oneIn(2) ? nil : .random(using: &generator),
        reason: generator.oneIn(2) ? nil : .random(using: &generator))
    }
    control.isSlotInDoubt = generator.oneIn(2)
    control.followingSlot = generator.oneIn(2) ? nil : .random(using: &generator)
    if generator.oneIn(2), let policy = generator.pick(MisfirePolicy.allCases) {
      control.catchUp = Schedule.CatchUp(through: .random(using: &generator), policy: policy)
    }
    if generator.oneIn(2) {
      control.owedResumed = Schedule.Resumption(
        revision: .random(in: 1...9, using: &generator), counter: .random(in: 0...9, using: &generator),
        nextSlot: generator.oneIn(2) ? nil : .random(using: &generator), missed: .random(in: 0...9, using: &generator))
    }
    if generator.oneIn(2) {
      control.owedTick = Schedule.Trigger(
        instant: .random(using: &generator), counter: .random(in: 0...9, using: &generator),
        nextSlot: generator.oneIn(2) ? nil : .random(using: &generator),
        payload: generator.oneIn(2) ? nil : .random(maximumCount: 600, using: &generator),
        messageID: generator.oneIn(2) ? nil : .random(maximumCount: 255, using: &generator))
    }
    control.lastTrigger = generator.oneIn(2) ? nil : .random(using: &generator)
    return control
  }
}

extension Schedule.Declaration {
  static func random(using generator: inout some RandomNumberGenerator) -> Schedule.Declaration {
    let digest = DefinitionDigest(high: generator.pick([0, .max, 7]) ?? 1, low: generator.next())
    return Schedule.Declaration(digest: generator.oneIn(2) ? nil : digest, isLasting: generator.oneIn(2))
  }
}

extension Schedule.Progress {
  static func random(using generator: inout some RandomNumberGenerator) -> Schedule.Progress {
    Schedule.Progress(
      state: .random(using: &generator), counter: .random(in: 0...(1 << 53), using: &generator))
  }
}

extension Schedule.Beginning {
  static func random(using generator: inout some RandomNumberGenerator) -> Schedule.Beginning {
    Schedule.Beginning(at: .random(using: &generator))
  }
}

extension Schedule.Tally {
  /// Often that of a usual tick.
  static func random(using generator: inout some RandomNumberGenerator) -> Schedule.Tally {
    var tally = Schedule.Tally()
    if !generator.oneIn(3) {
      tally.last = Last(
        slot: .random(using: &generator),
        jitterMilliseconds: generator.oneIn(2) ? 0 : .random(in: 0...9, using: &generator),
        latenessMilliseconds: .random(in: -5...5000, using: &generator),
        confirmationMilliseconds: .random(in: 0...9, using: &generator))
    }
    guard generator.oneIn(2) else { return tally }
    tally.missed = .random(in: 0...1000, using: &generator)
    tally.repeats = .random(in: 0...1, using: &generator)
    tally.refusals = .random(in: 0...3, using: &generator)
    tally.returns = .random(in: 0...1, using: &generator)
    return tally
  }
}

extension Schedule.State {
  package static func random(using generator: inout some RandomNumberGenerator) -> Schedule.State {
    if generator.oneIn(3) {
      let reason = generator.oneIn(3) ? nil : String.random(using: &generator)
      return .ended(
        Schedule.Ending(
          reason: reason, at: .random(using: &generator), owesStopped: .random(using: &generator),
          kind: generator.pick(Schedule.Ending.Kind.allCases)))
    }
    return .live(
      Schedule.NextTick(
        slot: .random(using: &generator), due: .random(using: &generator),
        missed: .random(in: 0...Schedule.NextTick.maximumMissed, using: &generator),
        since: generator.oneIn(2) ? nil : .random(using: &generator)))
  }
}

extension Definition {
  static func random(using generator: inout some RandomNumberGenerator) -> Definition {
    Definition(
      id: .random(using: &generator), timing: .random(using: &generator),
      limit: generator.oneIn(2) ? nil : .random(in: 0...(1 << 53 - 1), using: &generator),
      timezone: generator.oneIn(2) ? nil : "Europe/Rome",
      startDate: generator.oneIn(2) ? nil : .random(using: &generator),
      endDate: generator.oneIn(2) ? nil : .random(using: &generator),
      jitter: generator.oneIn(2) ? nil : generator.pick(durations),
      misfirePolicy: generator.pick([nil] + MisfirePolicy.allCases) ?? nil,
      catchupWindow: generator.oneIn(2) ? nil : generator.pick(durations),
      ifExists: generator.pick([nil] + IfExists.allCases) ?? nil,
      payload: generator.oneIn(4) ? nil : .random(maximumCount: 600, using: &generator),
      group: generator.oneIn(2) ? nil : .random(using: &generator),
      tags: generator.oneIn(2)
        ? nil : (0..<Int.random(in: 0...3, using: &generator)).map { _ in .random(using: &generator) },
      description: generator.oneIn(2) ? nil : .random(using: &generator),
      target: generator.oneIn(2) ? nil : .random(using: &generator))
  }
}

extension Target {
  static func random(using generator: inout some RandomNumberGenerator) -> Target {
    func text() -> String? { generator.oneIn(2) ? nil : .random(using: &generator) }
    return Target(
      exchange: text(), routingKey: text(), detailType: text(), source: text(),
      body: generator.pick([nil] + Body.allCases) ?? nil, contentType: text(),
      headers: generator.oneIn(2)
        ? nil
        : (0..<Int.random(in: 0...3, using: &generator)).map {
          Header(name: "\($0)\(String.random(using: &generator))", value: .random(using: &generator))
        }, expiration: text(), priority: generator.oneIn(2) ? nil : .random(in: .min ... .max, using: &generator))
  }
}

extension Target.HeaderValue {
  static func random(using generator: inout some RandomNumberGenerator) -> Target.HeaderValue {
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: .text(.random(using: &generator))
    case 1: .integer(generator.pick([.min, -1, 0, .max]) ?? 0)
    default: .boolean(.random(using: &generator))
    }
  }
}

extension ScheduleID {
  package static func random(using generator: inout some RandomNumberGenerator) -> ScheduleID {
    let names = ["a", "ab", "b", "é", "e\u{301}", "\u{10ffff}", "test:schedule", String(repeating: "x", count: 200)]
    let name = (generator.pick(names) ?? "") + "\(Int.random(in: 0..<4, using: &generator))"
    return ScheduleID(stored: Array(name.utf8))
  }
}

extension Timing {
  static func random(using generator: inout some RandomNumberGenerator) -> Timing {
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: generator.pick(crons).map { .cron($0) } ?? .at(.random(using: &generator))
    case 1: generator.pick(durations).map { .every($0) } ?? .at(.random(using: &generator))
    case 2: generator.pick(durations).map { .duration($0) } ?? .at(.random(using: &generator))
    default: .at(.random(using: &generator))
    }
  }
}

extension Origin {
  static func random(using generator: inout some RandomNumberGenerator) -> Origin {
    Origin(
      messageID: generator.oneIn(2) ? nil : .random(maximumCount: 255, using: &generator),
      userID: generator.oneIn(2) ? nil : .random(using: &generator),
      traceparent: generator.oneIn(2) ? nil : .random(using: &generator),
      tracestate: generator.oneIn(2) ? nil : .random(using: &generator))
  }
}

extension RememberedCommand {
  package static func random(using generator: inout some RandomNumberGenerator) -> RememberedCommand {
    let generation = Int64.random(in: 1...1000, using: &generator)
    let answer: Answer =
      switch Int.random(in: 0..<5, using: &generator) {
      case 4: .batch(BatchCounts(matched: Int(generation), changed: generator.pick([0, Int(generation)]) ?? 1))
      case 0: .started(generation: generation, effect: generator.pick(Started.Effect.allCases) ?? .created)
      case 1: .stopped(generation: generation)
      case 2: .controlled(generation: generation)
      default:
        .rejected(
          field: .random(using: &generator), reason: .random(using: &generator), isOfState: .random(using: &generator))
      }
    return RememberedCommand(key: .random(using: &generator), at: .random(using: &generator), answer: answer)
  }
}

extension CommandKey {
  /// The possible keys: few, so that commands repeat.
  package static let few = (0..<4).flatMap { high in
    (0..<4).map { CommandKey(high: high, low: .max - $0) }
  }

  package static func random(using generator: inout some RandomNumberGenerator) -> CommandKey {
    generator.pick(few) ?? CommandKey(high: 0, low: 0)
  }
}

extension Change {
  /// A change that usually matches the contents of a store.
  static func random(for store: MemoryStore, using generator: inout some RandomNumberGenerator) throws -> Change {
    let schedules = try store.page(after: nil, limit: 100)
    switch Int.random(in: 0..<12, using: &generator) {
    case 0...2:
      // Two changes of one transaction may have the same generation: then all of it must fail.
      let generation = try store.load().lastGeneration + .random(in: 1...3, using: &generator)
      return .start(
        .random(generation: generation, using: &generator),
        generator.oneIn(2) ? nil : .random(using: &generator))
    case 3, 4:
      guard let schedule = generator.pick(schedules) else { return .announced(generation: 1) }
      let slot = schedule.nextTick?.slot ?? .random(using: &generator)
      return .advance(schedule, from: slot, to: .random(using: &generator), adding: .random(using: &generator))
    case 5:
      return .announced(
        generation: generator.pick(schedules)?.generation ?? 0, generator.pick(OwedEvent.allCases) ?? .stopped)
    case 9, 10:
      guard let schedule = generator.pick(schedules) else { return .announced(generation: 1) }
      var revised = Schedule.random(generation: schedule.generation, using: &generator)
      (revised.key, revised.origin) = (schedule.key, schedule.origin)
      let isRedefined = generator.oneIn(2)
      revised.definition = isRedefined ? revised.definition : schedule.definition
      revised.declaration = isRedefined ? revised.declaration : schedule.declaration
      revised.definition.id = schedule.id
      let slot = schedule.nextTick?.slot ?? .random(using: &generator)
      return .revise(
        revised, from: slot, isRedefined: isRedefined, adding: .random(using: &generator))
    case 6: return .remember(.random(using: &generator))
    case 7:
      let key = generator.pick(schedules)?.key ?? Schedule.Key(generation: 9999, cohort: 0)
      return .declare(key, .random(using: &generator))
    case 8: return .followRules(version: .random(in: 1...9, using: &generator))
    default: return .markInDoubt(through: .random(using: &generator))
    }
  }
}

extension Retention {
  static func random(using generator: inout some RandomNumberGenerator) -> Retention {
    Retention(
      endedBefore: .random(using: &generator), firedBefore: .random(using: &generator),
      lastingBefore: .random(using: &generator),
      answeredBefore: .random(using: &generator), maximumEnded: .random(in: 0...4, using: &generator),
      maximumCommands: .random(in: 0...8, using: &generator))
  }
}

extension Instant {
  /// Mostly within one minute, so that instants coincide; sometimes at the ends of the range.
  package static func random(using generator: inout some RandomNumberGenerator) -> Instant {
    if generator.oneIn(20) { return Instant(milliseconds: generator.pick([.min, -1, 0, .max]) ?? 0) }
    return Instant(milliseconds: 1_795_000_000_000 + .random(in: 0..<40, using: &generator) * 1000)
  }
}

extension [UInt8] {
  /// Any bytes, UTF-8 or not; often few, sometimes none.
  static func random(maximumCount: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
    let count =
      generator.oneIn(2) ? Int.random(in: 0...4, using: &generator) : .random(in: 0...maximumCount, using: &generator)
    return (0..<count).map { _ in .random(in: .min ... .max, using: &generator) }
  }
}

extension String {
  /// Text that is easily corrupted: empty, with a NUL, with characters of several scalars, composed or not.
  static func random(using generator: inout some RandomNumberGenerator) -> String {
    let parts = ["", "\0", "é", "e\u{301}", "🕰️", "no longer needed", "'\"\\", "\u{feff}"]
    return (0..<3).map { _ in generator.pick(parts) ?? "" }.joined()
  }
}

private let crons = ["* * * * *", "30 * * * *", "0 12 * * MON-FRI", "*/10 * * * * *"].compactMap {
  try? CronExpression($0)
}
private let durations = ["5m", "1h 30m", "PT1H30M", "1500"].compactMap { try? DurationExpression($0) }
