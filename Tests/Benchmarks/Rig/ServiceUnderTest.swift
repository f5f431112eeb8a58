import Foundation

/// The measured program: a release build of `pocketwatch serve` as a user runs it.
final class ServiceUnderTest {
  private let process: ChildProcess
  private let database: URL

  var figures: ProcessFigures { ProcessFigures(processID: process.processID) }

  init(_ rig: Rig, database: URL, servesPages: Bool = true) throws {
    self.database = database
    process = try ChildProcess(
      "service", rig.service, ["serve"],
      environment: [
        "POCKETWATCH_AMQP_URL": rig.url, "POCKETWATCH_DATABASE": database.path(), "POCKETWATCH_LOG_FORMAT": "json",
        "POCKETWATCH_HTTP": servesPages ? "127.0.0.1:0" : "off",
      ], folder: rig.folder)
  }

  /// The address of its pages; the system chose the port.
  var port: Int {
    get throws {
      guard let port = process.printed.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)/).flatMap({ Int($0.1) }) else {
        throw BenchError("the service does not report the address of its pages")
      }
      return port
    }
  }

  /// The header that its pages require, from the token file that it made.
  var token: String {
    get throws {
      try String(contentsOfFile: database.path() + ".token", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  /// Waits until it consumes commands and publishes.
  func becomeReady() throws { try process.wait(for: #"":"ready""#, atMost: 120) }

  /// Waits until its work after a start, which is proportional to the database, is done: until it is idle.
  func settle() throws {
    let isIdle = try WallClock.wait(atMost: 1200) {
      let before = try figures.processorSeconds()
      usleep(1_000_000)
      return try figures.processorSeconds() - before < 0.05
    }
    if !isIdle { throw BenchError("the service does not become idle") }
  }

  func stop() throws {
    process.terminate()
    _ = try process.lastLine(atMost: 30)
  }

  func kill() { process.kill() }
}
