import Foundation
import Glibc
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

/// The files of an open database are removed, moved or replaced: no commit is reported that the next process would not find.
@Suite("SQLiteStore: misplaced files")
struct MisplacedFileTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }
  let a = Schedule.sample("a", generation: 1)
  let b = Schedule.sample("b", generation: 2)
  let c = Schedule.sample("c", generation: 3)

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func opened(holding schedules: Schedule...) throws -> SQLiteStore {
    let store = try SQLiteStore(path: path)
    try store.apply(schedules.map { .start($0) })
    return store
  }

  private func expect(_ kind: StoreError.Kind, of store: SQLiteStore, says text: String) throws {
    let looked = #expect(throws: StoreError.self) { try store.checkIntact() }
    #expect(looked?.kind == kind && looked?.description.contains(text) == true, "\(looked as Any)")
    let stored = #expect(throws: StoreError.self) { try store.apply([.start(b)]) }
    #expect(stored?.kind == kind && stored?.isPassing == false, "\(stored as Any)")
    #expect(try store.page(after: nil, limit: 9) == [a], "not committed")
  }

  @Test func intact() throws {
    let store = try opened(holding: a)
    try store.checkIntact()
    try store.apply([.start(b)])
    try store.close()
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 9) == [a, b])
  }

  @Test func removed() throws {
    let store = try opened(holding: a)
    for suffix in ["", "-wal"] { try FileManager.default.removeItem(atPath: path + suffix) }
    try expect(.misplaced, of: store, says: "\(path) was removed or moved")
    try store.close()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("moved: all commits are in the file at its new path")
  func moved() throws {
    let store = try opened(holding: a)
    let elsewhere = directory.file("elsewhere.sqlite")
    try FileManager.default.moveItem(atPath: path, toPath: elsewhere)
    try expect(.misplaced, of: store, says: "\(path) was removed or moved")
    try store.close()
    #expect(try SQLiteStore(path: elsewhere).page(after: nil, limit: 9) == [a])
  }

  @Test("replaced, with or without a log: the new files stay unchanged", arguments: [false, true])
  func replaced(withLog: Bool) throws {
    let other = try opened(holding: c)
    let names = withLog ? ["", "-wal"] : [""]
    if !withLog { try other.close() }
    _ = try directory.copy("schedules.sqlite", to: "other.sqlite")  // and its log, if there is one
    if withLog { try other.close() }
    try FileManager.default.removeItem(atPath: path)
    let store = try opened(holding: a)
    for suffix in names {
      try #require(rename(directory.file("other.sqlite" + suffix), path + suffix) == 0)
    }
    try expect(.misplaced, of: store, says: "\(path) was replaced by another file")
    try store.close()
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 9) == [c])
  }

  @Test("only the log is removed: its content is written back, and the next process finds it")
  func logRemoved() throws {
    let store = try opened(holding: a)
    try FileManager.default.removeItem(atPath: path + "-wal")
    try expect(.inputOutput, of: store, says: "was written back to \(path)")
    // As after kill -9: not closed.
    _ = try directory.copy("schedules.sqlite", to: "left.sqlite")
    #expect(try SQLiteStore(path: directory.file("left.sqlite")).page(after: nil, limit: 9) == [a])
  }

  @Test("a log that replaced ours is not deleted")
  func logReplaced() throws {
    let store = try opened(holding: a)
    try FileManager.default.removeItem(atPath: path + "-wal")
    try Data("somebody's".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
    try expect(.misplaced, of: store, says: "\(path)-wal was replaced by another file")
    try store.close()
    #expect(try String(contentsOfFile: path + "-wal", encoding: .utf8) == "somebody's")
  }

  @Test("with a symbolic link its target is checked")
  func symbolicLink() throws {
    try opened(holding: a).close()
    let (link, second) = (directory.file("link.sqlite"), directory.file("second.sqlite"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    let store = try SQLiteStore(path: link)
    try store.checkIntact()
    _ = try directory.copy("schedules.sqlite", to: "second.sqlite")
    try FileManager.default.removeItem(atPath: link)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: second)
    #expect(#expect(throws: StoreError.self) { try store.checkIntact() }?.kind == .misplaced)
  }

  @Test("a file with another hard link is not opened: the log of a killed process would not be found")
  func hardLink() throws {
    try opened(holding: a).close()
    let second = directory.file("second.sqlite")
    try FileManager.default.linkItem(atPath: path, toPath: second)
    for name in [path, second] {
      let error = #expect(throws: StoreError.self) { try SQLiteStore(path: name) }
      #expect(error?.kind == .misplaced && error?.description.contains("has 2 names (hard links)") == true)
    }
    try FileManager.default.removeItem(atPath: second)
    #expect(try SQLiteStore(path: path).page(after: nil, limit: 9) == [a])
  }

  @Test("a deleted lock file is created and locked again")
  func lockRemoved() throws {
    let store = try opened(holding: a)
    try FileManager.default.removeItem(atPath: path + ".lock")
    try store.checkIntact()
    #expect(#expect(throws: StoreError.self) { try SQLiteStore.inspect(path: path) }?.kind == .locked)
    try store.close()
    try SQLiteStore(path: path).close()
  }

  @Test func newIsSaidOnce() throws {
    let first = try SQLiteStore(path: path)
    #expect(first.isNew)
    try first.close()
    let second = try SQLiteStore(path: path)
    #expect(!second.isNew)
    try second.close()
    try FileManager.default.removeItem(atPath: path)
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(try SQLiteStore(path: path).isNew, "an empty file")
  }
}
