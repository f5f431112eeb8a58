import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func sweep(_ retention: Retention, limit: Int) throws(StoreError) -> Int {
    var removed = 0
    try write { database in
      removed += try database.removeEnded(byReason: true, before: retention.endedBefore, limit: limit)
      removed += try database.removeEnded(byReason: false, before: retention.firedBefore, limit: limit - removed)
      removed += try database.removeEnded(beyond: retention.maximumEnded, limit: limit - removed)
      removed += try database.removeCommands(retention, limit: limit - removed)
    }
    return removed
  }
}

extension Database {
  /// Removes schedules that ended before an instant: those that have a reason, or one-shots that have none.
  fileprivate func removeEnded(byReason: Bool, before instant: Instant, limit: Int) throws -> Int {
    try run(
      """
      DELETE FROM schedule WHERE generation IN (
        SELECT generation FROM progress
        WHERE owesStopped = 0 AND (endReason IS NULL) = ? AND endedAt < ? ORDER BY endedAt LIMIT ?)
      """
    ) {
      $0.bind(!byReason)
      $0.bind(instant.milliseconds)
      $0.bind(limit)
    }
  }

  /// Removes the schedules that ended first, as long as there are more than `maximum`.
  fileprivate func removeEnded(beyond maximum: Int, limit: Int) throws -> Int {
    let count = try Int.fetchOne(cachedStatement(sql: "SELECT count(*) FROM progress WHERE owesStopped = 0")) ?? 0
    guard count > maximum else { return 0 }
    // Two walks along the index of ends, merged: one alone would not be in order of time.
    let ended = "SELECT generation, endedAt FROM progress WHERE owesStopped = 0 AND (endReason IS NULL) ="
    return try run(
      """
      DELETE FROM schedule WHERE generation IN (
        SELECT generation FROM (\(ended) 0 UNION ALL \(ended) 1 ORDER BY endedAt, generation) LIMIT ?)
      """
    ) { $0.bind(min(count - maximum, limit)) }
  }

  /// Removes commands, oldest first, up to the first that is to be kept: so the cost is that of what is removed, and a
  /// clock that stepped back makes some live longer, no more.
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
