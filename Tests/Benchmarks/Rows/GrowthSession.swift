import Foundation
import Recurrence
import Scheduling

/// The same ticks in databases of several sizes: the cost of one while the file is in the kernel's memory, and the service's
/// own memory.
struct GrowthSession {
  struct Outcome {
    /// The service's processor time per tick, burst by burst.
    var processorMicroseconds: [Double]
    /// From the due time until the last tick of the burst is received, per tick.
    var microseconds: [Double]
    var megabytes: Double
  }

  /// Spread evenly over the whole database, so that few are on the same page of a large one.
  static let tickCount = 10_000
  private static let periodSeconds: Int64 = 30

  let rig: Rig
  let store: WaitingStore

  init(_ rig: Rig, count: Int) throws {
    self.rig = rig
    let timing = Timing.every(try DurationExpression("\(Self.periodSeconds)s"))
    let slot = Self.nextSlot()
    store = try WaitingStore(rig.database("growth"), count: count, ticking: Self.tickCount) { number, generation in
      BenchSchedules.schedule("grow-\(BenchSchedules.scattered(number))", timing, at: slot, generation: generation)
    }
  }

  func run(bursts: Int) throws -> Outcome {
    let reader = try Reader(rig, key: "Schedule Tick")
    let service = try ServiceUnderTest(rig, database: store.file)
    try service.becomeReady()
    try service.settle()
    var used: [Double] = []
    let slots = try (0..<bursts).map { _ in
      try store.bringIntoMemory()
      let slot = Self.nextSlot()
      WallClock.wait(until: slot.advanced(byMilliseconds: -100))
      let before = try service.figures.processorSeconds()
      WallClock.wait(until: slot.advanced(byMilliseconds: Self.periodSeconds * 1000 / 2))
      used.append((try service.figures.processorSeconds() - before) / Double(Self.tickCount) * 1e6)
      return slot
    }
    let megabytes = try service.figures.megabytes("VmRSS")
    try service.stop()
    let receipts = try reader.finish()
    let microseconds = try slots.map { try Self.microseconds(of: $0, receipts) }
    return Outcome(processorMicroseconds: used, microseconds: microseconds, megabytes: megabytes)
  }

  private static func microseconds(of slot: Instant, _ receipts: [Receipt]) throws -> Double {
    let burst = receipts.filter { $0.nominal == slot.nanoseconds }
    guard Set(burst.map(\.id)).count == tickCount, let last = burst.last else {
      throw BenchError("of \(tickCount) ticks of \(slot.rfc3339) \(burst.count) came in time")
    }
    return Double(last.received - slot.nanoseconds) / 1000 / Double(tickCount)
  }

  /// The next but one, so that there is time to prepare.
  private static func nextSlot() -> Instant {
    let period = periodSeconds * 1000
    return Instant(milliseconds: ((WallClock.now.milliseconds + 2000) / period + 1) * period)
  }
}
