import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// A database with many schedules that wait for months, and some that tick.
struct WaitingStore {
  let file: URL
  /// All schedules in it.
  let count: Int
  /// Bytes of the file per schedule, without id and payload.
  let overheadBytes: Double

  /// Creates it. Those that tick are spread evenly among the others; `ticking` tells which.
  init(_ file: URL, count: Int, ticking tickCount: Int, _ ticking: (Int, Int64) throws -> Schedule) throws {
    self.file = file
    self.count = count
    let now = WallClock.now
    let stride = count / tickCount
    var idBytes = 0
    try SQLiteStore.fill(file, count) { number, generation in
      let schedule =
        number % stride == 0 && number / stride < tickCount
        ? try ticking(number / stride, generation)
        : try BenchSchedules.waiting(number, generation: generation, now: now)
      idBytes += schedule.id.bytes.count
      return schedule
    }
    let attributes = try FileManager.default.attributesOfItem(atPath: file.path())
    let bytes = (attributes[.size] as? NSNumber)?.doubleValue ?? 0
    overheadBytes = (bytes - Double(idBytes)) / Double(count) - Double(BenchSchedules.payloadBytes)
  }

  /// Reads all of it once, because a kernel may drop pages of a file from memory without a shortage (one did, up to a twelfth
  /// of them within two minutes), and the cost of reading them again does not depend on the number of schedules.
  func bringIntoMemory() throws {
    let reading = try FileHandle(forReadingFrom: file)
    defer { try? reading.close() }
    while let piece = try reading.read(upToCount: 1 << 20), !piece.isEmpty {}
  }
}
