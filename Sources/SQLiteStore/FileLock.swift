import Glibc
import Scheduling

/// The right to use a database, held by one process at a time: a lock on a small file of its own beside the database.
///
/// Not on the database itself, because POSIX drops SQLite's locks on a file as soon as the process closes any
/// descriptor of it. The kernel gives the lock back however the process ends; the file stays, since removing it could
/// let two processes hold a lock each.
final class FileLock {
  enum Mode {
    /// Alone; the lock file is made if it is missing.
    case exclusive
    /// Beside others who only read.
    case shared
  }

  private let descriptor: Int32

  /// Where the lock file of a database stands.
  static func path(forDatabase database: String) -> String { database + ".lock" }

  /// Takes the lock at once or not at all.
  init(database: String, _ mode: Mode) throws(StoreError) {
    let path = Self.path(forDatabase: database)
    let flags = mode == .exclusive ? O_RDWR | O_CREAT : O_RDONLY
    let descriptor = open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let code = errno
      guard code != ENOENT else {
        throw StoreError(.unreachable, "There is no directory for \(database); make it first.")
      }
      throw StoreError("Cannot open the lock file", path, errno: code)
    }
    guard flock(descriptor, (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else { throw StoreError("Cannot lock", path, errno: code) }
      throw StoreError(
        .locked, "\(database) is in use by another process, which holds the lock on \(path); end that one first.")
    }
    self.descriptor = descriptor
  }

  /// Whether the lock file is still where others look for it.
  func isInPlace(forDatabase database: String) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0
      && (try? FileIdentity.of(Self.path(forDatabase: database))) == FileIdentity(status)
  }

  deinit {
    // Closing alone would not do while a child process that was forked meanwhile, and has not executed yet, holds a copy.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
