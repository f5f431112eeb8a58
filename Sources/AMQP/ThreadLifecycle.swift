import Synchronization

/// Starts an owner thread, tells it to stop, and waits for that, but never for ever.
final class ThreadLifecycle: Sendable {
  private enum State {
    case created
    case running
    case stopping(by: SuspendingClock.Instant)
    case stopped
  }

  /// Rings whenever the thread has something to look at.
  let bell: WakeUp
  /// Rings from the thread's end on.
  private let ended: WakeUp
  private let state = Mutex(State.created)
  /// A thread inside a connect or a name look-up cannot be woken. It is left to end by itself after this.
  private static let patience = Duration.seconds(2)

  init() throws(AMQPError) {
    bell = try WakeUp()
    ended = try WakeUp()
  }

  /// Runs `body` on a thread of its own. Does nothing when it was started before.
  func start(name: String, _ body: @escaping @Sendable () -> Void) throws(AMQPError) {
    let isFirst = state.withLock { state in
      guard case .created = state else { return false }
      state = .running
      return true
    }
    guard isFirst else { return }
    do throws(AMQPError) {
      try OwnerThread.start(name: name) { [self] in
        body()
        ended.ring()
      }
    } catch {
      state.withLock { $0 = .stopped }
      throw error
    }
  }

  /// Until when the thread has to end; nil while it need not.
  var stopBy: SuspendingClock.Instant? {
    state.withLock { state in
      switch state {
      case .created, .running: nil
      case .stopping(let deadline): deadline
      case .stopped: SuspendingClock.now
      }
    }
  }

  /// Whether `stop` has returned, after which nobody wants to hear of anything any more.
  var isStopped: Bool {
    state.withLock { state in
      if case .stopped = state { true } else { false }
    }
  }

  /// Gives the thread so much time to end, and does not wait for it.
  func askToStop(within limit: Duration) {
    let isRunning = state.withLock { state in
      guard case .running = state else { return false }
      state = .stopping(by: SuspendingClock.now + limit)
      return true
    }
    if isRunning { bell.ring() }
  }

  /// As above, and waits. When it was asked before, that time counts.
  func stop(within limit: Duration) {
    askToStop(within: limit)
    if case .stopping(let deadline) = state.withLock(\.self) {
      ended.wait(for: deadline + Self.patience - SuspendingClock.now)
    }
    state.withLock { $0 = .stopped }
  }
}
