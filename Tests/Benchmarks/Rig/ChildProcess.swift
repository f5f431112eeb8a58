import Foundation
import Synchronization

/// A program that runs for a measurement. Its output goes to a file; it ends with this process.
final class ChildProcess {
  private let process = Process()
  private let name: String
  private let output: URL

  var processID: Int32 { process.processIdentifier }

  /// - Parameter folder: where its output goes, in a file named after it.
  init(
    _ name: String, _ program: URL, _ arguments: [String], environment: [String: String]? = nil, folder: URL
  ) throws {
    self.name = name
    output = folder.appending(path: "\(name).log")
    try Data().write(to: output)
    let file = try FileHandle(forWritingTo: output)
    process.executableURL = program
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = file
    process.standardError = file
    try process.run()
    Self.running.withLock { _ = $0.insert(process.processIdentifier) }
  }

  deinit { kill() }

  /// Its output so far.
  var printed: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  /// Waits until its output contains a text.
  func wait(for text: String, atMost seconds: Double) throws {
    let came = try WallClock.wait(atMost: seconds) {
      if printed.contains(text) { return true }
      if !process.isRunning { throw BenchError("\(name) ended: \(lastLines)") }
      return false
    }
    if !came { throw BenchError("\(name) did not say \(text) within \(seconds) s: \(lastLines)") }
  }

  /// Waits until it ends, and returns the last line it printed.
  func lastLine(atMost seconds: Double) throws -> String {
    guard WallClock.wait(atMost: seconds, for: { !process.isRunning }) else {
      throw BenchError("\(name) did not end within \(seconds) s: \(lastLines)")
    }
    forget()
    guard process.terminationStatus == 0 else {
      throw BenchError("\(name) ended with \(process.terminationStatus): \(lastLines)")
    }
    return printed.split(separator: "\n").last.map(String.init) ?? ""
  }

  /// Asks it to end; `lastLine` waits for that.
  func terminate() { process.terminate() }

  func kill() {
    guard process.isRunning else { return }
    Glibc.kill(processID, SIGKILL)
    process.waitUntilExit()
    forget()
  }

  private var lastLines: String { printed.split(separator: "\n").suffix(5).joined(separator: "\n") }

  private func forget() { Self.running.withLock { _ = $0.remove(process.processIdentifier) } }

  // MARK: Signals

  private static let running = Mutex<Set<Int32>>([])

  /// On Ctrl-C and SIGTERM ends the running programs, then this process.
  static func endAllOnSignal() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        running.withLock { for process in $0 { Glibc.kill(process, SIGKILL) } }
        exit(128 + number)
      }
      source.resume()
      return source
    }
  }
}
