import Foundation
import Testing

/// A private broker for one test, controlled through `ops/broker`, in a folder of its own.
struct PrivateBroker {
  /// A command that failed, with what it printed.
  struct Failure: Error, CustomStringConvertible {
    let command: String
    let output: String

    var description: String { "\(command) failed: \(output)" }
  }

  /// The absolute path of `ops/broker`, set by `ops/test`; nil when there is no broker to test with.
  static let script = ProcessInfo.processInfo.environment["POCKETWATCH_TEST_BROKER"]

  /// The root of the checkout, where `definitions.json` and `ops` are.
  static var root: URL {
    URL(filePath: script ?? "").deletingLastPathComponent().deletingLastPathComponent()
  }

  let folder: URL

  /// Runs `body` with a broker that was started with these options of `ops/broker start`, and leaves nothing behind.
  static func running(_ options: [String], _ body: (PrivateBroker) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "broker-\(UUID().uuidString)")
    let broker = PrivateBroker(folder: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try await broker.command("start", options)
      try await body(broker)
    } catch {
      _ = try? await broker.stop()
      throw error
    }
    try await broker.stop()
  }

  /// Kills the broker: its content is no longer needed, so a clean stop would only take time.
  private func stop() async throws {
    try await command("kill")
    try await command("stop")
  }

  /// Runs a command of `ops/broker` and returns what it printed on standard output.
  @discardableResult
  func command(_ name: String, _ arguments: [String] = []) async throws -> Data {
    try await Self.run(Self.script ?? "", [name, folder.path()] + arguments)
  }

  /// Runs `rabbitmqctl` and returns what it printed.
  @discardableResult
  func ctl(_ arguments: String...) async throws -> Data { try await ctl(arguments) }

  @discardableResult
  func ctl(_ arguments: [String]) async throws -> Data {
    try await command("ctl", ["--quiet"] + arguments)
  }

  /// The URL for a scheme from `ops/broker url`, with the administrator's login.
  func url(_ scheme: String = "amqp") async throws -> URLComponents {
    let text = String(decoding: try await command("url", [scheme]), as: UTF8.self)
    return try #require(URLComponents(string: text.trimmingCharacters(in: .newlines)))
  }

  /// Runs a program to its end without blocking a thread. Its output goes to files, which unlike pipes never fill up.
  static func run(_ program: String, _ arguments: [String]) async throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (try OutputFile(), try OutputFile())
    process.standardOutput = output.handle
    process.standardError = errors.handle
    let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
      process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { ended.resume(throwing: error) }
    }
    let (text, complaint) = (try output.read(), try errors.read())
    guard status == 0 else {
      throw Failure(
        command: ([program] + arguments).joined(separator: " "),
        output: String(decoding: text + complaint, as: UTF8.self))
    }
    return text
  }
}

/// A temporary file for the output of a program.
private struct OutputFile {
  private let url: URL
  let handle: FileHandle

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID().uuidString)")
    try Data().write(to: url)
    handle = try FileHandle(forWritingTo: url)
  }

  /// Returns the content and removes the file.
  func read() throws -> Data {
    try handle.close()
    defer { try? FileManager.default.removeItem(at: url) }
    return try Data(contentsOf: url)
  }
}
