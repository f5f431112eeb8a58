package import GRDB
import GRDBSQLite
import Glibc
package import Scheduling

extension DatabaseQueue {
  /// The one connection that reads and writes: WAL, synced at every commit, shut to everybody else.
  static func openOwned(path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    // GRDB would trap on a transaction that is still open after a failed rollback; here the next call gets an error.
    configuration.allowsUnsafeTransactions = true
    // Set here and not as GRDB's `journalMode`, which afterwards turns `synchronous` down to NORMAL.
    configuration.prepareDatabase { database in
      try database.execute(
        sql: """
          PRAGMA locking_mode = EXCLUSIVE;
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA cache_size = -16384; -- KiB: what a batch of 256 touches, and no more with more schedules
          PRAGMA wal_autocheckpoint = 4000; -- pages: the longer, the fewer of them are written twice
          PRAGMA recursive_triggers = ON; -- or what REPLACE removes would leave its progress behind
          PRAGMA trusted_schema = OFF;
          PRAGMA cell_size_check = ON;
          """)
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.assertDurable()
    return queue
  }

  /// Asks the live connection for what its promises rest on, because a `PRAGMA` that could not be obeyed is no error.
  package func assertDurable() throws {
    let expected = [
      ("journal_mode", "wal"), ("synchronous", "2"), ("locking_mode", "exclusive"), ("recursive_triggers", "1"),
    ]
    for (setting, value) in expected {
      let actual = try unsafeRead { try String.fetchOne($0, sql: "PRAGMA \(setting)") }
      guard actual == value else {
        throw StoreError(
          .other,
          "SQLite does not keep \(setting) = \(value) for \(path) (it says \(actual ?? "nothing")), so that commits "
            + "could be lost; put the database on a local disk.")
      }
    }
  }

  /// A connection that only looks: it makes, changes and locks nothing, and sees what a process that was killed left
  /// in the write-ahead log. Nobody may write meanwhile.
  static func openUntouched(path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
    // Without a log, `immutable` keeps SQLite from making one. With one, "unix-none" takes no file locks (the owner's
    // own lock file stands for them), and exclusive mode needs no shared-memory file.
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

  /// The `errno` of the last system call on the write-ahead log that failed; 0 where none did.
  ///
  /// From the file itself: a COMMIT that fails does not leave it where `sqlite3_system_errno` finds it.
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

  /// The name of the write-ahead log, beside the file to which symbolic links lead.
  var logPath: String? {
    unsafeRead { database in
      database.sqliteConnection.flatMap { connection in
        sqlite3_filename_wal(sqlite3_db_filename(connection, "main")).map { String(cString: $0) }
      }
    }
  }

  /// Has SQLite leave alone what has the log's name when the database is closed.
  func keepLogFile() {
    var isKept: CInt = 1
    unsafeRead { database in
      guard let connection = database.sqliteConnection else { return }  // closed already
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_PERSIST_WAL, &isKept)
    }
  }

  /// Runs one transaction that takes the right to write at its start. A deferred one, which reads first, could be refused
  /// in the middle.
  ///
  /// Begun and ended by statements that stay prepared, where GRDB prepares its own each time.
  func immediateTransaction(_ body: (Database) throws -> Void) throws {
    try writeWithoutTransaction { database in
      try database.run("BEGIN IMMEDIATE")
      do {
        try body(database)
        try database.run("COMMIT")
      } catch {
        // SQLite may have rolled back already; the first failure is the one to tell of.
        if database.isInsideTransaction { _ = try? database.run("ROLLBACK") }
        throw error
      }
    }
  }
}

/// The size in bytes; nil where there is nothing of this name. Throws for what is no file.
package func fileSize(_ path: String) throws(StoreError) -> Int? {
  var status = stat()
  guard stat(path, &status) == 0 else {
    guard errno == ENOENT else { throw StoreError("Cannot look at", path, errno: errno) }
    return nil
  }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw StoreError(.unreachable, "\(path) is not a file; name another one.")
  }
  return Int(status.st_size)
}

/// The room on the disk of a file or folder, in bytes: what this user may still write, and all there is.
package func diskRoom(_ path: String) throws(StoreError) -> (free: Int, all: Int) {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else { throw StoreError("Cannot look at the disk of", path, errno: errno) }
  func bytes(_ blocks: fsblkcnt_t) -> Int {
    let (bytes, isTooMany) = blocks.multipliedReportingOverflow(by: status.f_frsize)
    return isTooMany ? .max : Int(clamping: bytes)
  }
  return (bytes(status.f_bavail), bytes(status.f_blocks))
}
