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
      // Those with an odd number have ended; slots run against the order of ids.
      let slot = Instant(milliseconds: Int64(1000 - index * 10))
      let definition = Definition(id: ScheduleID(stored: Array(id.utf8)), timing: .every(try DurationExpression("5s")))
      return Change.start(
        Schedule(
          definition: definition, origin: Origin(), generation: Int64(index + 1),
          state: index % 2 == 0
            ? .live(.init(slot: slot, due: slot)) : .ended(.init(reason: "x", at: slot, owesStopped: false))))
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
      (ScheduleSearch(prefix: Array("é".utf8)), ["é"]), (ScheduleSearch(prefix: Array("x".utf8)), []),
      // Slots, and so ends, run against the order of ids.
      (ScheduleSearch(lifecycle: .ended), ["ab", "abd", "b", "e\u{301}"]),
      (ScheduleSearch(order: .next), ["é", "ac", "abc", "a"]),
      (ScheduleSearch(prefix: Array("a".utf8), order: .next), ["ac", "abc", "a"]),
      (ScheduleSearch(lifecycle: .ended, order: .next), ["ab", "abd", "b", "e\u{301}"]),
    ] as [(ScheduleSearch, [String])])
  func pages(search: ScheduleSearch, expected: [String]) throws {
    for (limit, examining) in [(1, 1), (1, 100), (2, 3), (3, 2), (100, 1), (100, 100), (0, 0)] {
      let found = try all(search, limit: limit, examining: examining)
      #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(limit) \(examining)")
    }
  }
}
