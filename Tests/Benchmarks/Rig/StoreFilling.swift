import Foundation
import Scheduling
import SQLiteStore

extension SQLiteStore {
  private static let batch = 10_000

  /// Starts `count` schedules without a service; `make` gets a number from 0 on and a generation.
  func fill(_ count: Int, _ make: (_ number: Int, _ generation: Int64) throws -> Schedule) throws {
    let first = try load().lastGeneration + 1
    for begin in stride(from: 0, to: count, by: Self.batch) {
      let numbers = begin..<min(begin + Self.batch, count)
      try apply(numbers.map { .start(try make($0, first + Int64($0))) })
    }
  }

  /// Opens or creates a database, fills it, and closes it.
  static func fill(
    _ database: URL, _ count: Int, _ make: (_ number: Int, _ generation: Int64) throws -> Schedule
  ) throws {
    let store = try SQLiteStore(path: database.path())
    try store.fill(count, make)
    try store.close()
  }
}
