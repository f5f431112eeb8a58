/// The life of an owner thread: connects to one broker after the other, serves the connection, and after a failure waits
/// and begins again, until it is told to stop. It never gives up.
struct ReconnectLoop {
  private(set) var options: ConnectionOptions
  let lifecycle: ThreadLifecycle
  /// Told of every failure and of the pause until the next try.
  let onDown: (AMQPError, Duration) -> Void

  /// - Parameter serve: Uses the connection until the lifecycle wants it to stop, or throws what went wrong with it.
  mutating func run(_ serve: (Connection) throws -> Void) {
    var backoff = Backoff()
    // Not the concrete type: it is empty, so that its accesses from all threads have one address, which the thread sanitizer
    // reports as a race.
    var generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    var turn = 0
    while lifecycle.stopBy == nil, !options.brokers.isEmpty {
      if let brokers = options.source?(), !brokers.isEmpty, brokers != options.brokers {
        options.brokers = brokers
        turn = 0
      }
      guard let (error, uptime) = attempt(options.brokers[turn % options.brokers.count], serve) else { return }
      turn += 1
      // The other brokers may be well: they are tried at once, and the pause comes after the round.
      let isRoundOver = turn % options.brokers.count == 0
      let pause =
        isRoundOver || error.retryFloor > .zero
        ? backoff.pause(floor: error.retryFloor, uptime: uptime, using: &generator) : .zero
      onDown(error, pause)
      sleep(for: pause)
    }
  }

  /// Returns why the connection ended and how long after the login; nil when it was meant to end.
  private func attempt(
    _ broker: BrokerURL, _ serve: (Connection) throws -> Void
  ) -> (error: AMQPError, uptime: Duration)? {
    var loggedIn: SuspendingClock.Instant?
    do {
      let connection = try Connection(to: broker, options: options, wakeUp: lifecycle.bell)
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

  /// Waits out the pause, or until it is time to stop. Other rings of the bell do not shorten it.
  private func sleep(for pause: Duration) {
    let end = SuspendingClock.now + pause
    while lifecycle.stopBy == nil, case let remaining = end - SuspendingClock.now, remaining > .zero {
      if lifecycle.bell.wait(for: remaining) { lifecycle.bell.silence() }
    }
  }
}
