import GRDB
package import Scheduling

extension SQLiteStore: BackupStore {
  package func beginBackup() throws(StoreError) {
    endBackup()
    let path = path
    backup = try read { try RunningBackup(of: $0, path: path) }
  }

  package func continueBackup() throws(StoreError) -> (any BackupFile)? {
    guard let running = backup else { throw StoreError(.other, "No backup of \(path) is in progress.") }
    do throws(StoreError) {
      guard try running.advance() else { return nil }
      backup = nil
      return running.file
    } catch {
      backup = nil
      throw error
    }
  }

  package func endBackup() {
    backup = nil
  }
}

extension SQLiteStore {
  /// Checks a whole database that no service has open, or a backup, for damage. Returns the number of its schedules, including
  /// retained ended ones. Takes about a second per hundred thousand schedules; changes nothing.
  ///
  /// Throws `locked` when a service has the file open, `foreign` or `newer` when this version cannot read it, and `corrupt` when
  /// it is damaged.
  package static func examine(path: String) throws(StoreError) -> Int {
    let store = try SQLiteStore.openReadOnly(path: path, accepting: [.older, .current], onUnreadable: { _ in })
    let (complaint, count) = try store.read { database in
      (
        try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? "no result",
        try Int.fetchOne(database, sql: "SELECT count(*) FROM schedule") ?? 0
      )
    }
    try store.close()
    guard complaint == "ok" else {
      throw StoreError(
        .corrupt, "\(path) is damaged; keep a copy of it and restore a backup (SQLite: \(complaint)).")
    }
    return count
  }
}
