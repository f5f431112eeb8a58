import Recurrence
import Scheduling

extension StoreConformance {
  static let remembering = [
    StoreCheck("commands are remembered with their answers, in the order asked") { fixture in
      let answers: [RememberedCommand.Answer] = [
        .started(generation: 7, effect: .kept), .started(generation: .max, effect: .created), .stopped(generation: 8),
        .rejected(field: "id", reason: "no such schedule", isOfState: true),
        .rejected(field: "", reason: "é\0\u{301}", isOfState: false), .controlled(generation: 9),
        .batch(BatchCounts(matched: 100_000, changed: 0)),
      ]
      // Keys that differ in one half only, or in the order of their halves.
      let keys = [(1, 2), (2, 1), (1, 1), (0, .max), (.max, 0), (.max, .max), (3, 3)].map {
        CommandKey(high: $0, low: $1)
      }
      let commands = zip(keys, answers).map {
        RememberedCommand(key: $0, at: Instant(milliseconds: -1), answer: $1)
      }
      try fixture.store.apply(commands.map { .remember($0) })
      try fixture.reopen()
      let unknown = CommandKey(high: 0, low: 0)
      try expectSame(
        try fixture.store.remembered(keys.reversed() + [unknown, keys[0]]),
        commands.reversed() + [nil, commands[0]], "remembered")
      try expectEqual(try fixture.store.remembered([]), [], "nothing asked")
    },
    StoreCheck("the later of two answers to one command is remembered") { fixture in
      let key = CommandKey(high: 5, low: 6)
      let first = RememberedCommand(key: key, at: Instant(milliseconds: 1), answer: .stopped(generation: 1))
      let second = RememberedCommand(
        key: key, at: Instant(milliseconds: 2),
        answer: .rejected(field: "id", reason: "no such schedule", isOfState: true))
      try fixture.store.apply([.remember(first)])
      try fixture.store.apply([.remember(second)])
      try expectEqual(try fixture.store.remembered([key]), [second], "remembered")
    },
    StoreCheck("the version of expression rules is stored") { fixture in
      try expectEqual(try fixture.store.load().rulesVersion, CronExpression.rulesVersion, "of a new store")
      try fixture.store.apply([.followRules(version: 7)])
      try fixture.reopen()
      try expectEqual(try fixture.store.load().rulesVersion, 7, "rules")
    },
    StoreCheck("the in-doubt mark and the secret are stored") { fixture in
      let secret = try fixture.store.load().secret
      for mark: Int64 in [1_795_000_000_000, 5, .max, .min] {
        try fixture.store.apply([.markInDoubt(through: Instant(milliseconds: mark))])
        try fixture.reopen()
        let persistentState = try fixture.store.load()
        try expectEqual(persistentState.inDoubtThrough.milliseconds, mark, "in doubt through")
        try expectEqual(persistentState.secret, secret, "secret")
      }
    },
  ]

