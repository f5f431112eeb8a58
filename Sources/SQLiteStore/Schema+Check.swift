import GRDB
import Recurrence
import Scheduling

/// The state of a database file.
enum DatabaseState {
  /// Without content.
  case empty
  /// Ours, with an older schema.
  case older
  /// Ours, with the current schema.
  case current
}

extension Schema {
  /// Determines the state of a database. Throws `foreign` or `newer` for one that this version must not change.
  ///
  /// Only reads, so that a foreign file stays unchanged.
  static func check(_ database: Database, path: String) throws -> DatabaseState {
    switch try Int64.fetchOne(database, sql: "PRAGMA application_id") {
    case applicationID:
      break
    case 0 where try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0:
      return .empty
    default:
      throw StoreError(
        .foreign, "\(path) is a database of another application and was not changed; name another file.")
    }
    guard try !migrator.hasBeenSuperseded(database) else {
      throw StoreError(
        .newer, "\(path) was written by a newer version of Pocketwatch and was not changed; use that version.")
    }
    return try migrator.hasCompletedMigrations(database) ? .current : .older
  }

  /// Claims an empty file, applies missing migrations, and writes once, so that a read-only or full disk shows now and not at the
  /// first command. Returns whether the file was empty.
  static func bringUpToDate(_ queue: DatabaseQueue, path: String) throws -> Bool {
    var isNew = false
    try queue.immediateTransaction { database in
      // Before the first table, so that a process killed here does not leave a file that looks foreign.
      if try check(database, path: path) == .empty {
        isNew = true
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      }
    }
    try migrator.migrate(queue)
    try queue.immediateTransaction { database in
      try database.execute(sql: "UPDATE recollection SET openings = openings + 1")
      // A database without schedules has no slots to recompute.
      try database.execute(
        sql: "UPDATE recollection SET rulesVersion = max(rulesVersion, ?) WHERE lastGeneration = 0",
        arguments: [CronExpression.rulesVersion])
    }
    return isNew
  }
}
