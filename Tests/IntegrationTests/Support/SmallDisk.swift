import Foundation
import Glibc
import Testing

/// A file system of a few megabytes in memory, removed with the value. Only root can create one.
final class SmallDisk {
  static let canBeMade = (try? SmallDisk(megabytes: 1)) != nil
  static let needsRoot: Comment = "needs the right to mount a tmpfs"

  let folder: URL
  private let size: String
  private var ballast: URL { folder.appending(path: "ballast") }

  init(megabytes: Int) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString)")
    size = "size=\(megabytes)m"
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    guard mount("tmpfs", folder.path(), "tmpfs", 0, size) == 0 else {
      let reason = String(cString: strerror(errno))
      try? FileManager.default.removeItem(at: folder)
      throw Unexpected("no small disk: \(reason)")
    }
  }

  deinit {
    umount2(folder.path(), Int32(MNT_DETACH))
    try? FileManager.default.removeItem(at: folder)
  }

  /// Fills the disk.
  func fill() throws {
    try Data().write(to: ballast)
    let handle = try FileHandle(forWritingTo: ballast)
    while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
    try handle.close()
  }

  /// Frees the room that `fill` took.
  func makeRoom() throws { try FileManager.default.removeItem(at: ballast) }

  /// Forbids or allows writing, which the kernel does not do while a file on it is open for writing.
  func set(isReadOnly: Bool) throws {
    let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
    guard mount("tmpfs", folder.path(), "tmpfs", flags, size) == 0 else {
      throw Unexpected("no remount: \(String(cString: strerror(errno)))")
    }
  }
}
