import Foundation

/// Debian's Python, which runs examples of the documents and checks of descriptions.
enum Python {
  private static let path = "/usr/bin/python3"

  /// Whether these modules are installed.
  static func has(_ modules: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = ["-c", "import \(modules)"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  static func run(
    _ file: URL, _ arguments: [String] = [], environment: [String: String] = [:]
  ) async throws -> (code: Int32, output: String, complaint: String) {
    try await Program.run(path, [file.path()] + arguments, environment: environment)
  }
}
