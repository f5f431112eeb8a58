import GRDB
import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

@testable import SQLiteStore

@Suite("SQLiteStore for delayed messages")
struct MessageStoreTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("messages.sqlite") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test(arguments: MessageStoreConformance.checks)
  func conforms(_ check: MessageStoreCheck) throws {
    let path = path
    let fixture = try MessageStoreFixture(SQLiteStore(path: path)) { store in
      try (store as? SQLiteStore)?.close()
      return try SQLiteStore(path: path)
    }
    try check.run(fixture)
  }

  /// Only the bytes of two ids with one hash differ, so the look-up compares those.
  @Test("an id with the hash of another one is not taken for it")
  func collision() throws {
    let store = try SQLiteStore(path: path)
    try store.apply([.keep(.sample(1, due: 1, id: [1])), .keep(.sample(2, due: 1, id: [2]))])
    try store.write {
      try $0.run("UPDATE pendingMessage SET idKey = (SELECT idKey FROM pendingMessage WHERE sequence = 1)")
    }
    #expect(try store.pendingMessages(withID: [1], limit: 9).map(\.sequence) == [1])
  }

  @Test("contents are removed with their messages")
  func contents() throws {
    let store = try SQLiteStore(path: path)
    try store.apply((1...9).map { .keep(.sample($0, due: 1)) })
    try store.apply((1...9).map { .remove($0) })
    let left = try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM pendingContent") }
    #expect(left == 0)
  }

  @Test(
    "pages and look-ups of messages walk an index, and nothing is sorted or scanned",
    arguments: [
      (MessageQuery.together, "USING INDEX pendingMessageByDue (route=? AND due=? AND rowid>?)"),
      (MessageQuery.later, "USING INDEX pendingMessageByDue (route=? AND due>? AND due<?)"),
      (MessageQuery.byID, "USING INDEX pendingMessageByID (idKey=?)"),
      (MessageQuery.nextKey, "USING COVERING INDEX pendingMessageByID (idKey>?)"),
      (MessageQuery.content, "USING INTEGER PRIMARY KEY (rowid=?)"),
      (MessageQuery.totals, "USING COVERING INDEX pendingMessageByDue (route=?)"),
    ])
  func plans(sql: String, step: String) throws {
    let store = try SQLiteStore(path: path)
    let plan = try store.read { database in
      try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + sql, arguments: QueryPlanTests.nulls(for: sql))
        .map { $0["detail"] as String }
    }
    #expect(plan.contains { $0.contains(step) }, "\(plan)")
    #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0.contains("SCAN pendingMessage") }, "\(plan)")
  }
}