  static let sweeping = [
    StoreCheck("schedules are removed by age: stopped ones and one-shots each at their own") { fixture in
      let schedules = [
        Schedule.sampleEnded("stopped 9", generation: 1, at: 9), .sampleEnded("stopped 10", generation: 2, at: 10),
        .sampleEnded("empty reason 9", generation: 3, at: 9, reason: ""),
        .sampleEnded("fired 19", generation: 4, at: 19, reason: nil),
        .sampleEnded("fired 20", generation: 5, at: 20, reason: nil), .sample("live", generation: 6, due: -50),
        .sampleEnded("owing", generation: 7, at: -50, owesStopped: true),
        .sampleEnded("fired, owing", generation: 8, at: -50, reason: nil, owesStopped: true),
      ]
      try fixture.store.apply(schedules.map { .start($0) })
      try expectEqual(try fixture.store.sweep(.keeping(endedBefore: 10, firedBefore: 20), limit: 100), 3, "removed")
      try expectEqual(
        try fixture.store.allByID(pageSize: 10).map(\.generation), [5, 8, 6, 7, 2], "the rest, by id")
    },
    StoreCheck("schedules are removed by age: each kind of end has its own") { fixture in
      let schedules = Schedule.Ending.Kind.allCases.flatMap { kind in
        [9, 19, 29].map { at in
          Schedule.sampleEnded(
            "\(kind) \(at)", generation: Int64(kind.rawValue * 10) + at / 10 + 1, at: at, kind: kind)
        }
      }
      try fixture.store.apply(schedules.map { .start($0) })
      let retention = Retention.keeping(endedBefore: 30, firedBefore: 20, lastingBefore: 10)
      try expectEqual(try fixture.store.sweep(retention, limit: 100), 9, "removed")
      try expectEqual(
        try fixture.store.allByID(pageSize: 10).map(\.id.text), ["fired 29", "lasting 19", "lasting 29"], "the rest")
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 1), limit: 100), 2, "removed by number")
    },
    StoreCheck("schedules beyond the number are removed, first those that ended first, never one that owes") {
      fixture in
      let ends: [Int64] = [50, 10, 40, 20, 30]
      let ended = ends.enumerated().map { index, at in
        Schedule.sampleEnded("\(at)", generation: Int64(index) + 1, at: at, reason: index % 2 == 0 ? nil : "stopped")
      }
      let others = [
        Schedule.sampleEnded("owing", generation: 8, at: 1, owesStopped: true), .sample("live", generation: 9),
      ]
      try fixture.store.apply((ended + others).map { .start($0) })
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 5), limit: 100), 0, "removed, of 5")
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 2), limit: 100), 3, "removed, of 2")
      try expectEqual(
        try fixture.store.allByID(pageSize: 10).map(\.id.text), ["40", "50", "live", "owing"], "the rest")
    },
    StoreCheck("an announced schedule can be removed, and its id reused") { fixture in
      try fixture.store.apply([.start(.sampleEnded(generation: 1, owesStopped: true))])
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 0), limit: 10), 0, "removed while it owes")
      try fixture.store.apply([.announced(generation: 1)])
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 0), limit: 10), 1, "removed")
      try expectEqual(try fixture.store.schedule("sample"), nil, "found")
      try fixture.store.apply([.start(.sample(generation: 2))])
    },
    StoreCheck("commands are removed by age and by number, the oldest first") { fixture in
      let commands = (0..<10).map { number in
        RememberedCommand(
          key: CommandKey(high: 0, low: UInt64(number)), at: Instant(milliseconds: Int64(number)),
          answer: .stopped(generation: 1))
      }
      try fixture.store.apply(commands.map { .remember($0) })
      try expectEqual(try fixture.store.sweep(.keeping(answeredBefore: 3), limit: 100), 3, "removed by age")
      try expectEqual(try fixture.store.sweep(.keeping(maximumCommands: 7), limit: 100), 0, "removed, of 7")
      // Answered again, the oldest becomes the newest.
      try fixture.store.apply([.remember(commands[3])])
      try expectEqual(try fixture.store.sweep(.keeping(maximumCommands: 4), limit: 100), 3, "removed by number")
      try expectEqual(
        try fixture.store.remembered(commands.map(\.key)).map { $0 != nil },
        [false, false, false, true, false, false, false, true, true, true], "left")
    },
    StoreCheck("a sweep removes no more than its limit, and everything in the end") { fixture in
      let ended = (1...20).map {
        Schedule.sampleEnded("\($0)", generation: $0, at: $0, reason: $0 % 3 == 0 ? nil : "r")
      }
      let commands = (1...20).map { number in
        RememberedCommand(
          key: CommandKey(high: number, low: 0), at: Instant(milliseconds: 0), answer: .stopped(generation: 1))
      }
      try fixture.store.apply(ended.map { .start($0) } + commands.map { .remember($0) })
      let retention = Retention.keeping(endedBefore: 8, firedBefore: 8, answeredBefore: 1, maximumEnded: 2)
      var steps: [Int] = []
      repeat { steps.append(try fixture.store.sweep(retention, limit: 7)) } while steps.last != 0 && steps.count < 100
      try expectEqual(steps, [7, 7, 7, 7, 7, 3, 0], "steps")
      try expectEqual(try fixture.store.allByID(pageSize: 10).map(\.generation), [19, 20], "left")
    },
  ]

  /// Random changes must have the same effect as on the store in memory.
  static let agreement = (UInt64(0)..<8).map { seed in
    StoreCheck("random changes have the same effect as in the memory store (seed \(seed))") { fixture in
      var generator = SeededGenerator(seed: seed)
      let model = MemoryStore(secret: try fixture.store.load().secret)
      for step in 0..<150 {
        let changes = try (0..<Int.random(in: 0...4, using: &generator)).map { _ in
          try Change.random(for: model, using: &generator)
        }
        // Some fail, because two of them share a generation.
        try expectEqual(
          refusal(of: changes, by: fixture.store), refusal(of: changes, by: model), "step \(step): refusal")
        if generator.oneIn(5) {
          let retention = Retention.random(using: &generator)
          // Complete sweeps: stores may remove rows in a different order.
          try expectEqual(
            try sweepAll(fixture.store, retention), try sweepAll(model, retention), "step \(step): swept")
        }
        if generator.oneIn(30) { try fixture.reopen() }
        try expectAgreement(fixture.store, model, step: step)
      }
    }
  }

  private static func refusal(of changes: [Change], by store: any TestableStore) -> StoreError.Kind? {
    do {
      try store.apply(changes)
      return nil
    } catch {
      return error.kind
    }
  }

  private static func sweepAll(_ store: any TestableStore, _ retention: Retention) throws -> Int {
    var removed = 0
    while true {
      let step = try store.sweep(retention, limit: 3)
      guard step > 0 else { return removed }
      removed += step
    }
  }

  private static func expectAgreement(_ store: any TestableStore, _ model: MemoryStore, step: Int) throws {
    let end = Instant(milliseconds: .max)
    try expectEqual(try store.load(), try model.load(), "step \(step): persistentState")
    try expectSame(try store.allByID(pageSize: 5), try model.allByID(pageSize: 100), "step \(step): by id")
    try expectEqual(try store.counts(), try model.counts(), "step \(step): counts")
    for schedule in try model.allByID(pageSize: 100) {
      try expectEqual(
        try store.history(of: schedule.id), try model.history(of: schedule.id), "step \(step): history")
    }
    try expectEqual(
      try store.allDue(through: end, pageSize: 3), try model.allDue(through: end, pageSize: 100), "step \(step): due")
    try expectEqual(
      try store.allFollowingZones(pageSize: 2), try model.allFollowingZones(pageSize: 100),
      "step \(step): following zones")
    try expectEqual(
      try store.owing(after: 0, limit: 100), try model.owing(after: 0, limit: 100),
      "step \(step): owing")
    let groups = try model.allByID(pageSize: 100).compactMap { $0.definition.group.map { Array($0.utf8) } }
    let walks = [ListWalk.id(from: []), .paused(from: []), .due(after: nil), .end(before: nil)]
    for walk in walks + Set(groups).map({ .group($0, from: []) }) {
      try expectSame(
        try store.listed(walk, limit: 100), try model.listed(walk, limit: 100), "step \(step): listed \(walk)")
    }
    let keys = CommandKey.few
    try expectEqual(try store.remembered(keys), try model.remembered(keys), "step \(step): remembered")
  }
}
