import Foundation

/// A temporary folder, removed with its test.
final class TestFolder {
  private let url = FileManager.default.temporaryDirectory.appending(path: "admin-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path() }

  func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: url.appending(path: name), options: .atomic)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
  }

  func read(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

  func mode(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path(name))[.posixPermissions] as? Int
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path())) ?? [] }
}
