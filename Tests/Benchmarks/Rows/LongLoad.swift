import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// Continuous ticks, and the service's memory meanwhile.
struct LongLoad {
  struct Outcome {
    var megabytesBefore, megabytesAfter: Double
  }

  private static let perSecond = 5000
  private static let warmingSeconds = 20

  let rig: Rig
  let ticks: Int

  func run() throws -> Outcome {
    let database = try rig.database("long")
    let timing = Timing.every(try DurationExpression("1s"))
    let first = WallClock.second(in: 2)
    try SQLiteStore.fill(database, Self.perSecond) { number, generation in
      let slot = first.advanced(byMilliseconds: Int64(number * 1000 / Self.perSecond))
      return BenchSchedules.schedule(
        "long-\(BenchSchedules.scattered(number))", timing, at: slot, generation: generation)
    }
    let warming = Self.perSecond * Self.warmingSeconds
    let reader = try Reader(rig, key: "Schedule Tick", count: warming + ticks, isNoted: false)
    let service = try ServiceUnderTest(rig, database: database)
    try service.becomeReady()
    WallClock.wait(until: first.advanced(byMilliseconds: Int64(Self.warmingSeconds * 1000)))
    let before = try service.figures.megabytes("VmRSS")
    _ = try reader.all(atMost: 60 + 10 * Double(ticks) / Double(Self.perSecond))
    let after = try service.figures.megabytes("VmRSS")
    try service.stop()
    return Outcome(megabytesBefore: before, megabytesAfter: after)
  }
}
