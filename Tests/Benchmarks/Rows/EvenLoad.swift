import Foundation
import Recurrence
import Scheduling

/// Schedules that tick one after the other at a constant rate, among many that wait.
enum EvenLoad {
  static let perSecond = 500
  private static let periodSeconds = 10
  private static let tickCount = perSecond * periodSeconds

  static func timing() throws -> Timing { .every(try DurationExpression("\(periodSeconds)s")) }

  /// Creates the database, with `count` schedules in all.
  static func store(_ file: URL, count: Int) throws -> WaitingStore {
    let timing = try timing()
    let first = WallClock.second(in: 0)
    return try WaitingStore(file, count: count, ticking: tickCount) { number, generation in
      let place = number * 2741 % tickCount  // a prime: each place once, in random order
      let slot = first.advanced(byMilliseconds: Int64(place * 1000 / perSecond))
      return BenchSchedules.schedule(
        "steady-\(BenchSchedules.scattered(number))", timing, at: slot, generation: generation)
    }
  }
}
