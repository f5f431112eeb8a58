import GRDB
import Recurrence
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

@Suite("SQLiteStore")
struct SQLiteStoreTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test(arguments: StoreConformance.checks)
  func conforms(_ check: StoreCheck) throws {
    let path = path
    let fixture = try StoreFixture(SQLiteStore(path: path)) { store in
      try (store as? SQLiteStore)?.close()
      return try SQLiteStore(path: path)
    }
    try check.run(fixture)
  }

  @Test("every database has a secret of its own")
  func secrets() throws {
    let one = try SQLiteStore(path: path)
    let other = try SQLiteStore(path: directory.file("other.sqlite"))
    #expect(try one.load().secret != other.load().secret)
  }

  @Test("GRDB's own WAL mode, which does not sync every commit, is refused")
  func durability() throws {
    var configuration = Configuration()
    configuration.journalMode = .wal
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    let error = #expect(throws: StoreError.self) { try queue.assertDurable() }
    #expect(error?.description.contains("synchronous") == true)
  }

  @Test("while it is open, there is a log and no shared-memory file")
  func exclusive() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.start(.sample(generation: 1))])
    #expect(try directory.names() == ["schedules.sqlite", "schedules.sqlite-wal", "schedules.sqlite.lock"])
  }

  @Test("a closed database is complete in one file, and the store throws instead of trapping")
  func closing() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.start(.sample(generation: 1))])
    try store.close()
    #expect(try directory.names() == ["schedules.sqlite", "schedules.sqlite.lock"])
    #expect(throws: StoreError.self) { try store.apply([.start(.sample(generation: 2))]) }
    #expect(throws: StoreError.self) { try store.page(after: nil, limit: 1) }
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 2) == [.sample(generation: 1)])
  }

  @Test("the commits of a killed process are found")
  func killed() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.start(.sample(generation: 1))])
    let copy = try directory.copy("schedules.sqlite", to: "copy.sqlite")
    #expect(try SQLiteStore(path: copy).page(after: nil, limit: 2) == [.sample(generation: 1)])
  }

  @Test("files are for this user only")
  func permissions() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.start(.sample(generation: 1))])
    for name in ["schedules.sqlite", "schedules.sqlite-wal", "schedules.sqlite.lock"] {
      #expect(try directory.permissions(name) == 0o600, "\(name)")
    }
  }

  @Test("an unreadable schedule is ignored, reported once, and replaced by a new Start")
  func unreadable() throws {
    let store = try SQLiteStore(path: path)
    try store.apply((1...4).map { .start(.sample("\($0)", generation: $0, due: 10)) })
    try store.close()
    try DatabaseQueue(path: path).write { database in
      try database.execute(sql: "UPDATE schedule SET at = NULL, cron = 'every full moon' WHERE generation < 4")
    }

    var reports: [StoreError] = []
    let reopened = try SQLiteStore(path: path) { reports.append($0) }
    for _ in 0..<2 {
      let page = try reopened.due(after: nil, through: .last, limit: 2)
      #expect(page.schedules.map(\.generation) == [4])
      #expect(page.isLast)
      #expect(try reopened.allByID(pageSize: 1).map(\.generation) == [4])
    }
    #expect(reports.count == 3)
    #expect(reports.first?.description.contains("Schedule 1 in \(path)") == true)
    let id = Schedule.sample("1").id
    #expect(try reopened.schedules([id]) == [nil])
    try reopened.apply([.start(.sample("1", generation: 5))])
    #expect(try reopened.schedules([id]) == [.sample("1", generation: 5)])
  }
}
