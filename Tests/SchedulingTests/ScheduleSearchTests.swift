import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

/// What people find in a store, page by page.
@Suite("Searching schedules")
struct ScheduleSearchTests {
  private static let ids = ["a", "ab", "abc", "abd", "ac", "b", "é", "e\u{301}"]

  private func filledStore() throws -> MemoryStore {
    let store = MemoryStore()
    let changes = try Self.ids.enumerated().map { index, id in
      // Those with an odd number have ended; slots run against the order of ids. Groups are byte for byte.
      let slot = Instant(milliseconds: Int64(1000 - index * 10))
      var definition = Definition(id: ScheduleID(stored: Array(id.utf8)), timing: .every(try DurationExpression("5s")))
      definition.group = index < 5 ? "é" : "e\u{301}"
      definition.tags = index % 4 == 0 ? ["x", "é"] : index % 4 == 1 ? ["e\u{301}"] : nil
      var schedule = Schedule(
        definition: definition, origin: Origin(), generation: Int64(index + 1),
        state: index % 2 == 0
          ? .live(.init(slot: slot, due: slot)) : .ended(.init(reason: "x", at: slot, owesStopped: false)))
      if index == 2 || index == 6 { schedule.control.pause = Schedule.Pause(since: slot) }
      return Change.start(schedule)
    }
    try store.apply(changes)
    return store
  }

  private func all(_ search: ScheduleSearch, limit: Int, examining: Int) throws -> [String] {
    let store = try filledStore()
    var found: [String] = []
    var position: ListPosition?
    for _ in 1...50 {
      let list = try store.list(search, after: position, limit: limit, examining: examining)
      #expect(list.schedules.count <= max(1, limit))
      found += list.schedules.map(\.id.text)
      guard let next = list.next else { return found }
      position = next
    }
    Issue.record("no end")
    return found
  }

  @Test(
    "each that fits comes once, in order, whatever the size of a page",
    arguments: [
      (ScheduleSearch(), ["a", "ab", "abc", "abd", "ac", "b", "e\u{301}", "é"]),
      (ScheduleSearch(prefix: Array("ab".utf8)), ["ab", "abc", "abd"]),
      (ScheduleSearch(prefix: Array("abc".utf8), lifecycle: .live), ["abc"]),
      (ScheduleSearch(prefix: Array("ab".utf8), lifecycle: .ended), ["ab", "abd"]),
      (ScheduleSearch(lifecycle: .live), ["a", "abc", "ac", "é"]),
      (ScheduleSearch(lifecycle: .active), ["a", "ac"]), (ScheduleSearch(lifecycle: .paused), ["abc", "é"]),
      (ScheduleSearch(prefix: Array("ab".utf8), lifecycle: .paused), ["abc"]),
      (ScheduleSearch(prefix: Array("é".utf8)), ["é"]), (ScheduleSearch(prefix: Array("x".utf8)), []),
      (ScheduleSearch(lifecycle: .ended), ["ab", "abd", "b", "e\u{301}"]),
      // Slots, and so ends, run against the order of ids.
      (ScheduleSearch(lifecycle: .ended, order: .end), ["ab", "abd", "b", "e\u{301}"]),
      (ScheduleSearch(order: .end), ["ab", "abd", "b", "e\u{301}"]),
      (ScheduleSearch(lifecycle: .live, order: .end), []), (ScheduleSearch(lifecycle: .ended, order: .next), []),
      (ScheduleSearch(order: .next), ["é", "ac", "abc", "a"]),
      (ScheduleSearch(lifecycle: .active, order: .next), ["ac", "a"]),
      (ScheduleSearch(lifecycle: .paused, order: .next), ["é", "abc"]),
      (ScheduleSearch(prefix: Array("a".utf8), order: .next), ["ac", "abc", "a"]),
      // Groups and tags, byte for byte.
      (ScheduleSearch(group: Array("é".utf8)), ["a", "ab", "abc", "abd", "ac"]),
      (ScheduleSearch(group: Array("e\u{301}".utf8)), ["b", "e\u{301}", "é"]),
      (ScheduleSearch(group: Array("e".utf8)), []),
      (ScheduleSearch(prefix: Array("ab".utf8), group: Array("é".utf8)), ["ab", "abc", "abd"]),
      (ScheduleSearch(group: Array("é".utf8), lifecycle: .paused), ["abc"]),
      (ScheduleSearch(group: Array("é".utf8), lifecycle: .active), ["a", "ac"]),
      (ScheduleSearch(group: Array("é".utf8), order: .next), ["ac", "abc", "a"]),
      (ScheduleSearch(group: Array("é".utf8), order: .end), ["ab", "abd"]),
      (ScheduleSearch(tag: Array("x".utf8)), ["a", "ac"]), (ScheduleSearch(tag: Array("é".utf8)), ["a", "ac"]),
      (ScheduleSearch(tag: Array("e\u{301}".utf8)), ["ab", "b"]), (ScheduleSearch(tag: Array("".utf8)), []),
      (ScheduleSearch(tag: Array("x".utf8), order: .next), ["ac", "a"]),
      (
        ScheduleSearch(prefix: [0x61], group: Array("é".utf8), tag: Array("e\u{301}".utf8), lifecycle: .ended), ["ab"]
      ),
    ] as [(ScheduleSearch, [String])])
  func pages(search: ScheduleSearch, expected: [String]) throws {
    for (limit, examining) in [(1, 1), (1, 100), (2, 3), (3, 2), (100, 1), (100, 100), (0, 0)] {
      let found = try all(search, limit: limit, examining: examining)
      #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(limit) \(examining)")
    }
  }

