import Foundation
import Glibc
import PocketwatchService
import SQLiteStore
import Scheduling

/// Checks the database: owner, access, integrity, free space and file system.
struct DatabaseCheck {
  enum State {
    /// It does not exist yet.
    case absent
    /// No service holds it.
    case free
    /// A service holds it.
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
    let resolved = realpath(folder, nil).map { pointer in
      defer { free(pointer) }
      return String(cString: pointer)
    }
    if let kind = FileSystemKind(of: resolved ?? folder, mounts: mounts) { findings.append(kind.finding(folder)) }
  }

  private mutating func checkAbsent() {
    guard access(folder, F_OK | X_OK) == 0 else {
      findings.append(
        .error(
          .database, "the folder \(folder) of the database is missing, or not accessible to this user",
          "mkdir -p \(shellWord(folder)), or set another path in \(Setting.database.environmentVariable)"))
      return
    }
    if access(folder, W_OK | X_OK) == 0 {
      findings.append(.ok(.database, "\(path) does not exist yet; the first start creates it"))
    } else {
      noteUnwritable(folder, errno)
    }
  }

  private mutating func checkAccess(_ attributes: [FileAttributeKey: Any]) {
    for path in [path, folder] where access(path, R_OK | W_OK) != 0 { noteUnwritable(path, errno) }
    if (attributes[.posixPermissions] as? Int ?? 0) & 0o077 != 0 {
      findings.append(
        .warning(
          .database, "\(path), with all payloads, is accessible to other users of this machine",
          "chmod 600 \(shellWord(path))"
        ))
    }
    if let owner = attributes[.ownerAccountID] as? Int, owner != Int(geteuid()) {
      // Expected when root checks a service that has its own user.
      let message = "\(path) is owned by user \(owner), and this is user \(geteuid())"
      findings.append(
        geteuid() == 0
          ? .ok(.database, message)
          : .error(.database, message, "run as that user, or chown \(geteuid()) \(shellWord(path))"))
    }
  }

  private mutating func noteUnwritable(_ path: String, _ code: Int32) {
    findings.append(
      .error(
        .database, "\(path) cannot be written: \(String(cString: strerror(code)))",
        code == EROFS
          ? "remount its file system read-write; if the kernel made it read-only, the kernel log (dmesg) has the reason"
          : "chown \(geteuid()) \(shellWord(path)), or run as its owner"))
  }

  private mutating func checkContent() {
    do throws(StoreError) {
      let count = try SQLiteStore.examine(path: path)
      state = .free
      findings.append(.ok(.database, "\(path) is intact: \(count) schedules; not in use"))
    } catch {
      state = error.kind == .locked ? .held : .unusable
      findings.append(finding(of: error))
    }
  }

  private func finding(of error: StoreError) -> Finding {
    switch error.kind {
    case .locked: .ok(.database, "\(path) is in use by a service; integrity not checked")
    case .foreign:
      .error(.database, error.description, "set another path in \(Setting.database.environmentVariable)")
    case .newer: .error(.database, error.description, "install the version that wrote it")
    case .corrupt:
      .error(
        .database, error.description,
        "with the service stopped: mv \(shellWord(path)) \(shellWord(path + ".damaged")), then restore a backup")
    default:
      .error(.database, error.description, "the message names the cause; the kernel log (dmesg) shows disk failures")
    }
  }

  private mutating func checkSpace(size: Int) {
    guard let free = try? diskRoom(access(path, F_OK) == 0 ? path : folder).free else { return }
    findings.append(Self.space(free: free, size: size, folder: folder))
  }

  /// The write-ahead log takes up to 16 MB next to the file, and a backup makes a copy there.
  static func space(free: Int, size: Int, folder: String) -> Finding {
    let message = "\(free >> 20) MiB free on the file system of \(folder)"
    if free < 32 << 20 {
      return .error(.database, message + ", too little for the service", "free space: df \(shellWord(folder))")
    }
    if free < size + 32 << 20 {
      return .warning(.database, message + ", too little for a backup", "free space: df \(shellWord(folder))")
    }
    return .ok(.database, message)
  }
}
