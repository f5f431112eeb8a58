import GRDB
import Glibc
package import Scheduling

/// The store of schedules in an SQLite file, which only this process may use while the store is open.
///
/// Changes are synced to disk when a call returns. Calls block the thread, and task cancellation does not interrupt them.
package final class SQLiteStore: ScheduleStore, ScheduleQueries {
  let path: String
  private let queue: DatabaseQueue
  /// Nil for a read-only store of a file without a lock file.
  private var lock: FileLock?
  /// The open files; nil for a read-only store.
  private var files: DatabaseFiles?
  /// The current schema version.
  package static var schemaVersion: Int { Schema.version }
  /// Whether the database did not exist and was created.
  package private(set) var isNew = false
  private let onUnreadable: (StoreError) -> Void
  /// The backup in progress.
  var backup: RunningBackup?
  /// The generations of unreadable rows that were reported.
  private var reported: Set<Int64> = []

  private init(
    path: String, onUnreadable: @escaping (StoreError) -> Void, lock: FileLock?,
    open: () throws -> DatabaseQueue
  ) throws(StoreError) {
    self.path = path
    self.onUnreadable = onUnreadable
    self.lock = lock
    do {
      queue = try open()
    } catch {
      throw StoreError(error, database: path)
    }
  }

  deinit {
    backup = nil
    keepForeignLog()
    try? queue.close()  // before the lock is released
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try queue.unsafeRead(body)
    } catch {
      throw StoreError(error, database: path, systemCode: queue.systemCode)
    }
  }

  /// Runs one transaction, which takes its lock at the start and is synced on return.
  ///
  /// Checks the files before the commit: a commit to a file that was removed would be lost.
  func write(_ body: (Database) throws -> Void) throws(StoreError) {
    let files = files
    do {
      try queue.immediateTransaction { database in
        try body(database)
        try files?.check()
      }
    } catch {
      let error = StoreError(error, database: path, systemCode: queue.systemCode)
      throw error.kind == .misplaced ? afterCompletingDatabase(error) : error
    }
  }

  /// Reports a row that this version cannot read: once per row, and at most a thousand rows.
  func reportUnreadable(_ row: ColumnValues) {
    guard reported.count < 1000, let generation = row.integer(.generation), reported.insert(generation).inserted else {
      return
    }
    let id = row.bytes(.id).map { ScheduleID(stored: $0).text } ?? "?"
    onUnreadable(
      StoreError(
        .other,
        "Schedule \(id) in \(path) cannot be read by this version and sends no ticks; replace it with a new Start, or use "
          + "the version that wrote it."))
  }
}

// MARK: - Opening and closing

extension SQLiteStore {
  /// Opens a database, or creates it if it does not exist, and migrates it to the current schema.
  ///
  /// Calls `onUnreadable` for schedules whose rows this version cannot read, for example because a newer version accepted an
  /// expression that this one rejects. Such a schedule is ignored until a Start replaces it, or a version that can read it opens
  /// the file.
  ///
  /// Throws `locked` at once when another process has the file open, and `foreign`, `newer` or `corrupt` for a file that this
  /// version must not change. The file is then unchanged.
  package convenience init(
    path: String, onUnreadable: @escaping (StoreError) -> Void = { _ in }
  ) throws(StoreError) {
    let file = Self.fileName(path)
    let lock = try FileLock(database: file, .exclusive)
    var isNew = false
    try self.init(path: path, onUnreadable: onUnreadable, lock: lock) {
      try Self.prepareFile(file, named: path)
      let queue = try DatabaseQueue.openOwned(path: file)
      do {
        isNew = try Schema.bringUpToDate(queue, path: path)
      } catch {
        throw StoreError(error, database: path, systemCode: queue.systemCode)
      }
      return queue
    }
    self.isNew = isNew
    files = try DatabaseFiles(path: file, logPath: queue.logPath ?? file + "-wal")
  }

  /// Opens a database that no service has open, or a backup, read-only: no file is changed or created, and every change through
  /// the store throws `readOnly`.
  ///
  /// Throws `locked` when a service has the file open. A file that a service has opened before is locked meanwhile.
  package static func inspect(
    path: String, onUnreadable: @escaping (StoreError) -> Void = { _ in }
  ) throws(StoreError) -> SQLiteStore {
    try openReadOnly(path: path, accepting: [.current], onUnreadable: onUnreadable)
  }

