import Recurrence
import Scheduling

extension StoreConformance {
  static let starting = [
    StoreCheck("a new store is empty") { fixture in
      let persistentState = try fixture.store.load()
      try expectEqual(persistentState.lastGeneration, 0, "last generation")
      try expectEqual(persistentState.inDoubtThrough, Instant(milliseconds: .min), "in doubt through")
      try expectEqual(try fixture.store.allDue(through: Instant(milliseconds: .max), pageSize: 10), [], "due")
      try expectEqual(try fixture.store.allByID(pageSize: 10), [], "by id")
      try expectEqual(try fixture.store.owing(after: .min, limit: 10), [], "owing")
    },
    StoreCheck("a start is found by its id, in the order asked") { fixture in
      let (a, b) = (Schedule.sample("a", generation: 1), Schedule.sample("b", generation: 2))
      try fixture.store.apply([.start(a), .start(b)])
      let none = ScheduleID(stored: Array("none".utf8))
      try expectEqual(try fixture.store.schedules([b.id, none, a.id, b.id]), [b, nil, a, b], "found")
      try expectEqual(try fixture.store.schedules([]), [], "nothing asked")
    },
    StoreCheck("a start replaces the schedule with its id, whatever its state") { fixture in
      let olds = [
        Schedule.sample(generation: 1, due: 5), .sampleEnded(generation: 3, owesStopped: true),
        .sampleEnded(generation: 5, reason: nil),
      ]
      for old in olds {
        let new = Schedule.sample(generation: old.generation + 1, due: 9)
        try fixture.store.apply([.start(old)])
        try fixture.store.apply([.start(new)])
        try expectEqual(try fixture.store.allByID(pageSize: 10), [new], "by id")
        try expectEqual(try fixture.store.allDue(through: Instant(milliseconds: .max), pageSize: 10), [new], "due")
        try expectEqual(try fixture.store.owing(after: .min, limit: 10), [], "owing")
      }
    },
    StoreCheck("delivery results are added up, and kept after the end") { fixture in
      let beginning = Schedule.Beginning(at: Instant(milliseconds: 3))
      let first = Schedule.sample("a", generation: 1, due: 5)
      try fixture.store.apply([.start(first, beginning), .start(.sample("b", generation: 2, due: 5))])
      try expectEqual(try fixture.store.history(of: first.id), .init(beginning: beginning), "history at first")
      try expectEqual(try fixture.store.history(of: ScheduleID(stored: [0])), nil, "history of nothing")
      func go(from slot: Int64, to state: Schedule.State, adding tally: Schedule.Tally) throws {
        let progress = Schedule.Progress(state: state, counter: 1)
        try fixture.store.apply([.advance(first.key, from: Instant(milliseconds: slot), to: progress, adding: tally)])
      }
      func live(_ slot: Int64) -> Schedule.State {
        .live(.init(slot: Instant(milliseconds: slot), due: Instant(milliseconds: slot)))
      }
      let last = [5, 6, 7].map { slot in
        Schedule.Tally.Last(
          slot: Instant(milliseconds: slot), latenessMilliseconds: slot - 6, confirmationMilliseconds: slot)
      }
      try go(from: 5, to: live(6), adding: .init(last: last[0]))
      try go(from: 6, to: live(7), adding: .init(missed: 2, repeats: 1, refusals: 3, returns: 1, last: last[1]))
      try go(from: 7, to: live(8), adding: .init(missed: 5))
      try go(from: 7, to: live(9), adding: .init(missed: 100))  // not its slot any more
      var expected = Schedule.History(
        beginning: beginning, tally: .init(missed: 7, repeats: 1, refusals: 3, returns: 1, last: last[1]))
      try expectEqual(try fixture.store.history(of: first.id), expected, "history of a live one")
      let ended = Schedule.State.ended(.init(reason: "r", at: Instant(milliseconds: 9), owesStopped: true))
      try go(from: 8, to: ended, adding: .init(last: last[2]))
      expected.tally.last = last[2]
      try fixture.store.apply([.announced(generation: 1)])
      try fixture.reopen()
      try expectEqual(try fixture.store.history(of: first.id), expected, "history of an ended one")
      try fixture.store.apply([.start(.sample("a", generation: 3))])
      try expectEqual(try fixture.store.history(of: first.id), .init(), "history of its replacement")
    },
    StoreCheck("schedules are counted by state, whatever changes") { fixture in
      func expectCounts(_ live: Int, _ ended: Int, _ when: String) throws {
        try expectEqual(try fixture.store.counts(), ScheduleCounts(live: live, ended: ended), "counts, \(when)")
      }
      try expectCounts(0, 0, "at first")
      let slot = Instant(milliseconds: 5)
      let schedules = (1...5).map { Schedule.sample("\($0)", generation: $0, due: 5) }
      try fixture.store.apply(schedules.map { .start($0) } + [.start(.sampleEnded("6", generation: 6, at: 5))])
      try expectCounts(5, 1, "after starts")
      let ended = Schedule.State.ended(.init(reason: nil, at: slot, owesStopped: false))
      let owing = Schedule.State.ended(.init(reason: "r", at: slot, owesStopped: true))
      let later = Schedule.State.live(.init(slot: Instant(milliseconds: 6), due: Instant(milliseconds: 6)))
      try fixture.store.apply([
        .advance(generation: 1, from: slot, to: ended, counter: 1),
        .advance(generation: 2, from: slot, to: owing, counter: 1),
        .advance(generation: 3, from: slot, to: later, counter: 1),
        .advance(generation: 1, from: slot, to: ended, counter: 1),
        .announced(generation: 2),
      ])
      try expectCounts(3, 3, "after ends, and one that had ended")
      try fixture.store.apply([
        .start(.sample("4", generation: 7, due: 5)), .start(.sample("1", generation: 8)),
        .start(.sampleEnded("6", generation: 9)),
      ])
      try expectCounts(4, 2, "after a live one and two ended ones were replaced")
      try fixture.reopen()
      try expectCounts(4, 2, "after reopening")
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 0), limit: 10), 2, "swept")
      try expectCounts(4, 0, "after a sweep")
    },
    StoreCheck("generations only grow, also after their schedules are removed") { fixture in
      try fixture.store.apply([.start(.sampleEnded("a", generation: 7)), .start(.sample("b", generation: 9))])
      try expectEqual(try fixture.store.sweep(.keeping(maximumEnded: 0), limit: 10), 1, "swept")
      try fixture.store.apply([.start(.sampleEnded("b", generation: 11))])
      _ = try fixture.store.sweep(.keeping(maximumEnded: 0), limit: 10)
      try fixture.reopen()
      try expectEqual(try fixture.store.load().lastGeneration, 11, "last generation")
      for generation: Int64 in [0, 7, 10, 11] {
        try expectRefusal(of: [.start(.sample("c", generation: generation))], by: fixture.store)
      }
      try expectEqual(try fixture.store.allByID(pageSize: 10), [], "by id")
    },
    StoreCheck("all changes are made, or none") { fixture in
      let schedule = Schedule.sample("a", generation: 1, due: 5)
      try fixture.store.apply([.start(schedule)])
      let before = try fixture.store.load()
      let command = RememberedCommand(
        key: CommandKey(high: 1, low: 2), at: Instant(milliseconds: 3), answer: .stopped(generation: 1))
      let ended = Schedule.State.ended(.init(reason: "r", at: Instant(milliseconds: 6), owesStopped: true))
      try expectRefusal(
        of: [
          .advance(generation: 1, from: Instant(milliseconds: 5), to: ended, counter: 1), .remember(command),
          .markInDoubt(through: Instant(milliseconds: 9)), .start(.sample("b", generation: 2)),
          .start(.sample("c", generation: 2)),
        ], by: fixture.store)
      try fixture.reopen()
      try expectEqual(try fixture.store.load(), before, "persistentState")
      try expectEqual(try fixture.store.allByID(pageSize: 10), [schedule], "by id")
      try expectEqual(try fixture.store.remembered([command.key]), [nil], "remembered")
    },
    StoreCheck("changes are made in their order") { fixture in
      let instant = Instant(milliseconds: 5)
      let later = Schedule.State.live(.init(slot: Instant(milliseconds: 6), due: Instant(milliseconds: 6)))
      var advanced = Schedule.sample("a", generation: 1, due: 6)
      advanced.definition.timing = .at(instant)
      advanced.progress.counter = 1
      let new = Schedule.sample("b", generation: 3, due: 5)
      try fixture.store.apply([])
      try fixture.store.apply([
        .start(.sample("a", generation: 1, due: 5)), .start(.sample("b", generation: 2, due: 5)),
        .advance(generation: 1, from: instant, to: later, counter: 1), .start(new),
        .advance(generation: 2, from: instant, to: later, counter: 1),
      ])
      try expectEqual(try fixture.store.allByID(pageSize: 10), [advanced, new], "by id")
    },
  ]

  static let advancing = [
    StoreCheck("a live schedule advances to its next tick") { fixture in
      var schedule = Schedule.sample(generation: 1, due: 10)
      try fixture.store.apply([.start(schedule), .start(.sample("other", generation: 2, due: 15))])
      schedule.progress.counter = 1 << 53
      schedule.progress.state = .live(
        .init(slot: Instant(milliseconds: 20), due: Instant(milliseconds: 21), missed: 1000))
      try fixture.store.apply([
        .advance(generation: 1, from: Instant(milliseconds: 10), to: schedule.state, counter: schedule.counter)
      ])
      try expectEqual(try fixture.store.schedules([schedule.id]), [schedule], "found")
      let due = try fixture.store.allDue(through: Instant(milliseconds: 21), pageSize: 1)
      try expectEqual(due.map(\.generation), [2, 1], "order of due")
    },
    StoreCheck("an advance has no effect unless generation and slot match a live schedule") { fixture in
      let live = Schedule.sample("live", generation: 1, due: 10)
      let ended = Schedule.sampleEnded("ended", generation: 2, at: 10)
      try fixture.store.apply([.start(live), .start(ended)])
      let states: [Schedule.State] = [
        .live(.init(slot: Instant(milliseconds: 20), due: Instant(milliseconds: 20))),
        .ended(.init(reason: nil, at: Instant(milliseconds: 20), owesStopped: true)),
      ]
      for state in states {
        for (generation, slot) in [(1, 11), (2, 10), (3, 10), (0, 0)] as [(Int64, Int64)] {
          try fixture.store.apply([
            .advance(generation: generation, from: Instant(milliseconds: slot), to: state, counter: 5)
          ])
        }
      }
      try expectEqual(try fixture.store.allByID(pageSize: 10), [ended, live], "by id")
    },
    StoreCheck("an ended schedule is no longer due, and owes its Stopped if so stored") { fixture in
      let endings: [Schedule.Ending] = [
        .init(reason: "Count Limit Reached", at: Instant(milliseconds: 11), owesStopped: true),
        .init(reason: nil, at: Instant(milliseconds: 12), owesStopped: false),
        .init(reason: "", at: Instant(milliseconds: 13), owesStopped: true),
      ]
      var expected: [Schedule] = []
      for (index, ending) in endings.enumerated() {
        var schedule = Schedule.sample("\(index)", generation: Int64(index) + 1, due: 10, payload: [1])
        try fixture.store.apply([.start(schedule)])
        schedule.progress.state = .ended(ending)
        schedule.progress.counter = 3
        try fixture.store.apply([
          .advance(
            generation: schedule.generation, from: Instant(milliseconds: 10), to: schedule.state, counter: 3)
        ])
        expected.append(schedule)
      }
      try fixture.reopen()
      try expectEqual(try fixture.store.allByID(pageSize: 10), expected, "by id")
      try expectEqual(try fixture.store.allDue(through: Instant(milliseconds: .max), pageSize: 10), [], "due")
      try expectEqual(try fixture.store.owing(after: 0, limit: 10), [expected[0], expected[2]], "owing")
    },
    StoreCheck("a stopped schedule loses its payload at once; one that owes its Stopped, or has fired, keeps it") {
      fixture in
      let endings: [Schedule.Ending] = [
        .init(reason: "stopped", at: Instant(milliseconds: 11), owesStopped: false),
        .init(reason: "Count Limit Reached", at: Instant(milliseconds: 12), owesStopped: true),
        .init(reason: nil, at: Instant(milliseconds: 13), owesStopped: false),
      ]
      for (index, ending) in endings.enumerated() {
        let schedule = Schedule.sample("\(index)", generation: Int64(index) + 1, due: 10, payload: [1, 2])
        try fixture.store.apply([.start(schedule)])
        let elsewhere = Change.advance(
          generation: schedule.generation, from: Instant(milliseconds: 9), to: .ended(endings[0]), counter: 0)
        try fixture.store.apply([elsewhere])
        try expectEqual(try fixture.store.schedule("\(index)")?.definition.payload, [1, 2], "payload while it is live")
        try fixture.store.apply([
          .advance(
            generation: schedule.generation, from: Instant(milliseconds: 10), to: .ended(ending), counter: 0)
        ])
      }
      try fixture.reopen()
      try expectEqual(
        try fixture.store.allByID(pageSize: 10).map(\.definition.payload), [nil, [1, 2], [1, 2]], "payloads")
    },
    StoreCheck("an announced schedule owes nothing and loses its payload; others are left alone") { fixture in
      var ended = Schedule.sampleEnded("ended", generation: 1, at: 5, owesStopped: true, payload: [1, 2])
      let live = Schedule.sample("live", generation: 2, payload: [3])
      try fixture.store.apply([.start(ended), .start(live)])
      try fixture.store.apply([.announced(generation: 1), .announced(generation: 2), .announced(generation: 3)])
      ended.definition.payload = nil
      ended.progress.state = .ended(.init(reason: "stopped", at: Instant(milliseconds: 5), owesStopped: false))
      try expectEqual(try fixture.store.allByID(pageSize: 10), [ended, live], "by id")
      try expectEqual(try fixture.store.owing(after: .min, limit: 10), [], "owing")
    },
    StoreCheck("a declaration is stored, and extends the retention of an automatic end") { fixture in
      var schedules = Schedule.Ending.Kind.allCases.enumerated().map { index, kind in
        Schedule.sampleEnded("\(index)", generation: Int64(index) + 1, owesStopped: index == 1, kind: kind)
      }
      schedules.append(.sample("live", generation: 9))
      try fixture.store.apply(schedules.map { .start($0) })
      let declarations = [
        Schedule.Declaration(digest: DefinitionDigest(high: 1 << 63, low: 2), isLasting: false),
        Schedule.Declaration(digest: DefinitionDigest(high: .max, low: 0), isLasting: true),
      ]
      for declaration in declarations {
        try fixture.store.apply(schedules.map { .declare($0.key, declaration) })
        try fixture.store.apply([.declare(Schedule.Key(generation: 99, cohort: 0), declaration)])
        try fixture.reopen()
        for index in schedules.indices { schedules[index].declare(declaration) }
        try expectEqual(try fixture.store.allByID(pageSize: 10), schedules, "by id")
      }
      try expectEqual(
        try fixture.store.allByID(pageSize: 10).map { $0.ending?.kind }, [.stopped, .lasting, .lasting, .lasting, nil],
        "kinds")
    },
    StoreCheck("schedules that owe their Stopped are returned in pages by generation") { fixture in
      let schedules = (1...25).map { number in
        Schedule.sampleEnded("\(100 - number)", generation: Int64(number), owesStopped: number % 2 == 1)
      }
      try fixture.store.apply(schedules.map { .start($0) })
      var pages: [[Int64]] = []
      while pages.count < 100 {
        let page = try fixture.store.owing(after: pages.last?.last ?? 0, limit: 5)
        guard !page.isEmpty else { break }
        pages.append(page.map(\.generation))
      }
      try expectEqual(pages, [[1, 3, 5, 7, 9], [11, 13, 15, 17, 19], [21, 23, 25]], "pages")
    },
  ]

  private static func expectRefusal(of changes: [Change], by store: any TestableStore) throws {
    do {
      try store.apply(changes)
    } catch {
      return try expectEqual(error.kind, .other, "kind of the refusal")
    }
    throw ConformanceFailure(description: "accepted, although its generation is not above the last: \(changes)")
  }
}
