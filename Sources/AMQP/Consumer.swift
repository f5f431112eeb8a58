import Synchronization

/// Consumes one queue over a connection of its own, which it keeps up from a thread of its own.
///
/// It reconnects automatically and never gives up. Deliveries that are unacknowledged when the channel ends (lost, paused,
/// stopped) return to their queue and come again; their acknowledgements are dropped. They come again *before* anything
/// newer, but not always in order: see `Delivery.deliveryCount(by:)`.
package final class Consumer: Sendable {
  package enum Event: Sendable {
    /// Consuming. Acknowledge with this epoch; it ends with the next `.down` or `.paused`.
    case up(epoch: UInt64, ServerInfo)
    /// Everything that had arrived, in order.
    case deliveries([Delivery], epoch: UInt64)
    /// Redelivered messages have come, and the queue has no more of them.
    case exhausted(epoch: UInt64)
    /// For a while now nothing is read, since the deliveries that were not released come to too many bytes.
    case congested(epoch: UInt64)
    /// The channel is closed, as `pause()` asked or to begin again; what was unacknowledged is back in the queue.
    case paused
    /// After `quiesce()`: no delivery will come any more, and those that came can still be acknowledged.
    case quiesced
    /// A connection, or a try to make one, has failed. The next try comes after the pause.
    case down(AMQPError, retryAfter: Duration)
  }

  private enum Acknowledgement {
    case accept(UInt64, multiple: Bool)
    case reject(UInt64)
  }

  /// What the thread is wanted to do, in this order and never back from the last.
  private enum Wish {
    case consume
    case pause
    case quiesce
  }

  private struct Mailbox {
    var epoch: UInt64 = 0
    var isUp = false
    var wish = Wish.consume
    var acknowledgements: [Acknowledgement] = []
    /// Bytes of the bodies delivered and not released.
    var heldBytes = 0

    mutating func takeAcknowledgements() -> [Acknowledgement] {
      defer { acknowledgements = [] }
      return acknowledgements
    }
  }

  private let options: ConnectionOptions
  private let queue: String
  private let prefetch: UInt16
  private let maximumBytes: Int
  private let setup: @Sendable (Connection) throws -> Void
  private let recheck: (@Sendable (Connection) throws -> Void)?
  private let onEvent: @Sendable (Event) -> Void
  private let lifecycle: ThreadLifecycle
  private let mailbox = Mutex(Mailbox())

  /// - Parameters:
  ///   - prefetch: The most unacknowledged deliveries.
  ///   - maximumBytes: Nothing is read while the bodies delivered and not released come to more.
  ///   - setup: Runs on the thread each time before consuming starts. What it throws is reported by `.down` and tried
  ///     again; `AMQPError.topology(_:)` paces that at 5 s.
  ///   - recheck: Runs once a little later, while we consume nothing for a moment, unless a delivery has come. What it
  ///     throws is reported like that of `setup`.
  ///   - onEvent: Called on the thread, one event at a time; it must not block.
  package init(
    options: ConnectionOptions, queue: String, prefetch: UInt16, maximumBytes: Int = .max,
    setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    recheck: (@Sendable (Connection) throws -> Void)? = nil, onEvent: @escaping @Sendable (Event) -> Void
  ) throws(AMQPError) {
    self.options = options
    self.queue = queue
    self.prefetch = prefetch
    self.maximumBytes = maximumBytes
    self.setup = setup
    self.recheck = recheck
    self.onEvent = onEvent
    lifecycle = try ThreadLifecycle()
  }

  /// Starts the thread, which begins to connect.
  package func start() throws(AMQPError) {
    try lifecycle.start(name: "amqp-consumer") { [self] in
      var loop = ReconnectLoop(options: options, lifecycle: lifecycle, onDown: { self.emit(.down($0, retryAfter: $1)) })
      loop.run(serve)
    }
  }

  /// Sends the acknowledgements handed over before, closes the connection and ends the thread. No event comes after it
  /// returns. Not to be called from `onEvent`.
  package func stop() { lifecycle.stop(within: .zero) }

  /// Closes the channel once, which gives all unacknowledged deliveries back in order, and stays connected.
  package func pause() { wish(for: .pause) }

  /// Consumes again after `pause()`.
  package func resume() { wish(for: .consume) }

  /// Ends deliveries for good but keeps the channel, so that those that came can be acknowledged before `stop()`.
  package func quiesce() { wish(for: .quiesce) }

  /// Tells the broker that a delivery, or with `multiple` every one up to it, is done with.
  package func acknowledge(_ tag: UInt64, multiple: Bool = false, epoch: UInt64) {
    post(.accept(tag, multiple: multiple), epoch: epoch)
  }

  /// Refuses a delivery: it goes to the queue's dead-letter exchange.
  package func reject(_ tag: UInt64, epoch: UInt64) {
    post(.reject(tag), epoch: epoch)
  }

  /// Bodies of deliveries, so many bytes, are in memory no more.
  package func release(bytes: Int, epoch: UInt64) {
    let isRoomAgain = mailbox.withLock { mailbox in
      guard mailbox.isUp, mailbox.epoch == epoch else { return false }
      let wasFull = mailbox.heldBytes >= maximumBytes
      mailbox.heldBytes -= bytes
      return wasFull && mailbox.heldBytes < maximumBytes
    }
    if isRoomAgain { lifecycle.bell.ring() }
  }

  private func wish(for wish: Wish) {
    mailbox.withLock { if $0.wish != .quiesce { $0.wish = wish } }
    lifecycle.bell.ring()
  }

  private func post(_ acknowledgement: Acknowledgement, epoch: UInt64) {
    let isFirst = mailbox.withLock { mailbox in
      guard mailbox.isUp, mailbox.epoch == epoch else { return false }
      mailbox.acknowledgements.append(acknowledgement)
      return mailbox.acknowledgements.count == 1
    }
    if isFirst { lifecycle.bell.ring() }
  }

  private func emit(_ event: Event) {
    if !lifecycle.isStopped { onEvent(event) }
  }

  // MARK: On the thread

  private func serve(_ connection: Connection) throws {
    defer { endEpoch() }
    var session: ConsumerSession?
    while true {
      let (wish, acknowledgements) = mailbox.withLock { ($0.wish, $0.takeAcknowledgements()) }
      for acknowledgement in acknowledgements { try send(acknowledgement, on: connection) }
      if lifecycle.stopBy != nil { return }
      try fulfil(wish, &session, on: connection)
      try handle(events(for: &session, from: connection), &session, from: connection)
      try lookAgain(&session, on: connection)
      try recheckAlone(&session, on: connection)
    }
  }

  /// Waits for news of the broker, and reads no more of it than there is room for.
  private func events(
    for session: inout ConsumerSession?, from connection: Connection
  ) throws(AMQPError) -> [Connection.Event] {
    let room = maximumBytes - mailbox.withLock(\.heldBytes)
    let wait = session?.nextStep.map { $0 - SuspendingClock.now } ?? .seconds(3600)
    guard room <= 0, session != nil else {
      session?.congestion = nil
      return try connection.events(waitingUpTo: wait, atMostBytes: room)
    }
    switch ConsumerSession.Congestion.step(&session, at: .now) {
    case .wait(let pause):
      if lifecycle.bell.wait(for: pause) { lifecycle.bell.silence() }
      return []
    case .tell:
      if let session { emit(.congested(epoch: session.epoch)) }
      return []
    case .readOne: return try connection.events(waitingUpTo: .zero, atMostBytes: 1)
    }
  }

  private func fulfil(_ wish: Wish, _ session: inout ConsumerSession?, on connection: Connection) throws {
    switch (wish, session) {
    case (.consume, nil):
      session = try startSession(on: connection, rechecks: recheck != nil)
    case (.pause, .some):
      try close(&session, on: connection)
    case (.quiesce, let current):
      guard current?.isQuiet != true else { return }
      // To cancel the consumer and keep the channel would let the next one have what comes after our deliveries, before
      // these return to the queue.
      session = session ?? ConsumerSession(tag: "", epoch: 0)
      session?.isQuiet = true
      emit(.quiesced)
    case (.consume, .some), (.pause, nil): break
    }
  }

  private func close(_ session: inout ConsumerSession?, on connection: Connection) throws(AMQPError) {
    endEpoch()
    session = nil
    try connection.closeChannel()
    emit(.paused)
  }

  private func startSession(on connection: Connection, rechecks: Bool) throws -> ConsumerSession {
    if !connection.isChannelOpen { try connection.openChannel() }
    try setup(connection)
    let tag = try connection.consume(queue, prefetch: prefetch, tag: options.connectionName)
    let epoch = mailbox.withLock {
      $0.epoch += 1
      $0.isUp = true
      return $0.epoch
    }
    emit(.up(epoch: epoch, connection.server))
    return ConsumerSession(tag: tag, epoch: epoch, recheckAt: rechecks ? ConsumerSession.recheckTime() : nil)
  }

  /// Steps aside to see whether somebody else consumes. What was delivered meanwhile would be left behind by that: then all
  /// begins again.
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

  /// Looks whether the queue has anything left, while what it returned is coming.
  private func lookAgain(_ session: inout ConsumerSession?, on connection: Connection) throws {
    guard let current = session, let time = current.lookAt, time <= .now, !current.isQuiet else { return }
    guard let status = try connection.checkQueue(queue) else {
      throw connection.error(.consumerCancelled, "the queue \"\(queue)\" is gone")
    }
    if session?.looked(messages: status.messages, at: .now) == true { emit(.exhausted(epoch: current.epoch)) }
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
      let bytes = deliveries.reduce(0) { $0 + $1.body.count }
      mailbox.withLock { $0.heldBytes += bytes }
      emit(.deliveries(deliveries, epoch: current.epoch))
    }
    if isCancelled {
      // The channel ends with the connection, at once: what it holds returns to the queue, and is acknowledged no more.
      throw connection.error(
        .consumerCancelled,
        "the broker cancelled the consumer of \"\(queue)\": the queue was deleted or lost its leader, or commands were "
          + "unacknowledged for longer than its consumer timeout")
    }
  }

  private func send(_ acknowledgement: Acknowledgement, on connection: Connection) throws(AMQPError) {
    switch acknowledgement {
    case .accept(let tag, let multiple): try connection.acknowledge(tag, multiple: multiple)
    case .reject(let tag): try connection.reject(tag)
    }
  }

  private func endEpoch() {
    mailbox.withLock {
      $0.isUp = false
      $0.acknowledgements = []
      $0.heldBytes = 0
    }
  }
}

extension Connection.Event {
  fileprivate var isDelivery: Bool {
    if case .delivery = self { true } else { false }
  }
}
