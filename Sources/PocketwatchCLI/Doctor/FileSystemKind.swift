import Glibc

/// The type of the file system that holds a folder, as the kernel names it.
struct FileSystemKind {
  let name: String

  /// - Parameters:
  ///   - folder: An absolute path without symbolic links.
  ///   - mounts: The content of /proc/self/mounts: device, mount point, type and more per line; later mounts cover
  ///     earlier ones.
  init?(of folder: String, mounts: String) {
    var found: (point: String, name: String)?
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let point = Self.unescaped(fields[1])
      let isAbove = point == "/" || folder == point || folder.hasPrefix(point + "/")
      if isAbove, point.utf8.count >= found?.point.utf8.count ?? 0 { found = (point, String(fields[2])) }
    }
    guard let found else { return nil }
    name = found.name
  }

  /// Undoes the kernel's octal escapes, such as `\040` for a space.
  private static func unescaped(_ word: Substring) -> String {
    String(word).replacing(#"\040"#, with: " ").replacing(#"\011"#, with: "\t").replacing(#"\134"#, with: "\\")
  }

  private var isNetwork: Bool {
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ocfs2", "gfs2", "virtiofs"]
      .contains(name) || name.hasPrefix("fuse")
  }

  func finding(_ folder: String) -> Finding {
    if isNetwork {
      return .warning(
        .database, "\(folder) is on \(name), where SQLite cannot rely on locks and syncs",
        "put the database on a local disk, and set its path in POCKETWATCH_DATABASE")
    }
    switch name {
    case "tmpfs", "ramfs":
      return .warning(
        .database, "\(folder) is on \(name), in memory: all schedules are lost when the machine stops",
        "put the database on a disk, and set its path in POCKETWATCH_DATABASE")
    case "overlay":
      return .warning(
        .database, "\(folder) is on the container's writable layer: all schedules are lost with the container",
        "mount a volume there, or set another path in POCKETWATCH_DATABASE")
    default: return .ok(.database, "\(folder) is on \(name)")
    }
  }
}

extension FileSystemKind {
  /// The content of /proc/self/mounts. Not read by Foundation, which stops after the kernel's first page, a short read.
  static var mounts: String {
    guard let file = fopen("/proc/self/mounts", "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var page = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
