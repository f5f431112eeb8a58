import Glibc
package import Scheduling

/// The identity of a file, independent of its names and links.
package struct FileIdentity: Hashable, Sendable {
  package var device: UInt64
  package var inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }

  /// The file at a path, following symbolic links; nil if there is none. Does not open it: closing a descriptor of a database
  /// would release SQLite's locks on it.
  package static func of(_ path: String) throws(StoreError) -> FileIdentity? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else { throw StoreError("Cannot access", path, errno: errno) }
      return nil
    }
    return FileIdentity(status)
  }
}

/// The paths of the files that belong to a database, next to the database itself and next to a symbolic link to it.
package struct DatabaseFileNames: Sendable {
  package let paths: [String]

  package init(of path: String) {
    var bases = [path]
    if let resolved = realpath(path, nil) {
      defer { free(resolved) }
      bases.append(String(cString: resolved))
    }
    paths = bases.flatMap { base in ["", "-wal", "-shm", "-journal", ".lock", ".token"].map { base + $0 } }
  }
}

/// The files of an open database, by identity. A file that was removed, moved or replaced can still be written, but its content
/// is lost.
struct DatabaseFiles {
  private let path: String
  private let database: FileIdentity
  private let log: (path: String, identity: FileIdentity)

  /// - Parameters:
  ///   - path: The path under which the database was opened.
  ///   - logPath: The path of its write-ahead log.
  init(path: String, logPath: String) throws(StoreError) {
    guard let database = try FileIdentity.of(path), let log = try FileIdentity.of(logPath) else {
      throw StoreError(.misplaced, "\(path) was removed while it was being opened.")
    }
    (self.path, self.database, self.log) = (path, database, (logPath, log))
  }

  /// Throws `misplaced` if the database or its log was removed, moved or replaced. Takes two microseconds.
  func check() throws(StoreError) {
    try Self.expect(database, at: path, "restore it (or a backup)")
    try Self.expect(log.identity, at: log.path, "check what is there now and remove it")
  }

  /// Whether only the log was removed. The process still has it open and can write it back to the database.
  var isOnlyLogMissing: Bool {
    get throws(StoreError) {
      let found = (try FileIdentity.of(path), try FileIdentity.of(log.path))
      return found.0 == database && found.1 == nil
    }
  }

  /// Whether the log's path still leads to our log. On close SQLite would delete any file at that path.
  var isLogInPlace: Bool { (try? FileIdentity.of(log.path)) == log.identity }

  private static func expect(_ identity: FileIdentity, at path: String, _ advice: String) throws(StoreError) {
    let found = try FileIdentity.of(path)
    guard found != identity else { return }
    let change = found == nil ? "was removed or moved" : "was replaced by another file"
    throw StoreError(
      .misplaced,
      "\(path) \(change) while the service had it open. The service stopped, because further changes would be lost; "
        + "\(advice), then start the service.")
  }
}
