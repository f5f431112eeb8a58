import Synchronization

/// Starts an owner thread, asks it to stop, and waits a bounded time for its end.
final class ThreadLifecycle: Sendable {
  private enum State {
    case created
    case running
    case stopping(by: SuspendingClock.Instant)
    case stopped
  }

  /// Signaled whenever the thread has new work.
  let wakeUp: EventFD
  /// Signaled once the thread has ended.
  private let ended: EventFD
  private let state = Mutex(State.created)
  /// How long `stop` waits beyond its limit. A thread inside a connect or a name look-up cannot be woken; it ends later.
  private static let patience = Duration.seconds(2)

  init() throws(AMQPError) {
    wakeUp = try EventFD()
    ended = try EventFD()
  }

  /// Runs `body` on a new thread. Has no effect when it was started before.
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
        ended.signal()
      }
    } catch {
      state.withLock { $0 = .stopped }
      throw error
    }
  }

  /// The deadline for the thread's end; nil before a stop was requested.
  var stopBy: SuspendingClock.Instant? {
    state.withLock { state in
      switch state {
      case .created, .running: nil
      case .stopping(let deadline): deadline
      case .stopped: SuspendingClock.now
      }
    }
  }

  /// Whether `stop` has returned, after which no event may be reported.
  var isStopped: Bool {
    state.withLock { state in
      if case .stopped = state { true } else { false }
    }
  }

  /// Asks the thread to end within a limit, and does not wait for it.
  func askToStop(within limit: Duration) {
    let isRunning = state.withLock { state in
      guard case .running = state else { return false }
      state = .stopping(by: SuspendingClock.now + limit)
      return true
    }
    if isRunning { wakeUp.signal() }
  }

  /// As above, and waits. The deadline of an earlier request stays.
  func stop(within limit: Duration) {
    askToStop(within: limit)
    if case .stopping(let deadline) = state.withLock(\.self) {
      ended.wait(for: deadline + Self.patience - SuspendingClock.now)
    }
    state.withLock { $0 = .stopped }
  }
}
