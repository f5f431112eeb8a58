import Recurrence
import Scheduling

/// Lists without payloads, and counts.
extension StoreConformance {
  static let listing = [
    StoreCheck("a list by id starts with the id asked for, in any state") { fixture in
      let schedules = [
        Schedule.sample("a", generation: 1), .sampleEnded("ab", generation: 2, owesStopped: true),
        .sampleEnded("b", generation: 3), .sample("é", generation: 4),
      ]
      try fixture.store.apply(schedules.map { .start($0) })
      let table: [(from: String, expected: [Int64])] = [
        ("", [1, 2]), ("a", [1, 2]), ("a\0", [2, 3]), ("ab", [2, 3]), ("b", [3, 4]), ("é", [4]), ("é\0", []),
      ]
      for (from, expected) in table {
        let listed = try fixture.store.listed(.id(from: Array(from.utf8)), limit: 2)
        try expectEqual(listed.map(\.generation), expected, "from \(from)")
      }
    },
    StoreCheck("a list by due has the live schedules beyond its position, whatever the size of their payloads") {
      fixture in
      let payload = [UInt8](repeating: 0x20, count: DuePage.maximumPayloadBytes)
      let schedules = (1...6).map { Schedule.sample("\($0)", generation: $0, due: -$0 / 2 * 10, payload: payload) }
      try fixture.store.apply(schedules.map { .start($0) } + [.start(.sampleEnded("ended", generation: 7))])
      let table: [(after: DuePosition?, limit: Int, expected: [Int64])] = [
        (nil, 9, [6, 4, 5, 2, 3, 1]), (nil, 2, [6, 4]), (schedules[3].duePosition, 3, [5, 2, 3]),
        (schedules[0].duePosition, 1, []),
      ]
      for (position, limit, expected) in table {
        let listed = try fixture.store.listed(.due(after: position), limit: limit)
        try expectEqual(listed.map(\.generation), expected, "after \(String(describing: position))")
      }
    },
    StoreCheck("a list by end has all ended schedules, latest first, whatever their reason and what they owe") {
      fixture in
      let ends: [(at: Int64, reason: String?, owes: Bool)] = [
        (10, "x", false), (30, nil, false), (20, "x", true), (20, nil, false), (20, "x", false), (.min, "x", false),
        (.max, nil, false), (30, "x", true), (5, "", true),
      ]
      let schedules = ends.enumerated().map { index, end in
        Schedule.sampleEnded(
          "\(index)", generation: Int64(index) + 1, at: end.at, reason: end.reason, owesStopped: end.owes)
      }
      try fixture.store.apply(schedules.map { .start($0) } + [.start(.sample("live", generation: 50))])
      let expected: [Int64] = [7, 8, 2, 5, 4, 3, 1, 9, 6]
      for pageSize in [1, 2, 9] {
        try expectEqual(
          try fixture.store.allByEnd(pageSize: pageSize).map(\.generation), expected, "in pages of \(pageSize)")
      }
      try fixture.store.apply([.announced(generation: 8), .announced(generation: 3)])
      try expectEqual(try fixture.store.allByEnd(pageSize: 4).map(\.generation), expected, "once announced")
    },
    StoreCheck("listed schedules lack only their payload") { fixture in
      for seed: UInt64 in 0..<50 {
        var generator = SeededGenerator(seed: seed)
        let schedule = Schedule.random(generation: Int64(seed) + 1, using: &generator)
        try fixture.store.apply([.start(schedule)])
        try expectSame(
          try fixture.store.listed(.id(from: schedule.id.bytes), limit: 1), [schedule.asListed], "seed \(seed)")
      }
    },
    StoreCheck("due schedules are counted up to a bound") { fixture in
      let ended = Schedule.sampleEnded("ended", generation: 9, at: 1)
      try fixture.store.apply((1...5).map { .start(.sample("\($0)", generation: $0, due: $0 * 10)) } + [.start(ended)])
      let table: [(through: Int64, bound: Int, count: Int, isAll: Bool)] = [
        (.max, 9, 5, true), (.max, 5, 5, true), (.max, 4, 4, false), (30, 9, 3, true), (29, 2, 2, true),
        (29, 1, 1, false),
        (9, 0, 0, true), (10, 0, 0, false), (.min, 9, 0, true),
      ]
      for (through, bound, count, isAll) in table {
        let found = try fixture.store.dueCount(through: Instant(milliseconds: through), upTo: bound)
        try expect(found == (count, isAll), "through \(through) up to \(bound): is \(found)")
      }
    },
  ]
}

extension ScheduleQueries {
  /// All ended schedules, latest end first, page by page.
  func allByEnd(pageSize: Int) throws -> [Schedule] {
    try allPages { last in
      let position = last.flatMap { last in last.ending.map { EndPosition(at: $0.at, generation: last.generation) } }
      let schedules = try listed(.end(before: position), limit: pageSize)
      return DuePage(schedules: schedules, isLast: schedules.isEmpty)
    }
  }
}

extension Schedule {
  /// As lists have it.
  var asListed: Schedule {
    var schedule = self
    schedule.definition.payload = nil
    schedule.declaration = Declaration()
    return schedule
  }
}
