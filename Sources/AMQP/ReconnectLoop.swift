/// The main loop of an owner thread: connects to one broker after the other, serves the connection, and reconnects after a
/// failure and a pause. Ends only when the lifecycle asks to stop.
struct ReconnectLoop {
  private(set) var options: ConnectionOptions
  let lifecycle: ThreadLifecycle
  /// Called with every failure and the pause until the next attempt.
  let onDown: (AMQPError, Duration) -> Void

  /// - Parameter serve: Uses the connection until the lifecycle asks to stop, or throws.
  mutating func run(_ serve: (Connection) throws -> Void) {
    var backoff = Backoff()
    // Not the concrete type: it is empty, so accesses from all threads have the same address, which the thread sanitizer
    // reports as a race.
    var generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    var attempts = 0
    while lifecycle.stopBy == nil, !options.brokers.isEmpty {
      if let brokers = options.source?(), !brokers.isEmpty, brokers != options.brokers {
        options.brokers = brokers
        attempts = 0
      }
      guard let (error, uptime) = attempt(options.brokers[attempts % options.brokers.count], serve) else { return }
      attempts += 1
      // The other brokers may be available: they are tried at once, and the pause follows the round.
      let isRoundOver = attempts % options.brokers.count == 0
      let pause =
        isRoundOver || error.retryFloor > .zero
        ? backoff.pause(floor: error.retryFloor, uptime: uptime, using: &generator) : .zero
      onDown(error, pause)
      sleep(for: pause)
    }
  }

  /// Returns the error that ended the connection and how long after the login; nil after a requested stop.
  private func attempt(
    _ broker: BrokerURL, _ serve: (Connection) throws -> Void
  ) -> (error: AMQPError, uptime: Duration)? {
    var loggedIn: SuspendingClock.Instant?
    do {
      let connection = try Connection(to: broker, options: options, wakeUp: lifecycle.wakeUp)
      defer { connection.close() }
      loggedIn = .now
      try serve(connection)
      return nil
    } catch {
      let uptime = loggedIn.map { SuspendingClock.now - $0 } ?? .zero
      let reason = error as? AMQPError ?? .topology(String(describing: error))
      return (reason.at(broker), uptime)
    }
  }

  /// Waits for the pause, or until the lifecycle asks to stop. Other signals do not shorten it.
  private func sleep(for pause: Duration) {
    let end = SuspendingClock.now + pause
    while lifecycle.stopBy == nil, case let remaining = end - SuspendingClock.now, remaining > .zero {
      if lifecycle.wakeUp.wait(for: remaining) { lifecycle.wakeUp.reset() }
    }
  }
}
