import Recurrence
import Scheduling

extension StoreConformance {
  static let due = [
    StoreCheck("due schedules are returned in order of due time, then generation, `through` included") { fixture in
      let dues: [Int64] = [30, 10, .max, 20, .min, 10, -5, 30, 0]
      let schedules = dues.enumerated().map { Schedule.sample("\($0)", generation: Int64($0) + 1, due: $1) }
      try fixture.store.apply(schedules.map { .start($0) } + [.start(.sampleEnded("ended", generation: 50))])
      let table: [(through: Int64, generations: [Int64])] = [
        (.max, [5, 7, 9, 2, 6, 4, 1, 8, 3]), (30, [5, 7, 9, 2, 6, 4, 1, 8]), (29, [5, 7, 9, 2, 6, 4]),
        (10, [5, 7, 9, 2, 6]), (-6, [5]), (.min, [5]),
      ]
      for (through, generations) in table {
        for pageSize in [1, 2, 100] {
          let due = try fixture.store.allDue(through: Instant(milliseconds: through), pageSize: pageSize)
          try expectEqual(due.map(\.generation), generations, "due through \(through) in pages of \(pageSize)")
        }
      }
    },
    StoreCheck("a page of due schedules begins after its position") { fixture in
      try fixture.store.apply((1...4).map { .start(.sample("\($0)", generation: $0, due: ($0 + 1) / 2 * 10)) })
      let table: [(due: Int64, generation: Int64, expected: [Int64])] = [
        (9, 99, [1, 2, 3, 4]), (10, 0, [1, 2, 3, 4]), (10, 1, [2, 3, 4]), (10, 2, [3, 4]), (10, .max, [3, 4]),
        (15, 0, [3, 4]), (20, 3, [4]), (20, 4, []), (.max, .max, []), (.min, .min, [1, 2, 3, 4]),
      ]
      for (due, generation, expected) in table {
        let position = DuePosition(on: .bus, due: Instant(milliseconds: due), generation: generation)
        let page = try fixture.store.due(
          after: position, through: .end(of: .bus, due: Instant(milliseconds: 20)), limit: 10)
        try expectEqual(page.schedules.map(\.generation), expected, "after \(position)")
        try expectEqual(page.isLast, true, "is last, after \(position)")
      }
    },
    StoreCheck("schedules with a target are due in a stretch of their own, behind the others") { fixture in
      let dues: [Int64] = [30, 10, 20, -5, 20, 10]
      let schedules = dues.enumerated().map { index, due in
        var schedule = Schedule.sample("\(index)", generation: Int64(index) + 1, due: due)
        if index % 2 == 0 { schedule.definition.target = Target(exchange: "x", detailType: "A") }
        return schedule
      }
      try fixture.store.apply(schedules.map { .start($0) })
      let store = fixture.store
      let due = { (outlet: Outlet, end: Int64) throws -> [Schedule] in
        let through = DuePosition.end(of: outlet, due: Instant(milliseconds: end))
        return try store.due(after: .start(of: outlet), through: through, limit: 10).schedules
      }
      try expectEqual(try due(.bus, 20).map(\.generation), [4, 2, 6], "on the bus")
      try expectEqual(try due(.targets, 20).map(\.generation), [3, 5], "targets through 20")
      try expectSame(try due(.targets, 30), [schedules[2], schedules[4], schedules[0]], "targets")
      let listed = try fixture.store.listed(.due(after: nil), limit: 4)
      try expectEqual(listed.map(\.generation), [4, 2, 6, 3], "a list has both by due time")
      let rest = try fixture.store.listed(.due(after: listed.last?.duePosition), limit: 4)
      try expectEqual(rest.map(\.generation), [5, 1], "the rest of the list")
      let count = try fixture.store.dueCount(through: Instant(milliseconds: 20), upTo: 9)
      try expectEqual(count.count, 5, "both are counted")

      var moved = schedules[1]
      moved.definition.target = Target(detailType: "B")
      var back = schedules[0]
      back.definition.target = nil
      let next = Schedule.State.live(.init(slot: Instant(milliseconds: 25), due: Instant(milliseconds: 25)))
      try fixture.store.apply([
        .revise(moved, from: Instant(milliseconds: 10), isRedefined: true),
        .revise(back, from: Instant(milliseconds: 30), isRedefined: true),
        .advance(schedules[2], from: Instant(milliseconds: 20), to: Schedule.Progress(state: next, counter: 1)),
      ])
      try expectEqual(try due(.bus, 99).map(\.generation), [4, 6, 1], "on the bus after an Update")
      try expectEqual(
        try due(.targets, 99).map(\.generation), [2, 5, 3], "targets after an Update and a tick")
    },
    StoreCheck("a page of due schedules says whether it is the last") { fixture in
      try fixture.store.apply((1...3).map { .start(.sample("\($0)", generation: $0, due: $0 * 10)) })
      for (through, limit, isLast) in [(30, 2, false), (30, 3, true), (29, 2, true), (20, 1, false), (5, 1, true)] {
        let page = try fixture.store.due(
          after: nil, through: .end(of: .bus, due: Instant(milliseconds: Int64(through))), limit: limit)
        try expectEqual(page.isLast, isLast, "is last, through \(through) with limit \(limit)")
        try expect(page.schedules.count <= limit, "at most \(limit) schedules to a page")
      }
    },
    StoreCheck("a page of due schedules is bounded in bytes") { fixture in
      let quarter = [UInt8](repeating: 0x20, count: DuePage.maximumPayloadBytes / 4)
      let whole = [UInt8](repeating: 0x20, count: DuePage.maximumPayloadBytes + 1)
      let payloads = [quarter, quarter, quarter, quarter, quarter, whole, whole, [0x31]]
      try fixture.store.apply(
        payloads.enumerated().map {
          .start(.sample("\($0)", generation: Int64($0) + 1, due: Int64($0 / 3), payload: $1))
        })
      var pages: [[Int64]] = []
      var position: DuePosition?
      while true {
        let page = try fixture.store.due(
          after: position, through: .end(of: .bus, due: Instant(milliseconds: 9)), limit: 100)
        pages.append(page.schedules.map(\.generation))
        guard !page.isLast, pages.count < 100 else { break }
        position = page.schedules.last?.duePosition
      }
      try expectEqual(pages, [[1, 2, 3, 4], [5, 6], [7], [8]], "pages")
    },
    StoreCheck("schedules that follow a time zone are returned in order of due time, then generation") { fixture in
      let dues: [(generation: Int64, due: Int64)] = [(1, 20), (2, 10), (3, 20), (4, 10), (5, 30)]
      let schedules = dues.map { generation, due -> Schedule in
        var schedule = Schedule.sample("\(generation)", generation: generation, due: due)
        guard generation != 4, var nextTick = schedule.nextTick else { return schedule }
        nextTick.since = Instant(milliseconds: generation)
        schedule.progress.state = .live(nextTick)
        return schedule
      }
      try fixture.store.apply(schedules.map { .start($0) })
      for pageSize in [1, 2, 10] {
        let following = try fixture.store.allFollowingZones(pageSize: pageSize)
        try expectEqual(following.map(\.generation), [2, 1, 3, 5], "in pages of \(pageSize)")
      }
      let ended = Schedule.State.ended(.init(reason: nil, at: Instant(milliseconds: 9), owesStopped: false))
      let next = Schedule.NextTick(slot: Instant(milliseconds: 25), due: Instant(milliseconds: 25))
      try fixture.store.apply([
        .advance(generation: 2, from: Instant(milliseconds: 10), to: ended, counter: 1),
        .advance(generation: 1, from: Instant(milliseconds: 20), to: .live(next), counter: 1),
      ])
      try expectEqual(try fixture.store.allFollowingZones(pageSize: 10).map(\.generation), [3, 5], "left")
    },
    StoreCheck("ten thousand schedules are returned page by page, each once") { fixture in
      let count: Int64 = 10_000
      // Few instants, so that pages end amid schedules that are due together.
      let schedules = (1...count).map { Schedule.sample("\($0 * 7919 % count)", generation: $0, due: $0 * 31 % 7) }
      for start in stride(from: 0, to: schedules.count, by: 1000) {
        try fixture.store.apply(schedules[start..<start + 1000].map { .start($0) })
      }
      try fixture.reopen()
      let byDue = schedules.compactMap(\.duePosition).sorted()
      let due = try fixture.store.allDue(through: Instant(milliseconds: 6), pageSize: 256)
      try expect(due.map(\.generation) == byDue.map(\.generation), "all that is due, in order")
      let byID = schedules.sorted { $0.id < $1.id }
      let paged = try fixture.store.allByID(pageSize: 256)
      try expect(paged.map(\.generation) == byID.map(\.generation), "all by id, in order")
    },
  ]

