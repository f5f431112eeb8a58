import AMQP
import Testing

struct BackoffTests {
  /// Returns the largest number: the upper end of every random range.
  private struct Highest: RandomNumberGenerator {
    func next() -> UInt64 { .max }
  }

  /// Returns the lower end. (With zero the standard library would loop forever.)
  private struct Lowest: RandomNumberGenerator {
    func next() -> UInt64 { 1 }
  }

  @Test func doublesUpToThreeSeconds() {
    var backoff = Backoff()
    var generator = Highest()
    let pauses = (0..<7).map { _ in backoff.pause(floor: .zero, uptime: .zero, using: &generator) }
    #expect(pauses == [100, 200, 400, 800, 1600, 3000, 3000].map { Duration.milliseconds($0) })
  }

  @Test func neverFallsBelowTheFloorOrTheShortest() {
    var backoff = Backoff()
    var generator = Lowest()
    #expect(backoff.pause(floor: .zero, uptime: .zero, using: &generator) == .milliseconds(100))
    #expect(backoff.pause(floor: .seconds(5), uptime: .zero, using: &generator) == .seconds(5))
  }

  @Test func startsAgainAfterAStableConnectionOnly() {
    var backoff = Backoff()
    var generator = Highest()
    for _ in 0..<9 { _ = backoff.pause(floor: .zero, uptime: .seconds(9), using: &generator) }
    #expect(backoff.pause(floor: .zero, uptime: .seconds(9), using: &generator) == .seconds(3))
    #expect(backoff.pause(floor: .zero, uptime: .seconds(10), using: &generator) == .milliseconds(100))
    #expect(backoff.pause(floor: .zero, uptime: .zero, using: &generator) == .milliseconds(200))
  }

  @Test func spreadsOverTheWholeRange() {
    var backoff = Backoff()
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<10 { _ = backoff.pause(floor: .zero, uptime: .zero, using: &generator) }
    let pauses = (0..<1000).map { _ in backoff.pause(floor: .zero, uptime: .zero, using: &generator) }
    #expect(pauses.contains { $0 < .milliseconds(600) })
    #expect(pauses.contains { $0 > .milliseconds(2400) })
    #expect(pauses.allSatisfy { $0 >= .milliseconds(100) && $0 <= .seconds(3) })
  }
}
