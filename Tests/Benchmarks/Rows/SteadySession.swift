import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// An even load beside many waiting schedules: its lateness, undisturbed and while a burst drains; then the memory, and the
/// time from a restart after kill -9 to the first tick.
struct SteadySession {
  struct Outcome {
    /// Publish to receipt of the bare publisher at the same rate.
    var bare: Latencies
    /// Slot to receipt.
    var steady: Latencies
    var inBurst: Latencies
    var burstPerSecond: Double
    var megabytes: Double
    var restartSeconds: Double
  }

  /// From the creation of the burst to the measurement: the service starts and reviews all schedules that follow a time
  /// zone.
  private static let settlingSeconds: Int64 = 30

  let rig: Rig
  let store: WaitingStore
  let seconds: Int
  let burst: Int

  init(_ rig: Rig, count: Int, seconds: Int, burst: Int) throws {
    self.rig = rig
    self.seconds = seconds
    self.burst = burst
    store = try EvenLoad.store(rig.database("steady"), count: count)
  }

  func run() throws -> Outcome {
    let bare = try bareLatencies()
    let due = WallClock.second(in: Int64(burst / 10_000) + Self.settlingSeconds + Int64(seconds))
    let begin = due.advanced(byMilliseconds: Int64(-seconds * 1000))
    try addBurst(due)
    let reader = try Reader(rig, key: "Schedule Tick")
    let service = try ServiceUnderTest(rig, database: store.file)
    try service.becomeReady()
    WallClock.wait(until: due.advanced(byMilliseconds: Int64(5000 + burst * 2 / 5)))
    let megabytes = try service.figures.megabytes("VmRSS")
    service.kill()
    WallClock.wait(until: WallClock.second(in: 1))  // messages in transit have arrived
    let started = WallClock.nanoseconds
    let next = try ServiceUnderTest(rig, database: store.file)
    try next.becomeReady()
    WallClock.wait(until: WallClock.second(in: 2))
    let receipts = try reader.finish()
    try next.stop()
    return try judge(
      receipts, begin: begin.nanoseconds, due: due.nanoseconds, started: started, bare: bare, megabytes: megabytes)
  }

  private func bareLatencies() throws -> Latencies {
    let message = BenchSchedules.bareTick(of: try EvenLoad.timing())
    let count = seconds * EvenLoad.perSecond
    let reader = try Reader(rig, key: message.key, count: count)
    let publisher = try rig.startPublishing(message, count: count, perSecond: EvenLoad.perSecond)
    _ = try rig.publishing(publisher, count: count, perSecond: EvenLoad.perSecond)
    return Latencies(try reader.all(atMost: 30))
  }

  private func addBurst(_ due: Instant) throws {
    try SQLiteStore.fill(store.file, burst) { number, generation in
      BenchSchedules.schedule("burst-\(BenchSchedules.scattered(number))", .at(due), at: due, generation: generation)
    }
  }

  private func judge(
    _ receipts: [Receipt], begin: Int64, due: Int64, started: Int64, bare: Latencies, megabytes: Double
  ) throws -> Outcome {
    let lived = receipts.prefix { $0.received < started }
    let steady = lived.filter { $0.isOf("steady-") }
    let before = steady.filter { begin <= $0.nominal && $0.nominal < due }
    guard Set(before.map(\.id)).count == before.count, before.count == seconds * EvenLoad.perSecond else {
      throw BenchError("of \(seconds * EvenLoad.perSecond) ticks \(before.count) came")
    }
    let drained = lived.filter { $0.isOf("burst-") }
    guard drained.count == burst, let end = drained.last?.received else {
      throw BenchError("of a burst of \(burst) \(drained.count) came")
    }
    guard let first = receipts.first(where: { $0.received > started }) else {
      throw BenchError("no tick came after the restart")
    }
    let during = steady.filter { due <= $0.nominal && $0.nominal < end }
    return Outcome(
      bare: bare, steady: Latencies(before), inBurst: Latencies(during),
      burstPerSecond: Double(burst) / (Double(end - due) / 1e9), megabytes: megabytes,
      restartSeconds: Double(first.received - started) / 1e9)
  }
}
