import Recurrence
import Testing

struct IntervalRecurrenceTests {
  private let anchor = Instant(milliseconds: 1_000_000)

  @Test(
    arguments: [
      (0, 1_000_000, nil), (999_999, 1_000_000, nil), (1_000_000, 1_000_700, 1_000_000),
      (1_000_699, 1_000_700, 1_000_000),
      (1_000_700, 1_001_400, 1_000_700), (.min, 1_000_000, nil),
    ] as [(Int64, Int64, Int64?)])
  func neighbours(of milliseconds: Int64, next: Int64, latest: Int64?) throws {
    let interval = try #require(IntervalRecurrence(anchor: anchor, everyMilliseconds: 700))
    let instant = Instant(milliseconds: milliseconds)
    #expect(interval.next(after: instant)?.milliseconds == next)
    #expect(interval.latest(atOrBefore: instant)?.milliseconds == latest)
  }

  @Test func endsWithTimeItself() throws {
    let interval = try #require(IntervalRecurrence(anchor: Instant(milliseconds: .min), everyMilliseconds: .max))
    #expect(interval.next(after: Instant(milliseconds: .max)) == nil)
    #expect(interval.latest(atOrBefore: Instant(milliseconds: .max))?.milliseconds == Int64.max - 1)
  }

  @Test func needsAnInterval() {
    #expect(IntervalRecurrence(anchor: anchor, everyMilliseconds: 0) == nil)
  }

  @Test func countsWhatNextWouldFind() throws {
    var generator = SplitMix64(seed: 7)
    for _ in 0..<500 {
      let every = Int64.random(in: 1...5000, using: &generator)
      let interval = try #require(IntervalRecurrence(anchor: anchor, everyMilliseconds: every))
      let start = Instant(milliseconds: .random(in: 900_000...1_100_000, using: &generator))
      let end = start.advanced(byMilliseconds: .random(in: -10...50_000, using: &generator))
      var count = 0
      var slot = start
      while count < 40, let next = interval.next(after: slot), next <= end { (slot, count) = (next, count + 1) }
      #expect(interval.slotCount(after: start, through: end, upTo: 40) == count)
    }
  }
}
