package import GRDB
import GRDBSQLite
import Glibc
package import Scheduling

extension DatabaseQueue {
  /// Opens the only connection that reads and writes: WAL, synced at every commit, exclusive.
  static func openOwned(path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    // GRDB would trap on a transaction that is still open after a failed rollback. With this the next call gets an error.
    configuration.allowsUnsafeTransactions = true
    // Not by GRDB's `journalMode`, which also lowers `synchronous` to NORMAL.
    configuration.prepareDatabase { database in
      try database.execute(
        sql: """
          PRAGMA locking_mode = EXCLUSIVE;
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA cache_size = -16384; -- KiB: the pages of a batch of 256, whatever the number of schedules
          PRAGMA wal_autocheckpoint = 4000; -- pages: a longer log writes fewer pages twice
          PRAGMA recursive_triggers = ON; -- else REPLACE would not remove the progress row
          PRAGMA trusted_schema = OFF;
          PRAGMA cell_size_check = ON;
          """)
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.assertDurable()
    return queue
  }

  /// Checks the settings on which durability depends: a `PRAGMA` without effect is not an error.
  package func assertDurable() throws {
    let expected = [
      ("journal_mode", "wal"), ("synchronous", "2"), ("locking_mode", "exclusive"), ("recursive_triggers", "1"),
    ]
    for (setting, value) in expected {
      let actual = try unsafeRead { try String.fetchOne($0, sql: "PRAGMA \(setting)") }
      guard actual == value else {
        throw StoreError(
          .other,
          "SQLite cannot set \(setting) = \(value) for \(path) (it is \(actual ?? "unknown")), so commits could be lost; "
            + "put the database on a local disk.")
      }
    }
  }

  /// Opens a read-only connection that creates, changes and locks nothing, and reads the write-ahead log that a killed process
  /// left. No other process may write meanwhile.
  static func openUntouched(path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
    // Without a log, `immutable` prevents SQLite from creating one. With a log, "unix-none" takes no file locks (our lock file
    // replaces them), and exclusive mode needs no shared-memory file.
    let hasLog = try fileSize(path + "-wal") ?? 0 > 0
    let option = hasLog ? "vfs=unix-none" : "immutable=1"
    return try DatabaseQueue(path: "file:\(uriEncoded(path))?mode=ro&\(option)", configuration: configuration)
  }

  private static func uriEncoded(_ path: String) -> String {
    var encoded = ""
    for scalar in path.unicodeScalars {
      switch scalar {
      case "%": encoded += "%25"
      case "?": encoded += "%3f"
      case "#": encoded += "%23"
      default: encoded.unicodeScalars.append(scalar)
      }
    }
    return encoded
  }

  /// The `errno` of the last failed system call on the write-ahead log; 0 if there is none.
  ///
  /// Read from the file object: `sqlite3_system_errno` does not report it for a failed COMMIT.
  var systemCode: Int32 {
    unsafeRead { database in
      guard let connection = database.sqliteConnection else { return 0 }
      var log: UnsafeMutablePointer<sqlite3_file>?
      var code: CInt = 0
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log)
      guard let log, let control = log.pointee.pMethods?.pointee.xFileControl else { return 0 }
      return control(log, SQLITE_FCNTL_LAST_ERRNO, &code) == SQLITE_OK ? code : 0
    }
  }

  /// The path of the write-ahead log, next to the file without symbolic links.
  var logPath: String? {
    unsafeRead { database in
      database.sqliteConnection.flatMap { connection in
        sqlite3_filename_wal(sqlite3_db_filename(connection, "main")).map { String(cString: $0) }
      }
    }
  }

  /// Prevents SQLite from deleting the log when the database is closed.
  func keepLogFile() {
    var isKept: CInt = 1
    unsafeRead { database in
      guard let connection = database.sqliteConnection else { return }  // closed already
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_PERSIST_WAL, &isKept)
    }
  }

  /// Runs an immediate transaction, which takes the write lock at its start. A deferred one could fail when it first writes.
  ///
  /// BEGIN and COMMIT are cached statements; GRDB's own would be prepared each time.
  func immediateTransaction(_ body: (Database) throws -> Void) throws {
    try writeWithoutTransaction { database in
      try database.run("BEGIN IMMEDIATE")
      do {
        try body(database)
        try database.run("COMMIT")
        assert(!database.isInsideTransaction, "a transaction is open after its COMMIT")
      } catch {
        // SQLite may have rolled back already. The first error is the one to report.
        if database.isInsideTransaction { _ = try? database.run("ROLLBACK") }
        throw error
      }
    }
  }
}

/// The size of a file in bytes; nil if it does not exist. Throws if it is not a regular file.
package func fileSize(_ path: String) throws(StoreError) -> Int? {
  var status = stat()
  guard stat(path, &status) == 0 else {
    guard errno == ENOENT else { throw StoreError("Cannot access", path, errno: errno) }
    return nil
  }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw StoreError(.unreachable, "\(path) is not a file; name another one.")
  }
  return Int(status.st_size)
}

/// The space on the file system of a file or folder, in bytes: available to this user, and in total.
package func diskRoom(_ path: String) throws(StoreError) -> (free: Int, all: Int) {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else { throw StoreError("Cannot access the file system of", path, errno: errno) }
  func bytes(_ blocks: fsblkcnt_t) -> Int {
    let (bytes, isTooMany) = blocks.multipliedReportingOverflow(by: status.f_frsize)
    return isTooMany ? .max : Int(clamping: bytes)
  }
  return (bytes(status.f_bavail), bytes(status.f_blocks))
}
