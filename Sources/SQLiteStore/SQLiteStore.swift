import GRDB
import Glibc
package import Scheduling

/// Schedules in an SQLite file, owned by this process alone for as long as the store lives.
///
/// What a call returned from is synced to disk. Every call blocks its thread, and no cancelled task interrupts it.
package final class SQLiteStore: ScheduleStore, ScheduleQueries {
  let path: String
  private let queue: DatabaseQueue
  /// Nil for a file that is only looked at and has no lock file.
  private var lock: FileLock?
  /// What this store has open; nil for a file that is only looked at.
  private var files: DatabaseFiles?
  /// The schema version of the databases that this program writes.
  package static var schemaVersion: Int { Schema.version }
  /// Whether there was no database, so that an empty one was created.
  package private(set) var isNew = false
  private let onUnreadable: (StoreError) -> Void
  /// The copy that is being made.
  var backup: RunningBackup?
  /// The unreadable rows already told of, by generation.
  private var told: Set<Int64> = []

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
    leaveForeignLogAlone()
    try? queue.close()  // before the lock goes
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try queue.unsafeRead(body)
    } catch {
      throw StoreError(error, database: path, systemCode: queue.systemCode)
    }
  }

  /// Runs one transaction, which takes its lock at the start and is synced when this returns.
  ///
  /// Before it is committed the files are looked at: a commit to a file that has lost its name would be confirmed and lost.
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

  /// Tells of a row that makes no sense to this version: once, and of a thousand at most.
  func reportUnreadable(_ row: ColumnValues) {
    guard told.count < 1000, let generation = row.integer(.generation), told.insert(generation).inserted else { return }
    let id = row.bytes(.id).map { ScheduleID(stored: $0).text } ?? "?"
    onUnreadable(
      StoreError(
        .other,
        "Schedule \(id) in \(path) cannot be read by this version and rests; start it anew, or use the version that "
          + "wrote it."))
  }
}

// MARK: - Opening and closing

extension SQLiteStore {
  /// Opens a database, or makes it where there is none; brings it to the present layout.
  ///
  /// `onUnreadable` hears of schedules whose rows make no sense to this version, for example because a newer one took
  /// an expression that this one refuses. Such a schedule rests, as if it were not there, until a Start replaces it or
  /// a version that can read it opens the file.
  ///
  /// Throws `locked` at once when another process owns the file, and `foreign`, `newer` or `corrupt` when it must be
  /// left alone; it then is as it was.
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

  /// Opens a database that no service holds, or a backup, only to look: the file is not changed, nothing is made beside
  /// it, and every change asked of the store throws `readOnly`.
  ///
  /// Throws `locked` when a service holds the file. While it is looked at, no service can open it, if one ever did.
  package static func inspect(
    path: String, onUnreadable: @escaping (StoreError) -> Void = { _ in }
  ) throws(StoreError) -> SQLiteStore {
    try look(path: path, accepting: [.current], onUnreadable: onUnreadable)
  }

  /// As `inspect`, for files in any of these states.
  static func look(
    path: String, accepting states: [DatabaseState], onUnreadable: @escaping (StoreError) -> Void
  ) throws(StoreError) -> SQLiteStore {
    let file = fileName(path)
    guard try fileSize(file) != nil else { throw StoreError(.other, "There is no database \(path).") }
    // A backup has no lock file, and none is made for it.
    let wasServed = try fileSize(FileLock.path(forDatabase: file)) != nil
    let lock = wasServed ? try FileLock(database: file, .shared) : nil
    return try SQLiteStore(path: path, onUnreadable: onUnreadable, lock: lock) {
      let queue = try DatabaseQueue.openUntouched(path: file)
      guard states.contains(try queue.unsafeRead { try Schema.check($0, path: path) }) else {
        throw StoreError(
          .other, "\(path) holds no schedules in the present layout; let the service open it once, then look again.")
      }
      return queue
    }
  }

  /// Writes the log back into the database file, so that it alone is the whole database, and gives the file back.
  /// Whatever is asked of the store after that fails.
  ///
  /// Throws when the log could not be written back, for want of room for example. Nothing is lost by that: the next one
  /// to open the database reads the log.
  package func close() throws(StoreError) {
    backup = nil
    leaveForeignLogAlone()
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

  /// A bare name could mean something else to SQLite: `:memory:`, `file:…`.
  private static func fileName(_ path: String) -> String {
    path.hasPrefix("/") ? path : "./" + path
  }

  /// Under another of its names than before, what a killed process left in the write-ahead log would not be seen.
  private static func requireOneName(of file: String, named path: String) throws(StoreError) {
    var status = stat()
    guard stat(file, &status) == 0, status.st_nlink > 1 else { return }
    throw StoreError(
      .misplaced,
      "\(path) has \(status.st_nlink) names (hard links), and its write-ahead log may be beside another of them; "
        + "remove the others, or start with a backup of it.")
  }

  /// Makes the file where there is none, for this user only; where there is one, looks at it without a touch.
  private static func prepareFile(_ file: String, named path: String) throws {
    guard try fileSize(file) != nil else {
      let descriptor = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw StoreError("Cannot create the database", path, errno: errno) }
      Glibc.close(descriptor)
      return
    }
    try requireOneName(of: file, named: path)
    // SQLite would open it for reading, and then call the lock that it cannot take a failure of the disk.
    guard access(file, R_OK | W_OK) == 0 else { throw StoreError("Cannot write to", path, errno: errno) }
    let queue = try DatabaseQueue.openUntouched(path: file)
    _ = try queue.unsafeRead { try Schema.check($0, path: path) }
    try queue.close()
  }
}

// MARK: - Files that are taken away

extension SQLiteStore {
  package func checkIntact() throws(StoreError) {
    guard let files else { return }
    do throws(StoreError) {
      try files.check()
    } catch {
      throw error.kind == .misplaced ? afterCompletingDatabase(error) : error
    }
    // A lock file that was swept away keeps nobody out any more.
    let file = Self.fileName(path)
    if lock?.isInPlace(forDatabase: file) == false { lock = try FileLock(database: file, .exclusive) }
  }

  /// Where the log alone was removed, writes back what this process still holds of it, so that nothing is lost and the service
  /// can be started again at once.
  private func afterCompletingDatabase(_ error: StoreError) -> StoreError {
    guard (try? files?.isOnlyLogMissing) == true else { return error }
    guard (try? queue.writeWithoutTransaction({ try $0.checkpoint(.truncate) })) != nil else { return error }
    return StoreError(
      .inputOutput,
      "\(path)-wal was removed while the service had it open. All that it held was written back to \(path); start the "
        + "service again.")
  }

  private func leaveForeignLogAlone() {
    if let files, !files.isLogInPlace { queue.keepLogFile() }
  }
}
