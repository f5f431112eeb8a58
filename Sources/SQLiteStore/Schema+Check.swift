import GRDB
import Recurrence
import Scheduling

/// What a file is, as far as we are concerned.
enum DatabaseState {
  /// Nothing in it yet.
  case empty
  /// Ours, to be brought to the present layout.
  case older
  /// Ours, in the present layout.
  case current
}

extension Schema {
  /// Finds out what a database is; refuses what is not ours or too new.
  ///
  /// Reads only, so that a file of somebody else stays as it is.
  static func check(_ database: Database, path: String) throws -> DatabaseState {
    switch try Int64.fetchOne(database, sql: "PRAGMA application_id") {
    case applicationID:
      break
    case 0 where try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0:
      return .empty
    default:
      throw StoreError(
        .foreign, "\(path) is a database of another application; name another file, this one is left as it is.")
    }
    guard try !migrator.hasBeenSuperseded(database) else {
      throw StoreError(
        .newer, "\(path) was written by a newer version of Pocketwatch; use that one, this file is left as it is.")
    }
    return try migrator.hasCompletedMigrations(database) ? .current : .older
  }

  /// Claims an empty file, applies the migrations it lacks, and writes once, so that a disk that takes no writes is found
  /// now and not under the first command. Says whether the file was empty.
  static func bringUpToDate(_ queue: DatabaseQueue, path: String) throws -> Bool {
    var isNew = false
    try queue.immediateTransaction { database in
      // Before the first table, so that a process killed on the way leaves nothing that looks foreign.
      if try check(database, path: path) == .empty {
        isNew = true
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      }
    }
    try migrator.migrate(queue)
    try queue.immediateTransaction { database in
      try database.execute(sql: "UPDATE recollection SET openings = openings + 1")
      // Without a schedule there ever was there is no slot to compute again.
      try database.execute(
        sql: "UPDATE recollection SET rulesVersion = max(rulesVersion, ?) WHERE lastGeneration = 0",
        arguments: [CronExpression.rulesVersion])
    }
    return isNew
  }
}
