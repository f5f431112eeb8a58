import Foundation
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
        SELECT generation FROM schedule
        WHERE owesStopped = 0 AND (endReason IS NULL) = ? AND endedAt < ? ORDER BY endedAt LIMIT ?)
      """, [!byReason, instant.milliseconds, limit])
    return changesCount
  }

  /// Removes the schedules that ended first, as long as there are more than `maximum`.
  fileprivate func removeEnded(beyond maximum: Int, limit: Int) throws -> Int {
    let count = try Int.fetchOne(cachedStatement(sql: "SELECT count(*) FROM schedule WHERE owesStopped = 0")) ?? 0
    guard count > maximum else { return 0 }
    // Two walks along the index of ends, merged: one alone would not be in order of time.
    let ended = "SELECT generation, endedAt FROM schedule WHERE owesStopped = 0 AND (endReason IS NULL) ="
    try run(
      """
      DELETE FROM schedule WHERE generation IN (
        SELECT generation FROM (\(ended) 0 UNION ALL \(ended) 1 ORDER BY endedAt, generation) LIMIT ?)
      """, [min(count - maximum, limit)])
    return changesCount
  }

  /// Removes commands, oldest first, up to the first that is to be kept: so the cost is that of what is removed, and a
  /// clock that stepped back makes some live longer, no more.
  fileprivate func removeCommands(_ retention: Retention, limit: Int) throws -> Int {
    guard let newest = try Int.fetchOne(cachedStatement(sql: "SELECT max(sequence) FROM answeredCommand")) else {
      return 0
    }
    let rows = try Row.fetchCursor(
      cachedStatement(sql: "SELECT sequence, answeredAt FROM answeredCommand ORDER BY sequence LIMIT ?"),
      arguments: [limit])
    var last: Int?
    while let row = try rows.next(), let sequence: Int = row[0], let answeredAt: Int64 = row[1],
      sequence <= newest - retention.maximumCommands || answeredAt < retention.answeredBefore.milliseconds
    {
      last = sequence
    }
    guard let last else { return 0 }
    try run("DELETE FROM answeredCommand WHERE sequence <= ?", [last])
    return changesCount
  }
}
