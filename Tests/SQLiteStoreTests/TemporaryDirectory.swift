import Foundation

/// A directory for one test, gone with it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("pocketwatch-\(UUID())").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a file in it, whether there is one or not.
  func file(_ name: String) -> String { path + "/" + name }

  /// What is in it by name, but for lock files, with the bytes of each file: the same as before when nothing was touched.
  func contents() throws -> [String: Data?] {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasSuffix(".lock") }
    return Dictionary(uniqueKeysWithValues: names.map { ($0, try? Data(contentsOf: URL(fileURLWithPath: file($0)))) })
  }

  /// The names in it, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// Copies a database and its log as they are now, also while it is open: what is left of it when its owner is killed.
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
