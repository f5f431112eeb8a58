import Foundation
import GRDB
import Recurrence
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

/// Files that the store must not change, with the error.
@Suite("SQLiteStore refuses")
struct RefusalTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// A file that is refused, and how to make it.
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var kind: StoreError.Kind
    var make: @Sendable (RefusalTests) throws -> Void
  }

  static let cases = [
    Case(description: "a text", kind: .foreign) { tests in
      try Data(repeating: 0x61, count: 10_000).write(to: URL(fileURLWithPath: tests.path))
    },
    Case(description: "a few bytes", kind: .foreign) { tests in
      try Data("SQL".utf8).write(to: URL(fileURLWithPath: tests.path))
    },
    Case(description: "a database of another application", kind: .foreign) { tests in
      try tests.execute("CREATE TABLE player (name TEXT); INSERT INTO player VALUES ('Arthur')")
    },
    Case(description: "an empty database of another application", kind: .foreign) { tests in
      try tests.execute("PRAGMA application_id = 77")
    },
    Case(description: "a schema of a newer version", kind: .newer) { tests in
      try tests.makeStore()
      try tests.execute("INSERT INTO grdb_migrations VALUES ('v999'); ALTER TABLE schedule RENAME TO timetable")
    },
    Case(description: "a schema of a newer version, in the log only", kind: .newer) { tests in
      try tests.makeStore()
      var configuration = Configuration()
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
      let other = tests.directory.file("other.sqlite")
      try FileManager.default.moveItem(atPath: tests.path, toPath: other)
      let queue = try DatabaseQueue(path: other, configuration: configuration)
      try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999')") }
      _ = try tests.directory.copy("other.sqlite", to: "schedules.sqlite")
    },
    Case(description: "a truncated database", kind: .corrupt) { tests in
      try tests.makeStore()
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: tests.path))
      try handle.truncate(atOffset: 8192)
    },
    Case(description: "a directory", kind: .unreachable) { tests in
      try FileManager.default.createDirectory(atPath: tests.path, withIntermediateDirectories: false)
    },
  ]

  @Test("to serve or to inspect", arguments: cases)
  func refuses(_ refusal: Case) throws {
    try refusal.make(self)
    let before = try directory.contents()
    for open in [{ try SQLiteStore(path: $0) }, { try SQLiteStore.inspect(path: $0) }] {
      let error = #expect(throws: StoreError.self) { try open(path) }
      #expect(error?.kind == refusal.kind)
      #expect(error?.description.contains(path) == true)
      #expect(try directory.contents() == before)
    }
  }

  @Test("a path in a missing directory")
  func noDirectory() {
    let missing = directory.file("none/schedules.sqlite")
    let error = #expect(throws: StoreError.self) { try SQLiteStore(path: missing) }
    #expect(error?.description == "The directory of \(missing) does not exist; create it first.")
    #expect(throws: StoreError.self) { try SQLiteStore.inspect(path: missing) }
  }

  @Test("a file and a directory that cannot be written", .enabled(if: geteuid() != 0, "root may write anything"))
  func readOnly() throws {
    try makeStore()
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore(path: path) }?.kind == .readOnly)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    try FileManager.default.removeItem(atPath: path + ".lock")
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: directory.path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore(path: path) }?.kind == .readOnly)
    #expect(try SQLiteStore.inspect(path: path).page(after: nil, limit: 9).count == 3)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path)
  }

  @Test("a damaged database, or opens it, but never crashes", arguments: UInt64(0)..<40)
  func damaged(seed: UInt64) throws {
    try makeStore()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<3 {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
    }
    try bytes.write(to: URL(fileURLWithPath: path))
    do {
      let store = try SQLiteStore(path: path)
      _ = try store.load()
      _ = try store.allByID(pageSize: 2)
      _ = try store.owing(after: 0, limit: 10)
      _ = try store.sweep(.keeping(maximumEnded: 0, maximumCommands: 0), limit: 10)
      try store.apply([.start(.sample("new", generation: 99))])
    } catch let error as StoreError {
      #expect(error.description.contains(path))
    }
  }

  @Test("but accepts an empty file, and one that a killed first start left")
  func empty() throws {
    try Data().write(to: URL(fileURLWithPath: path))
    try SQLiteStore(path: path).close()
    #expect(try SQLiteStore.inspect(path: path).page(after: nil, limit: 1) == [])

    let claimed = directory.file("claimed.sqlite")
    try DatabaseQueue(path: claimed).writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA application_id = \(0x506b_7774)")
    }
    #expect(throws: StoreError.self) { try SQLiteStore.inspect(path: claimed) }
    try SQLiteStore(path: claimed).apply([.start(.sample(generation: 1))])
  }

  /// A database with a schedule in each state and a command, closed.
  private func makeStore() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([
      .start(.sample("live", generation: 1, payload: [UInt8](repeating: 0x61, count: 9000))),
      .start(.sampleEnded("ended", generation: 2)), .start(.sampleEnded("owing", generation: 3, owesStopped: true)),
      .remember(
        RememberedCommand(key: CommandKey(high: 1, low: 2), at: .init(milliseconds: 0), answer: .stopped(generation: 2))
      ),
    ])
    try store.close()
  }

  private func execute(_ sql: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }
}
