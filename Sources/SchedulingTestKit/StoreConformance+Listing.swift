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
    StoreCheck("a list of a group has its schedules in any state, by id, and only those whose name has the same bytes")
    {
      fixture in
      let members: [(id: String, group: String?, hasEnded: Bool)] = [
        ("b", "é", false), ("a", "é", true), ("ab", "e\u{301}", false), ("c", nil, false), ("é", "é", false),
        ("d", "", false), ("bb", "é\0", false), ("ba", "é", false),
      ]
      let schedules = members.enumerated().map { index, member in
        let generation = Int64(index) + 1
        var schedule =
          member.hasEnded
          ? Schedule.sampleEnded(member.id, generation: generation) : .sample(member.id, generation: generation)
        schedule.definition.group = member.group
        return schedule
      }
      try fixture.store.apply(schedules.map { .start($0) })
      let table: [(group: String, from: String, expected: [Int64])] = [
        ("é", "", [2, 1, 8]), ("é", "b\0", [8, 5]), ("é", "é\0", []), ("e\u{301}", "", [3]), ("", "", [6]),
        ("é\0", "", [7]), ("none", "", []),
      ]
      for (group, from, expected) in table {
        let listed = try fixture.store.listed(.group(Array(group.utf8), from: Array(from.utf8)), limit: 3)
        try expectEqual(listed.map(\.generation), expected, "group \(group) from \(from)")
      }
      // A Start that replaces a member may move it to another group, and what changes it keeps it there.
      var moved = Schedule.sample("b", generation: 9)
      moved.definition.group = "new"
      var revised = schedules[7]
      revised.control.revision = 2
      try fixture.store.apply([
        .start(moved), .revise(revised, from: Instant(milliseconds: 0), isRedefined: false),
      ])
      let listed = try fixture.store.listed(.group(Array("é".utf8), from: []), limit: 9)
      try expectEqual(listed.map(\.generation), [2, 8, 5], "after the change")
      try expectSame(
        try fixture.store.listed(.group(Array("new".utf8), from: []), limit: 9), [moved.asListed], "the other group")
    },
    StoreCheck("a list of the paused has no other live and no ended ones, by id") { fixture in
      let schedules = ["b", "a", "c", "é"].enumerated().map { index, id in
        var schedule = Schedule.sample(id, generation: Int64(index) + 1)
        if id != "c" { schedule.control.pause = Schedule.Pause(since: Instant(milliseconds: 5), reason: "é") }
        return schedule
      }
      try fixture.store.apply(schedules.map { .start($0) } + [.start(.sampleEnded("d", generation: 5))])
      let table: [(from: String, expected: [Int64])] = [("", [2, 1]), ("b\0", [4]), ("é\0", [])]
      for (from, expected) in table {
        let listed = try fixture.store.listed(.paused(from: Array(from.utf8)), limit: 2)
        try expectEqual(listed.map(\.generation), expected, "from \(from)")
      }
      var resumed = schedules[1]
      resumed.control.pause = nil
      try fixture.store.apply([
        .revise(resumed, from: Instant(milliseconds: 0), isRedefined: false), .start(.sample("b", generation: 6)),
      ])
      try expectSame(
        try fixture.store.listed(.paused(from: []), limit: 9), [schedules[3].asListed], "once resumed or replaced")
      try expectEqual(try fixture.store.counts().paused, 1, "count")
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
    StoreCheck("listed schedules lack only payloads and declaration") { fixture in
      for seed: UInt64 in 0..<50 {
        var generator = SeededGenerator(seed: seed)
        let schedule = Schedule.random(generation: Int64(seed) + 1, using: &generator)
        try fixture.store.apply([.start(schedule)])
        var walks = [ListWalk.id(from: schedule.id.bytes)]
        if let group = schedule.definition.group { walks.append(.group(Array(group.utf8), from: schedule.id.bytes)) }
        if schedule.isPaused { walks.append(.paused(from: schedule.id.bytes)) }
        for walk in walks {
          try expectSame(try fixture.store.listed(walk, limit: 1), [schedule.asListed], "seed \(seed), \(walk)")
        }
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
  /// As lists have it: without payloads and declaration.
  var asListed: Schedule {
    var schedule = self
    schedule.definition.payload = nil
    schedule.control.owedTick?.payload = nil
    schedule.declaration = Declaration()
    return schedule
  }
}
