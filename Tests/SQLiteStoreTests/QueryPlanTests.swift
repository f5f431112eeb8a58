import GRDB
import Testing

@testable import SQLiteStore

/// How SQLite reads for queries of which only the first rows are wanted: from indexes, in their order.
@Suite("SQLiteStore query plans")
struct QueryPlanTests {
  /// Sorting would read every row, with its payload, for each page.
  @Test(
    "no page of schedules is sorted first",
    arguments: [
      Query.owing, Query.afterID, Query.due.together, Query.due.later, Query.followingZones.later, Query.listedByID,
      Query.listedByGroup, Query.listedPaused, Query.listedByDue.later,
    ])
  func pages(_ query: Query.Selection) throws {
    let queue = try DatabaseQueue()
    try Schema.migrator.migrate(queue)
    let plan = try queue.read { database in
      try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + query.sql, arguments: Self.nulls(for: query.sql))
        .map { $0["detail"] as String }
    }
    #expect(!plan.isEmpty)
    #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
  }

  /// A NULL for each parameter: a plan does not depend on their values.
  static func nulls(for sql: String) -> StatementArguments {
    let numbered = (1...9).last { sql.contains("?\($0)") }
    return StatementArguments(
      [(any DatabaseValueConvertible)?](repeating: nil, count: numbered ?? sql.count { $0 == "?" }))
  }
}
