import Foundation
import Recurrence
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

/// Backups of a database in use.
@Suite("SQLiteStore backups")
struct BackupTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }
  var copyPath: String { directory.file("copy.sqlite") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// A store with schedules of 16 KB each; 1500 of them are copied in some dozen steps.
  private func makeStore(_ count: Int64 = 1500) throws -> SQLiteStore {
    let store = try SQLiteStore(path: path)
    let payload = [UInt8](repeating: 7, count: 16_000)
    try store.apply((1...count).map { .start(.sample("s\($0)", generation: $0, due: $0, payload: payload)) })
    return store
  }

  /// Completes the copy, and runs `between` before each step but the first.
  private func finish(_ store: SQLiteStore, between: (_ step: Int64) throws -> Void = { _ in }) throws -> [UInt8] {
    for step in 0...Int64.max {
      if step > 0 { try between(step) }
      guard let file = try store.continueBackup() else { continue }
      let bytes = try stride(from: 0, to: file.size, by: 100_000).map { try file.read(at: $0, count: 100_000) }
      #expect(try file.read(at: file.size, count: 10) == [])
      let all = bytes.flatMap(\.self)
      #expect(all.count == file.size)
      return all
    }
    return []
  }

  @Test("a copy contains the changes made meanwhile")
  func changes() throws {
    let store = try makeStore()
    try store.beginBackup()
    var steps: Int64 = 0
    let bytes = try finish(store) { step in
      steps = step
      try store.apply([.start(.sample("new\(step)", generation: 10_000 + step))])
      // One at the file's beginning, copied already, and one at its end.
      for generation in [step, 1500 - step] {
        let slot = Instant(milliseconds: generation)
        try store.apply([
          .advance(generation: generation, from: slot, to: .live(.init(slot: slot, due: slot)), counter: 1)
        ])
      }
    }
    #expect(steps > 1, "else nothing was changed meanwhile")
    try Data(bytes).write(to: URL(filePath: copyPath))
    #expect(try SQLiteStore.examine(path: copyPath) == Int(1500 + steps))
    #expect(try SQLiteStore.inspect(path: copyPath).allByID(pageSize: 100) == store.allByID(pageSize: 100))
    #expect(try SQLiteStore(path: copyPath).load() == store.load())
  }

  @Test("a copy leaves no file, whether completed or not")
  func noTrace() throws {
    let store = try makeStore()
    let names = try directory.names()
    try store.beginBackup()
    #expect(try store.continueBackup() == nil)
    #expect(try directory.names() == names)
    try store.beginBackup()
    #expect(try store.continueBackup() == nil)
    store.endBackup()
    #expect(throws: StoreError.self) { try store.continueBackup() }
    try store.beginBackup()
    try store.close()
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 2000).count == 1500)
  }

  @Test("the copy is valid as long as it is retained")
  func held() throws {
    let store = try makeStore(10)
    try store.beginBackup()
    let file = try #require(try store.continueBackup())
    try store.close()
    try FileManager.default.removeItem(atPath: path)
    #expect(try file.read(at: 0, count: 15) == Array("SQLite format 3".utf8))
  }

  @Test(
    "a copy does not use space that the service needs",
    .enabled(if: SmallDisk.canBeMade, "needs the right to mount a tmpfs"))
  func noRoom() throws {
    let disk = try SmallDisk(megabytes: 16)
    let store = try SQLiteStore(path: disk.path + "/schedules.sqlite")
    let error = #expect(throws: StoreError.self) { try store.beginBackup() }
    #expect(error?.kind == .full && error?.description.contains("MiB are needed") == true)
    try store.apply([.start(.sample(generation: 1))])
  }

  @Test("examining a database detects damage, foreign files and earlier schema versions")
  func examine() throws {
    try makeStore(20).close()
    #expect(try SQLiteStore.examine(path: path) == 20)
    let good = try Data(contentsOf: URL(filePath: path))
    // A page in the middle, so that the header is valid.
    let middle = good.count / 2 / 4096 * 4096
    try (good[..<middle] + Data(repeating: 0xa5, count: 4096) + good[(middle + 4096)...])
      .write(to: URL(filePath: copyPath))
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.examine(path: copyPath) }?.kind == .corrupt)
    try good.prefix(good.count / 2).write(to: URL(filePath: copyPath))
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.examine(path: copyPath) }?.kind == .corrupt)
    try Data(repeating: 0x61, count: 9_000).write(to: URL(filePath: copyPath))
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.examine(path: copyPath) }?.kind == .foreign)
    let held = try SQLiteStore(path: path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.examine(path: path) }?.kind == .locked)
    try held.close()
  }
}
