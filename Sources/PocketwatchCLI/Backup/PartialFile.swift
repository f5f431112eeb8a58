import Glibc

/// A file with mode 0600 that is removed unless it is finished.
final class PartialFile {
  private let path: String
  private let descriptor: CInt
  /// Bytes written so far.
  private(set) var size = 0
  private var isFinished = false

  /// Replaces a file that an earlier attempt left behind.
  init(_ path: String) throws(BackupError) {
    self.path = path
    unlink(path)
    descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw BackupError(writing: path, errno) }
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(path) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw BackupError(writing: path, errno) }
      written += count
    }
    size += written
  }

  /// Syncs the file and keeps it.
  func finish() throws(BackupError) {
    guard fsync(descriptor) == 0 else { throw BackupError(writing: path, errno) }
    isFinished = true
  }

  /// Throws if no file could be created there, with that path in the message. Creates none.
  static func check(_ path: String) throws(BackupError) {
    guard access(folder(of: path), W_OK | X_OK) == 0 else { throw BackupError(writing: path, errno) }
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// Syncs the folder of a file, and so its name.
  static func syncFolder(of path: String) throws(BackupError) {
    let folder = folder(of: path)
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw BackupError(writing: folder, errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw BackupError(writing: folder, errno) }
  }
}
