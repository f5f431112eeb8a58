import GRDB
import Glibc
import Scheduling

extension StoreError {
  /// Converts an error of SQLite, GRDB or our own.
  ///
  /// - Parameter systemCode: The `errno` of the failed system call; 0 if unknown.
  init(_ error: any Error, database path: String, systemCode: Int32 = 0) {
    switch error {
    case let error as StoreError: self = error
    case let error as DatabaseError: self.init(error, database: path, systemCode)
    // The type only: the text might contain stored data.
    default: self.init(.other, "The database \(path) failed unexpectedly (\(type(of: error))).")
    }
  }

  private init(_ error: DatabaseError, database path: String, _ systemCode: Int32) {
    // SQLite's messages contain names of tables and columns, never values. GRDB's description would add the statement.
    let cause = "(SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message"))"
    switch error.resultCode {
    case .SQLITE_FULL:
      self.init(
        .full, "The disk of \(path) is full; free some space, and the service continues automatically \(cause).")
    // SQLite reports only ENOSPC as a full disk. After a failed sync it is unknown what was written, whatever the reason.
    case .SQLITE_IOERR where systemCode == EDQUOT && error.extendedResultCode == .SQLITE_IOERR_WRITE:
      self.init(
        .full,
        "The disk quota for \(path) is exhausted; raise it or free some space, and the service continues automatically "
          + "\(cause).")
    case .SQLITE_READONLY, .SQLITE_PERM:
      self.init(.readOnly, "\(path) cannot be written; make the file and its directory writable \(cause).")
    case .SQLITE_IOERR:
      self.init(
        .inputOutput, "The disk of \(path) failed; check the kernel log, then start the service again \(cause).")
    case .SQLITE_CORRUPT:
      self.init(.corrupt, "\(path) is damaged; keep a copy of it and restore a backup \(cause).")
    case .SQLITE_NOTADB:
      self.init(
        .foreign, "\(path) is not an SQLite database, or its header is damaged; name another file \(cause).")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.locked, "\(path) is in use by another process; stop that process first \(cause).")
    case .SQLITE_CANTOPEN:
      self.init(
        .unreachable, "\(path) cannot be opened; check that it is a file this user may read and write \(cause).")
    default:
      self.init(.other, "The database \(path) failed \(cause).")
    }
  }

  /// Converts the `errno` of a failed system call on a file.
  init(_ action: String, _ path: String, errno code: Int32) {
    let kind: Kind =
      switch code {
      case ENOSPC, EDQUOT: .full
      case EACCES, EPERM, EROFS: .readOnly
      case EIO: .inputOutput
      case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENODEV, ENXIO, ESTALE, ETIMEDOUT: .unreachable
      default: .other
      }
    self.init(kind, "\(action) \(path): \(String(cString: strerror(code))).")
  }
}
