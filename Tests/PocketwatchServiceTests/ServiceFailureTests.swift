import Foundation
import Scheduling
import Testing

@testable import PocketwatchService

/// Exit codes for supervisors.
struct ServiceFailureTests {
  @Test(arguments: [
    (StoreError.Kind.locked, ServiceFailure.Code.databaseInUse), (.inputOutput, .storageFailed),
    (.corrupt, .databaseUnusable), (.foreign, .databaseUnusable), (.newer, .databaseUnusable),
    (.misplaced, .databaseMisplaced), (.readOnly, .databaseUnavailable), (.unreachable, .databaseUnavailable),
    (.other, .databaseUnavailable),
  ])
  func atStart(kind: StoreError.Kind, code: ServiceFailure.Code) {
    #expect(ServiceFailure(atStart: StoreError(kind, "so")).code == code)
  }

  /// A restart does not repair damage.
  @Test(arguments: [
    (StoreError.Kind.inputOutput, ServiceFailure.Code.storageFailed), (.other, .storageFailed),
    (.corrupt, .databaseUnusable), (.foreign, .databaseUnusable), (.misplaced, .databaseMisplaced),
    (.locked, .databaseInUse),
  ])
  func whileRunning(kind: StoreError.Kind, code: ServiceFailure.Code) {
    #expect(ServiceFailure(whileRunning: StoreError(kind, "so")).code == code)
  }

  /// The unit restarts the service after each failure, except those that a restart would not change or could make worse.
  @Test func unitRestartsWhatMayPass() throws {
    let unit = try String(contentsOfFile: "ops/pocketwatch.service", encoding: .utf8)
    let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("RestartPreventExitStatus=") })
    let codes = line.split(separator: "=")[1].split(separator: " ").compactMap { Int32($0) }
    let kept: [ServiceFailure.Code] = [.databaseUnusable, .databaseMisplaced, .configuration]
    #expect(codes == kept.map(\.rawValue))
  }
}
