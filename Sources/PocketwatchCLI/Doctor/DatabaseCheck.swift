import Foundation
import Glibc
import PocketwatchService
import SQLiteStore
import Scheduling

/// The database: whose it is, whether it can be written, what it stands on, and whether it is whole.
struct DatabaseCheck {
  enum State {
    /// There is none yet.
    case absent
    /// Nobody holds it.
    case free
    /// A service does.
    case held
    case unusable
  }

  let path: String
  private(set) var state = State.absent
  private(set) var findings: [Finding] = []

  private var folder: String {
    let folder = (path as NSString).deletingLastPathComponent
    return folder.isEmpty ? "." : folder
  }

  init(path: String, mounts: String = FileSystemKind.mounts) {
    self.path = path
    let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
    if let attributes {
      checkAccess(attributes)
      checkContent()
    } else {
      checkAbsent()
    }
    checkSpace(size: attributes?[.size] as? Int ?? 0)
    let place = realpath(folder, nil).map { pointer in
      defer { free(pointer) }
      return String(cString: pointer)
    }
    if let kind = FileSystemKind(of: place ?? folder, mounts: mounts) { findings.append(kind.finding(folder)) }
  }

  private mutating func checkAbsent() {
    guard access(folder, F_OK | X_OK) == 0 else {
      findings.append(
        .error(
          .database, "the folder \(folder) of the database is not there, or closed to this user",
          "mkdir -p \(shellWord(folder)), or name another file in \(Setting.database.environmentVariable)"))
      return
    }
    if access(folder, W_OK | X_OK) == 0 {
      findings.append(.ok(.database, "\(path) is not there yet; the first start makes it"))
    } else {
      noteUnwritable(folder, errno)
    }
  }

  private mutating func checkAccess(_ attributes: [FileAttributeKey: Any]) {
    for place in [path, folder] where access(place, R_OK | W_OK) != 0 { noteUnwritable(place, errno) }
    if (attributes[.posixPermissions] as? Int ?? 0) & 0o077 != 0 {
      findings.append(
        .warning(
          .database, "\(path) is open to other users of this machine, with all payloads", "chmod 600 \(shellWord(path))"
        ))
    }
    if let owner = attributes[.ownerAccountID] as? Int, owner != Int(geteuid()) {
      // Root looks at the files of a service that has a user of its own: that is as it should be.
      let words = "\(path) belongs to user \(owner), and this is user \(geteuid())"
      findings.append(
        geteuid() == 0
          ? .ok(.database, words)
          : .error(.database, words, "run as that user, or chown \(geteuid()) \(shellWord(path))"))
    }
  }

  private mutating func noteUnwritable(_ place: String, _ code: Int32) {
    findings.append(
      .error(
        .database, "\(place) cannot be written: \(String(cString: strerror(code)))",
        code == EROFS
          ? "mount its disk for writing; if the kernel turned it read-only, its log (dmesg) says why"
          : "chown \(geteuid()) \(shellWord(place)), or run as the user that it belongs to"))
  }

  private mutating func checkContent() {
    do throws(StoreError) {
      let count = try SQLiteStore.examine(path: path)
      state = .free
      findings.append(.ok(.database, "\(path) is whole: \(count) schedules; no service holds it"))
    } catch {
      state = error.kind == .locked ? .held : .unusable
      findings.append(finding(of: error))
    }
  }

  private func finding(of error: StoreError) -> Finding {
    switch error.kind {
    case .locked: .ok(.database, "\(path) is held by a service, and so not examined")
    case .foreign:
      .error(.database, error.description, "name another file in \(Setting.database.environmentVariable)")
    case .newer: .error(.database, error.description, "install the version that wrote it")
    case .corrupt:
      .error(
        .database, error.description,
        "with the service stopped: mv \(shellWord(path)) \(shellWord(path + ".damaged")), put a backup in its place")
    default:
      .error(.database, error.description, "see what is said; the kernel's log (dmesg) tells of a disk that fails")
    }
  }

  private mutating func checkSpace(size: Int) {
    guard let free = try? diskRoom(access(path, F_OK) == 0 ? path : folder).free else { return }
    findings.append(Self.space(free: free, size: size, folder: folder))
  }

  /// A write-ahead log of 16 MB stands beside the file, and a backup makes a copy there.
  static func space(free: Int, size: Int, folder: String) -> Finding {
    let words = "\(free >> 20) MiB are free on the disk of \(folder)"
    if free < 32 << 20 {
      return .error(.database, words + ", too few to work with", "make room: df \(shellWord(folder))")
    }
    if free < size + 32 << 20 {
      return .warning(.database, words + ", too few for a backup's copy", "make room: df \(shellWord(folder))")
    }
    return .ok(.database, words)
  }
}
