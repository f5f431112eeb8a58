import Foundation
import GRDB
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

/// One process at a time uses a database, and only unused ones can be inspected.
@Suite("SQLiteStore ownership")
struct OwnershipTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }
  let schedules = [
    Schedule.sample("a", generation: 1), .sample("b", generation: 2, payload: [0]), .sampleEnded("c", generation: 3),
  ]

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// A lock belongs to an open file, not to a process, so that a second store in this process is as good as another's.
  @Test("a second process is refused at once, until the first has ended")
  func secondOwner() throws {
    let store = try SQLiteStore(path: path)
    let error = #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
    #expect(error?.kind == .locked)
    #expect(error?.description.contains(path) == true)
    try store.apply([.start(schedules[0])])
    try store.close()
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 9) == [schedules[0]])
  }

  @Test("a store that is released without being closed unlocks its file")
  func dropped() throws {
    do {
      let store = try SQLiteStore(path: path)
      try store.apply([.start(schedules[0])])
    }
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 9) == [schedules[0]])
  }

  @Test("SQLite's own lock excludes a process that uses another lock file, under a second name")
  func secondName() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.start(schedules[0])])
    let link = directory.file("link.sqlite")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore(path: link) }?.kind == .locked)
    try store.apply([.start(schedules[1])])
    #expect(try store.page(after: nil, limit: 9) == Array(schedules[..<2]))
  }

  @Test("a process that ignores the lock file is excluded as well")
  func stranger() throws {
    let store = try SQLiteStore(path: path)
    let error = #expect(throws: DatabaseError.self) {
      try DatabaseQueue(path: path).read { try Row.fetchOne($0, sql: "SELECT * FROM schedule") }
    }
    #expect(error?.resultCode == .SQLITE_BUSY)
    try store.apply([.start(schedules[0])])
  }

  @Test("inspecting a database changes no file", arguments: ["closed", "killed", "backup"])
  func inspect(_ origin: String) throws {
    let store = try SQLiteStore(path: path)
    try store.apply(schedules.map { .start($0) })
    var looked = path
    if origin == "killed" { looked = try directory.copy("schedules.sqlite", to: "a ?#%20 copy.sqlite") }
    try store.close()
    if origin == "backup" {
      looked = directory.file("backup.sqlite")
      try DatabaseQueue(path: path).writeWithoutTransaction {
        try $0.execute(sql: "VACUUM INTO ?", arguments: [looked])
      }
    }
    let (before, names) = (try directory.contents(), try directory.names())

    let inspected = try SQLiteStore.inspect(path: looked)
    let second = try SQLiteStore.inspect(path: looked)
    #expect(try inspected.allByID(pageSize: 2) == schedules)
    #expect(try second.load().lastGeneration == 3)
    let error = #expect(throws: StoreError.self) { try inspected.apply([.announced(generation: 3)]) }
    #expect(error?.kind == .readOnly)
    try inspected.close()
    try second.close()
    #expect(try directory.contents() == before)
    #expect(try directory.names() == names)
  }

  @Test("a database in use cannot be inspected, nor opened while it is inspected")
  func inspectOwned() throws {
    let store = try SQLiteStore(path: path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.inspect(path: path) }?.kind == .locked)
    try store.close()
    let inspected = try SQLiteStore.inspect(path: path)
    #expect(#expect(throws: StoreError.self) { try SQLiteStore(path: path) }?.kind == .locked)
    try inspected.close()
    try SQLiteStore(path: path).close()
  }
}
