import AdminHTTP
import Foundation
import NIOHTTP1
import SQLiteStore

/// The origin of a copy, from the headers of the response.
struct CopiedDatabase {
  var stack: String
  var path: String
  var files: Set<FileIdentity>

  /// Nil without these headers.
  init?(_ headers: HTTPHeaders) {
    guard let stack = headers.first(name: BackupHeader.stack), let files = headers.first(name: BackupHeader.files),
      let path = headers.first(name: BackupHeader.database)?.removingPercentEncoding
    else { return nil }
    self.stack = stack
    self.path = path
    self.files = Set(files.split(separator: " ").compactMap(FileIdentity.init(text:)))
  }

  var description: String { "stack \(stack), database \(path)" }

  /// Whether the path of a setting names this database.
  func isNamed(by setting: String) -> Bool {
    if let identity = try? FileIdentity.of(setting), files.contains(identity) { return true }
    // For a service on another machine only the path can be compared.
    return URL(filePath: setting).path(percentEncoded: false) == path
  }
}

extension FileIdentity {
  /// From `device:inode`.
  fileprivate init?(text: Substring) {
    let parts = text.split(separator: ":").compactMap { UInt64($0) }
    guard parts.count == 2 else { return nil }
    self.init(device: parts[0], inode: parts[1])
  }
}

/// Files that a backup must not replace: a database and its companion files. A service would continue to write to the
/// unlinked file.
struct ProtectedFiles {
  private var identities: Set<FileIdentity> = []
  /// Includes files that do not exist now, such as a write-ahead log that the next start would use.
  private var names: Set<Name> = []

  private struct Name: Hashable {
    var folder: FileIdentity
    var file: String

    init?(_ path: String) {
      let url = URL(filePath: path)
      let folder = url.deletingLastPathComponent().path(percentEncoded: false)
      guard let identity = try? FileIdentity.of(folder) else { return nil }
      self.folder = identity
      file = url.lastPathComponent
    }
  }

  mutating func add(database path: String) {
    let paths = DatabaseFileNames(of: path).paths
    identities.formUnion(paths.compactMap { try? FileIdentity.of($0) })
    names.formUnion(paths.compactMap { Name($0) })
  }

  mutating func add(_ database: CopiedDatabase) {
    add(database: database.path)
    identities.formUnion(database.files)
  }

  /// Whether a path refers to one of them, by any name or link.
  func include(_ path: String) -> Bool {
    if let identity = try? FileIdentity.of(path), identities.contains(identity) { return true }
    return Name(path).map(names.contains) ?? false
  }
}
