import Glibc
import Scheduling

/// A lock that lets one process at a time use a database: flock(2) on a separate file next to the database.
///
/// Not on the database itself, because POSIX releases SQLite's locks on a file when the process closes any descriptor of it. The
/// kernel releases the lock however the process ends. The file is not removed: otherwise two processes could each hold a lock.
final class FileLock {
  enum Mode {
    /// Creates the lock file if it is missing.
    case exclusive
    /// For readers.
    case shared
  }

  private let descriptor: Int32

  /// The path of the lock file of a database.
  static func path(forDatabase database: String) -> String { database + ".lock" }

  /// Takes the lock, or throws `locked` at once if another process holds it.
  init(database: String, _ mode: Mode) throws(StoreError) {
    let path = Self.path(forDatabase: database)
    let flags = mode == .exclusive ? O_RDWR | O_CREAT : O_RDONLY
    let descriptor = open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let code = errno
      guard code != ENOENT else {
        throw StoreError(.unreachable, "The directory of \(database) does not exist; create it first.")
      }
      throw StoreError("Cannot open the lock file", path, errno: code)
    }
    guard flock(descriptor, (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else { throw StoreError("Cannot lock", path, errno: code) }
      throw StoreError(
        .locked, "\(database) is in use by another process, which holds the lock on \(path); stop that process first.")
    }
    self.descriptor = descriptor
  }

  /// Whether the lock file is still at its path.
  func isInPlace(forDatabase database: String) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0
      && (try? FileIdentity.of(Self.path(forDatabase: database))) == FileIdentity(status)
  }

  deinit {
    // Closing alone is not enough while a forked child that has not called exec yet holds a copy of the descriptor.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
