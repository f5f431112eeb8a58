import Glibc

/// The zone files of the operating system, in `$TZDIR` or else in `/usr/share/zoneinfo`.
package struct SystemZoneFiles: ZoneFiles {
  package let folder: String

  /// In bytes. Zone files have a few KiB; `tzdata.zi`, the text form of all zones, about 110.
  private static let longestFile = 1 << 20

  /// - Parameter folder: Nil for the system's.
  package init(folder: String? = nil) {
    let variable = getenv("TZDIR").map { String(cString: $0) } ?? ""
    self.folder = folder ?? (variable.isEmpty ? "/usr/share/zoneinfo" : variable)
  }

  package func read(_ path: String) throws(ZoneFileError) -> ZoneFile {
    // O_NONBLOCK: opening a pipe would otherwise wait for a writer.
    let descriptor = open(try resolve(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.error(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.error(errno) }
    let stamp = try Self.stamp(status)
    return ZoneFile(bytes: try Self.bytes(of: descriptor, count: Int(stamp.size)), stamp: stamp)
  }

  package func stamp(of path: String) throws(ZoneFileError) -> ZoneFileStamp {
    var status = stat()
    guard stat(try resolve(path), &status) == 0 else { throw Self.error(errno) }
    return try Self.stamp(status)
  }

  private static func bytes(of descriptor: CInt, count: Int) throws(ZoneFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let length = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, count - filled) }
      if length < 0, errno == EINTR { continue }
      guard length >= 0 else { throw error(errno) }
      guard length > 0 else { throw .unreadable("it was truncated while it was read") }
      filled += length
    }
    return bytes
  }

  /// The path without symbolic links. It must be inside the folder.
  private func resolve(_ path: String) throws(ZoneFileError) -> String {
    // A missing folder is not the same as one missing zone.
    guard let root = try? Self.realPath(folder) else {
      throw .unreadable("the folder \(folder) is missing; install tzdata")
    }
    let resolved = try Self.realPath("\(folder)/\(path)")
    guard resolved.utf8.starts(with: "\(root)/".utf8) else { throw .absent }
    return resolved
  }

  private static func realPath(_ path: String) throws(ZoneFileError) -> String {
    guard let resolved = realpath(path, nil) else { throw error(errno) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func stamp(_ status: stat) throws(ZoneFileError) -> ZoneFileStamp {
    guard status.st_mode & S_IFMT == S_IFREG else { throw .absent }
    guard 0...longestFile ~= Int(status.st_size) else { throw .unreadable("it is too large") }
    return ZoneFileStamp(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      modifiedNanoseconds: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
  }

  private static func error(_ code: CInt) -> ZoneFileError {
    switch code {
    case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG: .absent
    default: .unreadable(String(cString: strerror(code)))
    }
  }
}
