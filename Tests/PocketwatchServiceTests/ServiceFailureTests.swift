import Foundation
import Scheduling
import Testing

@testable import PocketwatchService

/// The exit codes that a supervisor acts on.
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

  /// Another start would find what is damaged as it is.
  @Test(arguments: [
    (StoreError.Kind.inputOutput, ServiceFailure.Code.storageFailed), (.other, .storageFailed),
    (.corrupt, .databaseUnusable), (.foreign, .databaseUnusable), (.misplaced, .databaseMisplaced),
    (.locked, .databaseInUse),
  ])
  func whileRunning(kind: StoreError.Kind, code: ServiceFailure.Code) {
    #expect(ServiceFailure(whileRunning: StoreError(kind, "so")).code == code)
  }

  /// The unit starts the service again after each failure but those that another start could make worse, or cannot change.
  @Test func unitRestartsWhatMayPass() throws {
    let unit = try String(contentsOfFile: "ops/pocketwatch.service", encoding: .utf8)
    let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("RestartPreventExitStatus=") })
    let codes = line.split(separator: "=")[1].split(separator: " ").compactMap { Int32($0) }
    let kept: [ServiceFailure.Code] = [.databaseUnusable, .databaseMisplaced, .configuration]
    #expect(codes == kept.map(\.rawValue))
  }
}