  static let reading = [
    StoreCheck("ids are bytes: no normalisation, no folding of case, no prefix taken for the whole") { fixture in
      let ids = ["é", "e\u{301}", "e", "E", "ee", "a b", "a", "a ", " a", "\u{ff}", "z", "\u{10ffff}", "%", "a%", "_"]
      let schedules = ids.enumerated().map { Schedule.sample($1, generation: Int64($0) + 1) }
      try fixture.store.apply(schedules.map { .start($0) })
      for schedule in schedules {
        try expectEqual(try fixture.store.schedules([schedule.id]), [schedule], "found by \(schedule.id.bytes)")
      }
      for pageSize in [1, 4, 100] {
        let paged = try fixture.store.allByID(pageSize: pageSize)
        try expectEqual(paged.map(\.id), schedules.map(\.id).sorted(), "by id in pages of \(pageSize)")
      }
    },
    StoreCheck("a page by id has at most as many as asked, of any state") { fixture in
      let schedules = [
        Schedule.sample("a", generation: 1), .sampleEnded("b", generation: 2, owesStopped: true),
        .sampleEnded("c", generation: 3),
      ]
      try fixture.store.apply(schedules.map { .start($0) })
      try expectEqual(try fixture.store.page(after: nil, limit: 2), Array(schedules[..<2]), "first page")
      let between = ScheduleID(stored: Array("aa".utf8))
      try expectEqual(try fixture.store.page(after: between, limit: 2), Array(schedules[1...]), "after an id not there")
      try expectEqual(try fixture.store.page(after: schedules[2].id, limit: 2), [], "after the last")
    },
    StoreCheck("a payload is stored byte for byte") { fixture in
      let payloads: [[UInt8]?] = [
        nil, [], [0], Array("\"\\u0000\0\"".utf8), Array(0...255), [0xff, 0xfe, 0x00, 0xc3], Array("1.0".utf8),
        [UInt8](repeating: 0xe9, count: 256 * 1024),
      ]
      for (index, payload) in payloads.enumerated() {
        try fixture.store.apply([.start(.sample("\(index)", generation: Int64(index) + 1, payload: payload))])
      }
      try fixture.reopen()
      for (index, payload) in payloads.enumerated() {
        let kept = try fixture.store.schedule("\(index)")?.definition.payload
        try expect(kept == payload, "payload \(index): \(kept?.count ?? -1) bytes, should be \(payload?.count ?? -1)")
      }
    },
    StoreCheck("every field of a schedule is stored") { fixture in
      for seed: UInt64 in 0..<200 {
        var generator = SeededGenerator(seed: seed)
        let schedule = Schedule.random(generation: Int64(seed) + 1, using: &generator)
        try fixture.store.apply([.start(schedule)])
        if seed % 50 == 0 { try fixture.reopen() }
        try expectSame(try fixture.store.schedules([schedule.id]), [schedule], "seed \(seed)")
      }
    },
  ]
}
