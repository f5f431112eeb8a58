import Glibc

/// The kind of file system that a folder is on, as the kernel calls it.
struct FileSystemKind {
  let name: String

  /// - Parameters:
  ///   - folder: An absolute path without links.
  /// - mounts: The text of /proc/self/mounts: device, mount point, kind and more on each line, later ones above
  /// earlier.
  init?(of folder: String, mounts: String) {
    var found: (point: String, name: String)?
    for line in mounts.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2 else { continue }
      let point = Self.unescaped(words[1])
      let isAbove = point == "/" || folder == point || folder.hasPrefix(point + "/")
      if isAbove, point.utf8.count >= found?.point.utf8.count ?? 0 { found = (point, String(words[2])) }
    }
    guard let found else { return nil }
    name = found.name
  }

  /// The kernel writes a space as `\040`.
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
        .database, "\(folder) is on \(name), whose locks and syncs SQLite cannot rely on",
        "put the database on a local disk, and say where in POCKETWATCH_DATABASE")
    }
    switch name {
    case "tmpfs", "ramfs":
      return .warning(
        .database, "\(folder) is on \(name), in memory: all schedules are gone when the machine stops",
        "put the database on a disk, and say where in POCKETWATCH_DATABASE")
    case "overlay":
      return .warning(
        .database, "\(folder) is on the layer of a container: all schedules go with it",
        "mount a volume there, or name another place in POCKETWATCH_DATABASE")
    default: return .ok(.database, "\(folder) is on \(name)")
    }
  }
}

extension FileSystemKind {
  /// The text of /proc/self/mounts, to its end: Foundation takes the kernel's first page, which is a short read, for all.
  static var mounts: String {
    guard let file = fopen("/proc/self/mounts", "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var page = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
