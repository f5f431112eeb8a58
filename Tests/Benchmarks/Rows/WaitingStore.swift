import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// A database with many schedules that wait for months, and some among them that tick.
struct WaitingStore {
  let file: URL
  /// All schedules in it.
  let count: Int
  /// Bytes of the file for each schedule, without its id and its payload.
  let overheadBytes: Double

  /// Makes it. Those that tick are spread evenly among the others, `ticking` says of each which it is.
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

  /// Reads all of it once, because a kernel may take pages of a file from memory though nobody is short of it (one did, up
  /// to a twelfth of them within two minutes), and what they cost to read back has nothing to do with the number of schedules.
  func bringIntoMemory() throws {
    let reading = try FileHandle(forReadingFrom: file)
    defer { try? reading.close() }
    while let piece = try reading.read(upToCount: 1 << 20), !piece.isEmpty {}
  }
}
