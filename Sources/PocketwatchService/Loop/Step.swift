import Scheduling

/// A step on the way of a command or of a tick, at which a test may have something happen.
enum Step: CaseIterable {
  case decode
  case beforeCommit, afterCommit
  /// Handing over to the publishing connection.
  case beforePublish, afterPublish
  /// The broker's confirm has come, and the engine does not know yet.
  case confirm
  /// Handing an acknowledgement or a rejection over to the consuming connection.
  case beforeSettle, afterSettle

  /// Says that it is reached, and with what message; nothing in a release build. Returns the error to fail with, if a test
  /// wants one.
  @inline(__always) @discardableResult
  func reached(with body: [UInt8] = []) -> StoreError? {
    #if DEBUG
      return Failpoints.armed?.reached(self, body)
    #else
      return nil
    #endif
  }
}
