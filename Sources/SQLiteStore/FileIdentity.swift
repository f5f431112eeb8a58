import Glibc
package import Scheduling

/// Which file it is, whatever name or link leads to it.
package struct FileIdentity: Hashable, Sendable {
  package var device: UInt64
  package var inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }

  /// The file to which a path leads, over symbolic links; nil where there is none. Opens nothing: to close a descriptor of a
  /// database would drop SQLite's locks on it.
  package static func of(_ path: String) throws(StoreError) -> FileIdentity? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else { throw StoreError("Cannot look at", path, errno: errno) }
      return nil
    }
    return FileIdentity(status)
  }
}

/// The names of the files that belong to a database: beside the one to which symbolic links lead, and beside the link.
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

/// The files of an open database, known by what they are: a file that was removed, moved or replaced is still written, but
/// nobody finds it again.
struct DatabaseFiles {
  private let path: String
  private let database: FileIdentity
  private let log: (path: String, identity: FileIdentity)

  /// - Parameters:
  ///   - path: the name under which the database was opened.
  ///   - logPath: that of its write-ahead log.
  init(path: String, logPath: String) throws(StoreError) {
    guard let database = try FileIdentity.of(path), let log = try FileIdentity.of(logPath) else {
      throw StoreError(.misplaced, "\(path) was removed while it was being opened.")
    }
    (self.path, self.database, self.log) = (path, database, (logPath, log))
  }

  /// Throws `misplaced` when the database or its log is not where it was. Takes two microseconds.
  func check() throws(StoreError) {
    try Self.expect(database, at: path, "put the right one (or a backup) in its place")
    try Self.expect(log.identity, at: log.path, "see what is there now and remove it")
  }

  /// Whether the log, and nothing else, was removed: with what the process still holds of it, the database can be completed.
  var isOnlyLogMissing: Bool {
    get throws(StoreError) {
      let found = (try FileIdentity.of(path), try FileIdentity.of(log.path))
      return found.0 == database && found.1 == nil
    }
  }

  /// Whether the name of the log is still that of ours. SQLite would remove at the end whatever has that name.
  var isLogInPlace: Bool { (try? FileIdentity.of(log.path)) == log.identity }

  private static func expect(_ identity: FileIdentity, at path: String, _ advice: String) throws(StoreError) {
    let found = try FileIdentity.of(path)
    guard found != identity else { return }
    let happened = found == nil ? "was removed or moved" : "was replaced by another file"
    throw StoreError(
      .misplaced,
      "\(path) \(happened) while the service had it open. Nothing is confirmed any more, since it would be lost; \(advice), "
        + "then start the service.")
  }
}
