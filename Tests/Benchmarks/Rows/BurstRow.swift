import Recurrence
import SQLiteStore
import Scheduling

/// Many schedules due at one instant, into one quorum queue that is read meanwhile: from that instant until the last tick is
/// received.
struct BurstRow {
  let rig: Rig
  let count: Int
  /// The timing of a schedule due at an instant.
  let timing: (Instant) throws -> Timing

  func measure() throws -> Pace {
    let database = try rig.database("burst")
    let due = WallClock.second(in: 8 + Int64(count / 10_000))
    let timing = try timing(due)
    try SQLiteStore.fill(database, count) { number, generation in
      BenchSchedules.schedule("burst-\(BenchSchedules.scattered(number))", timing, at: due, generation: generation)
    }
    let reader = try Reader(rig, key: "Schedule Tick", count: count)
    let service = try ServiceUnderTest(rig, database: database)
    try service.becomeReady()
    guard WallClock.now < due.advanced(byMilliseconds: -1000) else {
      throw BenchError("the service was ready too late for the burst: the machine is too busy to measure on")
    }
    WallClock.wait(until: due.advanced(byMilliseconds: -100))
    let before = try service.processorTime(beside: rig.broker)
    let receipts = try reader.all(atMost: 60 + Double(count) / 500)
    let used = try service.processorTime(beside: rig.broker) - before
    try service.stop()
    guard Set(receipts.map(\.id)).count == count else { throw BenchError("ticks came twice without a fault") }
    return Pace(count, from: due.nanoseconds, to: receipts.last?.received ?? 0, using: used)
  }
}
