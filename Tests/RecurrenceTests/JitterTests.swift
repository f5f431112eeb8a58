import Recurrence
import Testing

struct JitterTests {
  /// Fixed values: the jitter must not change with a restart or a release.
  @Test(
    arguments: [("", 0, 483690), ("test:schedule", 1_795_422_600_000, 930141), ("ü", -1, 877069)]
      as [(String, Int64, Int64)])
  func neverChanges(id: String, slot: Int64, expected: Int64) {
    #expect(Jitter.milliseconds(id: id.utf8, slot: Instant(milliseconds: slot), maximum: 1_000_000) == expected)
  }

  @Test func isUniform() {
    var counts = [Int](repeating: 0, count: 10)
    for minute in 0..<20_000 {
      let slot = Instant(milliseconds: Int64(minute) * 60_000)
      counts[Int(Jitter.milliseconds(id: "job".utf8, slot: slot, maximum: 9))] += 1
    }
    // Seven standard deviations of a binomial with p = 1/10.
    #expect(counts.allSatisfy { abs($0 - 2000) < 300 }, "\(counts)")
  }

  @Test func differsBetweenSchedules() {
    let slot = Instant(milliseconds: 1_795_422_600_000)
    let drawn = Set((0..<1000).map { Jitter.milliseconds(id: "job\($0)".utf8, slot: slot, maximum: .max) })
    #expect(drawn.count == 1000)
  }

  @Test func isNothingWithoutAMaximum() {
    #expect(Jitter.milliseconds(id: "job".utf8, slot: Instant(milliseconds: 0), maximum: 0) == 0)
    #expect(Jitter.milliseconds(id: "job".utf8, slot: Instant(milliseconds: 0), maximum: -5) == 0)
  }
}
