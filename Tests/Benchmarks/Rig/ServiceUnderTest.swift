import Foundation

/// The program that is measured: a release build of `pocketwatch serve` as a user runs it.
final class ServiceUnderTest {
  private let process: ChildProcess

  var figures: ProcessFigures { ProcessFigures(processID: process.processID) }

  init(_ rig: Rig, database: URL) throws {
    process = try ChildProcess(
      "service", rig.service, ["serve"],
      environment: [
        "POCKETWATCH_AMQP_URL": rig.url, "POCKETWATCH_DATABASE": database.path(), "POCKETWATCH_LOG_FORMAT": "json",
      ], folder: rig.folder)
  }

  /// Waits until it consumes commands and publishes.
  func becomeReady() throws { try process.wait(for: #"":"ready""#, atMost: 120) }

  func stop() throws {
    process.terminate()
    _ = try process.lastLine(atMost: 30)
  }

  func kill() { process.kill() }
}
