import Synchronization

/// Consumes one queue over its own connection, which it keeps up from its own thread.
///
/// It reconnects automatically and never gives up. When the channel ends (lost, suspended, stopped), unacknowledged deliveries
/// return to the queue and are delivered again; their acknowledgements are dropped. They are redelivered *before* newer
/// messages, but not always in order: see `Delivery.deliveryCount(by:)`.
package final class Consumer: Sendable {
  package enum Event: Sendable {
    /// Consuming. Acknowledge with this epoch; it ends with the next `.down` or `.suspended`.
    case up(epoch: UInt64, ServerInfo)
    /// All deliveries that had arrived, in order.
    case deliveries([Delivery], epoch: UInt64)
    /// The queue has no more redelivered messages.
    case exhausted(epoch: UInt64)
    /// Reading has stopped for some time, because the deliveries not yet released reached the limit of bytes.
    case congested(epoch: UInt64)
    /// The channel was closed, by `suspend()` or to start over. Unacknowledged deliveries are back in the queue.
    case suspended
    /// After `quiesce()`: no more deliveries will come. Those that came can still be acknowledged.
    case quiesced
    /// A connection, or an attempt to connect, failed. The next attempt follows after the pause.
    case down(AMQPError, retryAfter: Duration)
  }

  private let options: ConnectionOptions
  private let queue: String
  private let prefetch: UInt16
  private let setup: @Sendable (Connection) throws -> Void
  private let recheck: (@Sendable (Connection) throws -> Void)?
  private let onEvent: @Sendable (Event) -> Void
  private let lifecycle: ThreadLifecycle
  private let mailbox: Mutex<ConsumerMailbox>

  /// - Parameters:
  ///   - prefetch: The most unacknowledged deliveries.
  ///   - maximumBytes: Reading stops while what was delivered and not released reaches this many bytes: bodies, and property
  ///     blocks if they are kept.
  ///   - setup: Runs on the thread each time before consuming starts. An error that it throws is reported by `.down`, and
  ///     retried. `AMQPError.topology(_:)` is retried every 5 s.
  ///   - recheck: Runs once, a little later, while consuming is interrupted, unless a delivery has come. Its errors are
  ///     handled like those of `setup`.
  ///   - onEvent: Called on the thread, one event at a time. It must not block.
  package init(
    options: ConnectionOptions, queue: String, prefetch: UInt16, maximumBytes: Int = .max,
    setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    recheck: (@Sendable (Connection) throws -> Void)? = nil, onEvent: @escaping @Sendable (Event) -> Void
  ) throws(AMQPError) {
    self.options = options
    self.queue = queue
    self.prefetch = prefetch
    self.setup = setup
    self.recheck = recheck
    self.onEvent = onEvent
    mailbox = Mutex(ConsumerMailbox(maximumBytes: maximumBytes))
    lifecycle = try ThreadLifecycle()
  }

  /// Starts the thread, which begins to connect.
  package func start() throws(AMQPError) {
    try lifecycle.start(name: "amqp-consumer") { [self] in
      var loop = ReconnectLoop(options: options, lifecycle: lifecycle, onDown: { self.emit(.down($0, retryAfter: $1)) })
      loop.run(serve)
    }
  }

  /// Sends the acknowledgements posted before, closes the connection and ends the thread. No event follows its return. Must
  /// not be called from `onEvent`.
  package func stop() { lifecycle.stop(within: .zero) }

  /// Closes the channel once, which requeues all unacknowledged deliveries in order. The connection stays open.
  package func suspend() { set(.suspend) }

  /// Consumes again after `suspend()`.
  package func resume() { set(.consume) }

  /// Ends deliveries permanently but keeps the channel, so that earlier ones can be acknowledged before `stop()`.
  package func quiesce() { set(.quiesce) }

  /// Acknowledges a delivery, or with `multiple` all up to it.
  package func acknowledge(_ tag: UInt64, multiple: Bool = false, epoch: UInt64) {
    post(.accept(tag, multiple: multiple), epoch: epoch)
  }

  /// Rejects a delivery without requeue: it goes to the queue's dead-letter exchange.
  package func reject(_ tag: UInt64, epoch: UInt64) {
    post(.reject(tag), epoch: epoch)
  }

  /// Deliveries of this many bytes, see `Delivery.heldBytes`, are no longer in memory.
  package func release(bytes: Int, epoch: UInt64) {
    if mailbox.withLock({ $0.release(bytes: bytes, epoch: epoch) }) { lifecycle.wakeUp.signal() }
  }

  private func set(_ goal: ConsumerMailbox.Goal) {
    mailbox.withLock { $0.set(goal) }
    lifecycle.wakeUp.signal()
  }

  private func post(_ acknowledgement: ConsumerMailbox.Acknowledgement, epoch: UInt64) {
    if mailbox.withLock({ $0.post(acknowledgement, epoch: epoch) }) { lifecycle.wakeUp.signal() }
  }

  private func emit(_ event: Event) {
    if !lifecycle.isStopped { onEvent(event) }
  }

  // MARK: On the thread

  private func serve(_ connection: Connection) throws {
    defer { endEpoch() }
    var session: ConsumerSession?
    while true {
      // Read first: what was acknowledged before the stop is in the mailbox then.
      let mustStop = lifecycle.stopBy != nil
      let (goal, acknowledgements) = mailbox.withLock { ($0.goal, $0.takeAcknowledgements()) }
      for acknowledgement in acknowledgements { try send(acknowledgement, on: connection) }
      if mustStop { return }
      try pursue(goal, &session, on: connection)
      try handle(events(for: &session, from: connection), &session, from: connection)
      try checkRedelivered(&session, on: connection)
      try recheckAlone(&session, on: connection)
    }
  }

  /// Waits for events of the broker, and reads no more of them than there is room for.
  private func events(
    for session: inout ConsumerSession?, from connection: Connection
  ) throws(AMQPError) -> [Connection.Event] {
    let room = mailbox.withLock(\.room)
    let wait = session?.nextStep.map { $0 - SuspendingClock.now } ?? .seconds(3600)
    guard room <= 0, session != nil else {
      session?.congestion = nil
      return try connection.events(waitingUpTo: wait, atMostBytes: room)
    }
    switch ConsumerSession.Congestion.step(&session, at: .now) {
    case .wait(let pause):
      if lifecycle.wakeUp.wait(for: pause) { lifecycle.wakeUp.reset() }
      return []
    case .report:
      if let session { emit(.congested(epoch: session.epoch)) }
      return []
    case .readOne: return try connection.events(waitingUpTo: .zero, atMostBytes: 1)
    }
  }

  private func pursue(_ goal: ConsumerMailbox.Goal, _ session: inout ConsumerSession?, on connection: Connection) throws
  {
    switch (goal, session) {
    case (.consume, nil):
      session = try startSession(on: connection, rechecks: recheck != nil)
    case (.suspend, .some):
      try close(&session, on: connection)
    case (.quiesce, let current):
      guard current?.isQuiet != true else { return }
      // Cancelling the consumer while the channel stays open would let the next consumer receive newer messages before our
      // unacknowledged deliveries return to the queue.
      session = session ?? ConsumerSession(tag: "", epoch: 0)
      session?.isQuiet = true
      emit(.quiesced)
    case (.consume, .some), (.suspend, nil): break
    }
  }

  private func close(_ session: inout ConsumerSession?, on connection: Connection) throws(AMQPError) {
    endEpoch()
    session = nil
    try connection.closeChannel()
    emit(.suspended)
  }

  private func startSession(on connection: Connection, rechecks: Bool) throws -> ConsumerSession {
    if !connection.isChannelOpen { try connection.openChannel() }
    try setup(connection)
    let tag = try connection.consume(queue, prefetch: prefetch, tag: options.connectionName)
    let epoch = mailbox.withLock { $0.open() }
    emit(.up(epoch: epoch, connection.server))
    return ConsumerSession(tag: tag, epoch: epoch, recheckAt: rechecks ? ConsumerSession.recheckTime() : nil)
  }

  /// Cancels the consumer for a moment, to see whether another one exists. If a delivery came meanwhile, it would stay
  /// behind: the channel is then closed and consuming starts over.
  private func recheckAlone(_ session: inout ConsumerSession?, on connection: Connection) throws {
    guard let recheck, let current = session, let time = current.recheckAt, time <= .now else { return }
    session?.recheckAt = nil
    try connection.cancel(current.tag)
    try recheck(connection)
    if try connection.events(waitingUpTo: .zero).contains(where: \.isDelivery) {
      try close(&session, on: connection)
      session = try startSession(on: connection, rechecks: false)
    } else {
      session?.tag = try connection.consume(queue, prefetch: prefetch, tag: options.connectionName)
    }
  }

  /// Checks whether the queue is empty, while redelivered messages are arriving.
  private func checkRedelivered(_ session: inout ConsumerSession?, on connection: Connection) throws {
    guard let current = session, let time = current.nextCheck, time <= .now, !current.isQuiet else { return }
    guard let status = try connection.checkQueue(queue) else {
      throw connection.error(.consumerCancelled, "the queue \"\(queue)\" no longer exists")
    }
    if session?.checked(messages: status.messages, at: .now) == true { emit(.exhausted(epoch: current.epoch)) }
  }

  private func handle(
    _ events: [Connection.Event], _ session: inout ConsumerSession?, from connection: Connection
  ) throws(AMQPError) {
    var deliveries: [Delivery] = []
    var isCancelled = false
    for event in events {
      switch event {
      case .delivery(let delivery): deliveries.append(delivery)
      case .consumerCancelled: isCancelled = true
      case .confirmed, .returned, .blocked, .unblocked, .markerAnswered: continue
      }
    }
    guard let current = session else { return }
    if !deliveries.isEmpty, !current.isQuiet {
      session?.delivered(deliveries, at: .now)
      let bytes = deliveries.reduce(0) { $0 + $1.heldBytes }
      mailbox.withLock { $0.hold(bytes: bytes, epoch: current.epoch) }
      emit(.deliveries(deliveries, epoch: current.epoch))
    }
    if isCancelled {
      // Throwing closes the channel with the connection, which requeues its unacknowledged deliveries.
      throw connection.error(
        .consumerCancelled,
        "the broker cancelled the consumer of \"\(queue)\": the queue was deleted or lost its leader, or commands were "
          + "unacknowledged for longer than its consumer timeout")
    }
  }

  private func send(
    _ acknowledgement: ConsumerMailbox.Acknowledgement, on connection: Connection
  ) throws(AMQPError) {
    switch acknowledgement {
    case .accept(let tag, let multiple): try connection.acknowledge(tag, multiple: multiple)
    case .reject(let tag): try connection.reject(tag)
    }
  }

  private func endEpoch() {
    mailbox.withLock { $0.close() }
  }
}

extension Connection.Event {
  fileprivate var isDelivery: Bool {
    if case .delivery = self { true } else { false }
  }
}