  /// As `inspect`, for files in any of these states.
  static func openReadOnly(
    path: String, accepting states: [DatabaseState], onUnreadable: @escaping (StoreError) -> Void
  ) throws(StoreError) -> SQLiteStore {
    let file = fileName(path)
    guard try fileSize(file) != nil else { throw StoreError(.other, "The database \(path) does not exist.") }
    // A backup has no lock file, and none is created for it.
    let wasServed = try fileSize(FileLock.path(forDatabase: file)) != nil
    let lock = wasServed ? try FileLock(database: file, .shared) : nil
    return try SQLiteStore(path: path, onUnreadable: onUnreadable, lock: lock) {
      let queue = try DatabaseQueue.openUntouched(path: file)
      guard states.contains(try queue.unsafeRead { try Schema.check($0, path: path) }) else {
        throw StoreError(
          .other,
          "\(path) does not have the current schema; start the service on it once to migrate it, then try again.")
      }
      return queue
    }
  }

  /// Checkpoints the log into the database file and closes it. Later calls of the store fail.
  ///
  /// Throws when the checkpoint failed, for example on a full disk. Nothing is lost: the log is read when the database is opened
  /// again.
  package func close() throws(StoreError) {
    backup = nil
    keepForeignLog()
    do {
      let checkpoint = Result {
        if !queue.configuration.readonly {
          try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        }
      }
      try queue.close()
      lock = nil
      try checkpoint.get()
    } catch {
      throw StoreError(error, database: path)
    }
  }

  /// The path in a form that SQLite does not interpret, as it would `:memory:` and `file:…`.
  private static func fileName(_ path: String) -> String {
    path.hasPrefix("/") ? path : "./" + path
  }

  /// Throws for a file with several names: the log that a killed process left may be next to another name.
  private static func requireOneName(of file: String, named path: String) throws(StoreError) {
    var status = stat()
    guard stat(file, &status) == 0, status.st_nlink > 1 else { return }
    throw StoreError(
      .misplaced,
      "\(path) has \(status.st_nlink) names (hard links), and its write-ahead log may be next to another of them; "
        + "remove the other names, or start from a backup.")
  }

  /// Creates the file, for this user only, if it does not exist. Otherwise checks it without changing it.
  private static func prepareFile(_ file: String, named path: String) throws {
    guard try fileSize(file) != nil else {
      let descriptor = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw StoreError("Cannot create the database", path, errno: errno) }
      Glibc.close(descriptor)
      return
    }
    try requireOneName(of: file, named: path)
    // SQLite would open it read-only, and then report the lock that it cannot take as an I/O error.
    guard access(file, R_OK | W_OK) == 0 else { throw StoreError("Cannot write to", path, errno: errno) }
    let queue = try DatabaseQueue.openUntouched(path: file)
    _ = try queue.unsafeRead { try Schema.check($0, path: path) }
    try queue.close()
  }
}

// MARK: - Misplaced files

extension SQLiteStore {
  package func checkIntact() throws(StoreError) {
    guard let files else { return }
    do throws(StoreError) {
      try files.check()
    } catch {
      throw error.kind == .misplaced ? afterCompletingDatabase(error) : error
    }
    // A lock file that was deleted no longer excludes other processes.
    let file = Self.fileName(path)
    if lock?.isInPlace(forDatabase: file) == false { lock = try FileLock(database: file, .exclusive) }
  }

  /// If only the log was removed, writes it back to the database, so that nothing is lost and the service can be restarted.
  private func afterCompletingDatabase(_ error: StoreError) -> StoreError {
    guard (try? files?.isOnlyLogMissing) == true else { return error }
    guard (try? queue.writeWithoutTransaction({ try $0.checkpoint(.truncate) })) != nil else { return error }
    return StoreError(
      .inputOutput,
      "\(path)-wal was removed while the service had it open. Its content was written back to \(path); start the service "
        + "again.")
  }

  /// Prevents SQLite from deleting a file that replaced our log.
  private func keepForeignLog() {
    if let files, !files.isLogInPlace { queue.keepLogFile() }
  }
}
