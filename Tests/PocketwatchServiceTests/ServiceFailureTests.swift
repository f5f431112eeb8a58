import Scheduling
import Testing

@testable import PocketwatchService

/// The exit codes that a supervisor acts on.
struct ServiceFailureTests {
  @Test(arguments: [
    (StoreError.Kind.locked, ServiceFailure.Code.databaseInUse), (.inputOutput, .storageFailed),
    (.readOnly, .databaseUnusable), (.corrupt, .databaseUnusable), (.foreign, .databaseUnusable),
    (.newer, .databaseUnusable), (.other, .databaseUnusable),
  ])
  func atStart(kind: StoreError.Kind, code: ServiceFailure.Code) {
    #expect(ServiceFailure(atStart: StoreError(kind, "so")).code == code)
  }

  /// Another start would find what is damaged as it is.
  @Test(arguments: [
    (StoreError.Kind.inputOutput, ServiceFailure.Code.storageFailed), (.other, .storageFailed),
    (.corrupt, .databaseUnusable), (.foreign, .databaseUnusable),
  ])
  func whileRunning(kind: StoreError.Kind, code: ServiceFailure.Code) {
    #expect(ServiceFailure(whileRunning: StoreError(kind, "so")).code == code)
  }
}
