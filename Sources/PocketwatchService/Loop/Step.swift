import Scheduling

/// A step in the processing of a command or a tick, at which tests can inject faults.
enum Step: CaseIterable {
  case decode
  case beforeCommit, afterCommit
  /// Passing messages to the publisher.
  case beforePublish, afterPublish
  /// A confirm has arrived, before the engine receives it.
  case confirm
  /// Passing an acknowledgement or a rejection to the consumer.
  case beforeSettle, afterSettle

  /// Runs the failpoints of this step; has no effect in a release build. Returns the error to fail with, if a test requests one.
  @inline(__always) @discardableResult
  func reached(with body: [UInt8] = []) -> StoreError? {
    #if DEBUG
      return Failpoints.armed?.reached(self, body)
    #else
      return nil
    #endif
  }
}