  @Test("a call is one read of a limited number of rows, whatever is searched for")
  func bounds() throws {
    let store = CountingQueries(try filledStore())
    let searches = ScheduleSearch.Lifecycle.allCases.flatMap { lifecycle in
      ScheduleSearch.Order.allCases.flatMap { order in
        [nil, Array("é".utf8)].flatMap { group in
          [nil, Array("none".utf8)].map { tag in
            ScheduleSearch(group: group, tag: tag, lifecycle: lifecycle, order: order)
          }
        }
      }
    }
    for search in searches {
      for (limit, examining) in [(1, 1), (2, 3), (3, 2), (100, 5)] {
        store.limits = []
        let list = try store.list(search, after: nil, limit: limit, examining: examining)
        #expect(store.limits.count == 1 && store.limits.allSatisfy { $0 <= examining }, "\(search)")
        if search.tag != nil { #expect(list.schedules.isEmpty) }
      }
    }
  }

  @Test("a schedule that exists during the whole listing comes once, whatever happens to it meanwhile")
  func changes() throws {
    let store = try filledStore()
    var found: [String] = []
    var position: ListPosition?
    var generation: Int64 = 100
    repeat {
      let list = try store.list(ScheduleSearch(), after: position, limit: 1, examining: 1)
      found += list.schedules.map(\.id.text)
      position = list.next
      // Each is replaced between two pages: other generations, other due times, other ends.
      for id in Self.ids {
        generation += 1
        let start = Change.start(
          generation % 3 == 0
            ? .sampleEnded(id, generation: generation, at: -generation)
            : .sample(id, generation: generation, due: generation * 7 % 11))
        try store.apply([start])
      }
    } while position != nil
    #expect(found.map { Array($0.utf8) } == Self.ids.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
  }
}

/// A store that notes the number of rows asked for with each walk.
private final class CountingQueries: ScheduleQueries {
  var limits: [Int] = []
  private let store: MemoryStore

  init(_ store: MemoryStore) { self.store = store }

  func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?] { try store.schedules(ids) }
  func history(of id: ScheduleID) throws(StoreError) -> Schedule.History? { try store.history(of: id) }
  func counts() throws(StoreError) -> ScheduleCounts { try store.counts() }
  func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule] {
    try store.page(after: id, limit: limit)
  }
  func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool) {
    try store.dueCount(through: through, upTo: bound)
  }

  func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule] {
    limits.append(limit)
    return try store.listed(walk, limit: limit)
  }
}
