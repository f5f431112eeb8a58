import Foundation
import Recurrence
import Scheduling
import SQLiteStore

/// How fast something went.
struct Pace {
  var perSecond: Double
  /// The service's processor time for each.
  var microseconds = 0.0

  /// From one instant to another, in nanoseconds.
  init(_ count: Int, from begin: Int64, to end: Int64) {
    perSecond = Double(count) / (Double(end - begin) / 1e9)
  }
}

/// The bare publisher: from its first publish until the last message is confirmed and received.
struct BarePace {
  let rig: Rig
  let message: BareMessage
  let count: Int

  func measure() throws -> Pace {
    let reader = try Reader(rig, key: message.key, count: count)
    let publishing = try rig.publishing(rig.startPublishing(message, count: count), count: count)
    let receipts = try reader.all(atMost: 60)
    return Pace(count, from: publishing.began, to: max(publishing.confirmed, receipts.last?.received ?? 0))
  }

  /// Measures something so many times with the bare publisher before and after it: the mean of these two is what it is
  /// compared with, as others may use the machine too.
  func compare(runs: Int, with measure: () throws -> Pace) throws -> (ours: [Pace], bare: [Double]) {
    _ = try self.measure()  // warms the broker
    var before = try self.measure().perSecond
    var (ours, bare): ([Pace], [Double]) = ([], [])
    for _ in 0..<runs {
      ours.append(try measure())
      let after = try self.measure().perSecond
      bare.append((before + after) / 2)
      before = after
    }
    return (ours, bare)
  }
}

/// So many schedules due at one instant, into one quorum queue that is read meanwhile: from that instant until the last
/// tick is received.
struct BurstRow {
  let rig: Rig
  let count: Int
  /// The timing of a schedule that is due at an instant.
  let timing: (Instant) throws -> Timing

  func measure() throws -> Pace {
    let database = try rig.database("burst")
    let due = WallClock.second(in: 8 + Int64(count / 10_000))
    let timing = try timing(due)
    try SQLiteStore.fill(database, count) { number, generation in
      BenchSchedules.schedule("burst-\(BenchSchedules.digits(number))", timing, at: due, generation: generation)
    }
    let reader = try Reader(rig, key: "Schedule Tick", count: count)
    let service = try ServiceUnderTest(rig, database: database)
    try service.becomeReady()
    guard WallClock.now < due.advanced(byMilliseconds: -1000) else {
      throw BenchError("the service was ready too late for the burst: the machine is too busy to measure on")
    }
    WallClock.wait(until: due.advanced(byMilliseconds: -100))
    let before = try service.figures.processorSeconds()
    let receipts = try reader.all(atMost: 60 + Double(count) / 500)
    let used = try service.figures.processorSeconds() - before
    try service.stop()
    guard Set(receipts.map(\.id)).count == count else { throw BenchError("ticks came twice without a fault") }
    var pace = Pace(count, from: due.nanoseconds, to: receipts.last?.received ?? 0)
    pace.microseconds = used / Double(count) * 1e6
    return pace
  }
}

/// So many Starts, sent as fast as the bare publisher can: from the first publish until every Started is received. Its
/// confirm is then there, and the Start acknowledged with it.
struct StartsRow {
  let rig: Rig
  let count: Int

  func measure() throws -> Pace {
    let service = try ServiceUnderTest(rig, database: rig.database("starts"))
    try service.becomeReady()
    let reader = try Reader(rig, key: "Schedule Started", count: count)
    let before = try service.figures.processorSeconds()
    let publisher = try rig.startPublishing(BenchSchedules.start, count: count)
    let receipts = try reader.all(atMost: 60 + Double(count) / 200)
    let used = try service.figures.processorSeconds() - before
    let publishing = try rig.publishing(publisher, count: count)
    try service.stop()
    guard Set(receipts.map(\.id)).count == count else { throw BenchError("a Start was answered twice") }
    guard try rig.commandsLeft() == 0 else { throw BenchError("answered commands are still in their queue") }
    var pace = Pace(count, from: publishing.began, to: max(publishing.confirmed, receipts.last?.received ?? 0))
    pace.microseconds = used / Double(count) * 1e6
    return pace
  }
}
