import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func sweep(_ retention: Retention, limit: Int) throws(StoreError) -> Int {
    var removed = 0
    try write { database in
      for kind in Schedule.Ending.Kind.allCases {
        let bound =
          switch kind {
          case .stopped, .finished: retention.endedBefore
          case .fired: retention.firedBefore
          case .lasting: retention.lastingBefore
          }
        removed += try database.removeEnded(kind, before: bound, limit: limit - removed)
      }
      removed += try database.removeEnded(beyond: retention.maximumEnded, limit: limit - removed)
      removed += try database.removeCommands(retention, limit: limit - removed)
    }
    assert(removed <= limit, "more rows were removed than the limit allows")
    return removed
  }
}

extension Database {
  /// A row that is the outbox of another event than a Stopped is kept.
  private static let owesNothing =
    "NOT EXISTS (SELECT 1 FROM control WHERE control.generation = progress.generation AND owes = 1)"

  /// Removes schedules with this kind of end before an instant.
  fileprivate func removeEnded(_ kind: Schedule.Ending.Kind, before instant: Instant, limit: Int) throws -> Int {
    try run(
      """
      DELETE FROM schedule WHERE generation IN (
        SELECT generation FROM progress
        WHERE owesStopped = 0 AND endKind = ? AND endedAt < ? AND \(Self.owesNothing) ORDER BY endedAt LIMIT ?)
      """
    ) {
      $0.bind(kind.rawValue)
      $0.bind(instant.milliseconds)
      $0.bind(limit)
    }
  }

  /// Removes the schedules that ended first, down to `maximum` ended ones.
  fileprivate func removeEnded(beyond maximum: Int, limit: Int) throws -> Int {
    // The stored counter: counting a million rows would take 40 ms per step.
    let all = try Int.fetchOne(cachedStatement(sql: "SELECT ended FROM recollection")) ?? 0
    guard all > maximum else { return 0 }
    let owing =
      try Int.fetchOne(
        cachedStatement(
          sql: """
            SELECT (SELECT count(*) FROM progress WHERE owesStopped = 1) + (
              SELECT count(*) FROM control CROSS JOIN schedule USING (generation) CROSS JOIN progress USING (place)
              WHERE owes = 1 AND owesStopped = 0)
            """)) ?? 0
    let count = all - owing
    guard count > maximum else { return 0 }
    // The index of ends is in order of time only within a kind, so the kinds are merged.
    let walks = Schedule.Ending.Kind.allCases.map { kind in
      """
      SELECT generation, endedAt FROM progress
      WHERE owesStopped = 0 AND endKind = \(kind.rawValue) AND \(Self.owesNothing)
      """
    }.joined(separator: " UNION ALL ")
    return try run(
      """
      DELETE FROM schedule WHERE generation IN (
        SELECT generation FROM (\(walks) ORDER BY endedAt, generation) LIMIT ?)
      """
    ) { $0.bind(min(count - maximum, limit)) }
  }

  /// Removes commands, oldest first, up to the first that is kept. The cost is proportional to the removed rows, and a backward
  /// clock step only makes some live longer.
  fileprivate func removeCommands(_ retention: Retention, limit: Int) throws -> Int {
    guard let newest = try Int64.fetchOne(cachedStatement(sql: "SELECT max(sequence) FROM answeredCommand")) else {
      return 0
    }
    var last: Int64?
    _ = try forEachRow(
      "SELECT sequence, answeredAt FROM answeredCommand ORDER BY sequence LIMIT ?", { $0.bind(limit) }
    ) { row in
      guard let sequence = row.integer(0), let answeredAt = row.integer(1),
        sequence <= newest - Int64(retention.maximumCommands) || answeredAt < retention.answeredBefore.milliseconds
      else { return false }
      last = sequence
      return true
    }
    guard let last else { return 0 }
    return try run("DELETE FROM answeredCommand WHERE sequence <= ?") { $0.bind(last) }
  }
}
