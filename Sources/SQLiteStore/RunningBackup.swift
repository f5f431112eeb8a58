import GRDB
import GRDBSQLite
import Glibc
import Scheduling

/// A copy that is being made of an open database. To be used, and let go of, by the thread that uses the database.
///
/// SQLite's own backup does it: what the one connection changes meanwhile is changed in the copy too. The copy is made
/// beside the database, where there is room for it, in a file that loses its name as soon as it is open: whatever
/// happens, nothing is left.
final class RunningBackup {
  let file: UnnamedFile
  private let path: String
  /// The connection to the copy.
  private var target: OpaquePointer?
  private var backup: OpaquePointer?

  /// How long one step takes, a little more at most: so long commands and ticks wait for it.
  private static let stepDuration = Duration.milliseconds(2)
  /// Pages between two looks at the clock.
  private static let pages: CInt = 8
  /// What is left to the service on its disk, in bytes: a write-ahead log of 16 MB, and some to go on with.
  private static let reserve = 32 << 20

  init(of database: Database, path: String) throws {
    self.path = path
    let size = try ["page_count", "page_size"].map { try Int.fetchOne(database, sql: "PRAGMA \($0)") ?? 0 }.reduce(1, *)
    try Self.requireRoom(for: size, beside: path)
    let (file, name) = try UnnamedFile.make(beside: path)
    self.file = file
    defer { unlink(name) }
    // Nobody else can open it, and it is thrown away when anything fails: neither locks nor a journal.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(name, &target, flags, "unix-none") == SQLITE_OK,
      sqlite3_exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nil, nil, nil) == SQLITE_OK,
      let backup = sqlite3_backup_init(target, "main", database.sqliteConnection, "main")
    else { throw failure(sqlite3_extended_errcode(target)) }
    self.backup = backup
  }

  deinit { finish() }

  /// Copies some pages; true when the copy is whole.
  func advance() throws(StoreError) -> Bool {
    try Self.requireRoom(for: 0, beside: path)
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
    return StoreError(.other, "A copy of \(path) could not be made (SQLite \(code): \(message)).")
  }

  /// Throws when a copy would take the room that the service itself needs.
  private static func requireRoom(for size: Int, beside path: String) throws(StoreError) {
    let free = try diskRoom(path).free
    guard free >= size + reserve else {
      throw StoreError(
        .full,
        "There is no room for a copy beside \(path): \((size + reserve) >> 20) MiB have to be free, \(free >> 20) MiB"
          + " are."
      )
    }
  }
}

/// A file that only those who hold it can reach.
final class UnnamedFile: BackupFile {
  private let descriptor: CInt
  private let path: String
  // Set by the thread that makes the copy, before anybody else gets it.
  nonisolated(unsafe) private(set) var size = 0

  private init(_ descriptor: CInt, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Makes an empty one, for this user only. Its name is to be removed as soon as it is open.
  static func make(beside path: String) throws(StoreError) -> (UnnamedFile, name: String) {
    let name = "\(path).backup-\(UInt64.random(in: .min ... .max))"
    let descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreError("Cannot make a file beside", path, errno: errno) }
    return (UnnamedFile(descriptor, path: path), name)
  }

  fileprivate func measure() throws(StoreError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StoreError("Cannot look at the copy of", path, errno: errno) }
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
