import Foundation

/// A directory for one test, removed with it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("pocketwatch-\(UUID())").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in it, which need not exist.
  func file(_ name: String) -> String { path + "/" + name }

  /// Its files by name, with their content, without lock files. For comparisons.
  func contents() throws -> [String: Data?] {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasSuffix(".lock") }
    return Dictionary(uniqueKeysWithValues: names.map { ($0, try? Data(contentsOf: URL(fileURLWithPath: file($0)))) })
  }

  /// The names in it, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// Copies a database and its log, also while it is open: the state that a killed process leaves.
  func copy(_ name: String, to newName: String) throws -> String {
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: file(name) + suffix) {
      try FileManager.default.copyItem(atPath: file(name) + suffix, toPath: file(newName) + suffix)
    }
    return file(newName)
  }

  func permissions(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
  }
}
