import GRDB
import GRDBSQLite
import Glibc
import Scheduling

/// A backup of an open database in progress. Used and released by the thread that uses the database.
///
/// Made by SQLite's backup API: changes through our connection are applied to the copy as well. The copy is next to the
/// database, in a file that is unlinked as soon as it is open, so that nothing is left behind.
final class RunningBackup {
  let file: UnnamedFile
  private let path: String
  /// The connection to the copy.
  private var target: OpaquePointer?
  private var backup: OpaquePointer?

  /// The approximate duration of one step, which delays commands and ticks.
  private static let stepDuration = Duration.milliseconds(2)
  /// Pages copied between two readings of the clock.
  private static let pages: CInt = 8
  /// Disk space reserved for the service, in bytes: a write-ahead log of 16 MB, and as much again.
  private static let reserve = 32 << 20

  init(of database: Database, path: String) throws {
    self.path = path
    let size = try ["page_count", "page_size"].map { try Int.fetchOne(database, sql: "PRAGMA \($0)") ?? 0 }.reduce(1, *)
    try Self.requireSpace(for: size, beside: path)
    let (file, name) = try UnnamedFile.make(beside: path)
    self.file = file
    defer { unlink(name) }
    // No other process can open it, and it is discarded on failure: it needs neither locks nor a journal.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(name, &target, flags, "unix-none") == SQLITE_OK,
      sqlite3_exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nil, nil, nil) == SQLITE_OK,
      let backup = sqlite3_backup_init(target, "main", database.sqliteConnection, "main")
    else { throw failure(sqlite3_extended_errcode(target)) }
    self.backup = backup
  }

  deinit { finish() }

  /// Copies some pages. Returns true when the copy is complete.
  func advance() throws(StoreError) -> Bool {
    assert(backup != nil, "a step of a backup that is complete")
    try Self.requireSpace(for: 0, beside: path)
    let end = ContinuousClock.now + Self.stepDuration
    repeat {
      switch sqlite3_backup_step(backup, Self.pages) {
      case SQLITE_OK: continue
      case SQLITE_DONE:
        finish()
        try file.measure()
        return true
      case let code: throw failure(code)
      }
    } while ContinuousClock.now < end
    return false
  }

  private func finish() {
    sqlite3_backup_finish(backup)
    sqlite3_close(target)
    (backup, target) = (nil, nil)
  }

  private func failure(_ code: CInt) -> StoreError {
    let message = sqlite3_errstr(code).map { String(cString: $0) } ?? "no message"
    return StoreError(.other, "Cannot copy \(path) (SQLite \(code): \(message)).")
  }

  /// Throws when a copy would take space that the service needs.
  private static func requireSpace(for size: Int, beside path: String) throws(StoreError) {
    let free = try diskRoom(path).free
    guard free >= size + reserve else {
      throw StoreError(
        .full,
        "Not enough disk space for a copy next to \(path): \((size + reserve) >> 20) MiB are needed, \(free >> 20) MiB are "
          + "free."
      )
    }
  }
}

/// An unlinked file, accessible only through its descriptor.
final class UnnamedFile: BackupFile {
  private let descriptor: CInt
  private let path: String
  // Set by the thread that makes the copy, before it is passed on.
  nonisolated(unsafe) private(set) var size = 0

  private init(_ descriptor: CInt, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Creates an empty file, for this user only. The caller unlinks its name.
  static func make(beside path: String) throws(StoreError) -> (UnnamedFile, name: String) {
    let name = "\(path).backup-\(UInt64.random(in: .min ... .max))"
    let descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreError("Cannot create a file next to", path, errno: errno) }
    return (UnnamedFile(descriptor, path: path), name)
  }

  fileprivate func measure() throws(StoreError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StoreError("Cannot access the copy of", path, errno: errno) }
    size = Int(status.st_size)
  }

  func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
    var code: CInt = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let length = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
        if length < 0, errno == EINTR { continue }
        if length < 0 { code = errno }
        guard length > 0 else { return }
        filled += length
      }
    }
    guard code == 0 else { throw StoreError("Cannot read the copy of", path, errno: code) }
    return bytes
  }
}
