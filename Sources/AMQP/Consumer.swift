import Synchronization

/// Consumes one queue over a connection of its own, which it keeps up from a thread of its own.
///
/// It reconnects by itself and never gives up. Deliveries that are unacknowledged when the channel ends (lost, paused,
/// stopped) go back to their queue in order and come again; their acknowledgements are dropped.
package final class Consumer: Sendable {
  package enum Event: Sendable {
    /// Consuming. Acknowledge with this epoch; it ends with the next `.down` or `.paused`.
    case up(epoch: UInt64, ServerInfo)
    /// Everything that had arrived, in order.
    case deliveries([Delivery], epoch: UInt64)
    /// The channel is closed as `pause()` asked; what was unacknowledged is back in the queue.
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

    mutating func takeAcknowledgements() -> [Acknowledgement] {
      defer { acknowledgements = [] }
      return acknowledgements
    }
  }

  private let options: ConnectionOptions
  private let queue: String
  private let prefetch: UInt16
  private let setup: @Sendable (Connection) throws -> Void
  private let recheck: (@Sendable (Connection) throws -> Void)?
  private let onEvent: @Sendable (Event) -> Void
  private let lifecycle: ThreadLifecycle
  private let mailbox = Mutex(Mailbox())

  /// - Parameters:
  ///   - prefetch: The most unacknowledged deliveries. After each start only one is let in at a time until the first
  ///     that the broker has not delivered before, so that one which kills the process takes no neighbours with it to
  ///     the queue's delivery limit.
  ///   - setup: Runs on the thread each time before consuming starts. What it throws is reported by `.down` and tried
  ///     again; `AMQPError.topology(_:)` paces that at 5 s.
  ///   - recheck: Runs once more a little later, while we consume nothing for a moment, unless a delivery has come. What
  ///     it throws is reported like that of `setup`.
  ///   - onEvent: Called on the thread, one event at a time; it must not block.
  package init(
    options: ConnectionOptions, queue: String, prefetch: UInt16,
    setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    recheck: (@Sendable (Connection) throws -> Void)? = nil, onEvent: @escaping @Sendable (Event) -> Void
  ) throws(AMQPError) {
    self.options = options
    self.queue = queue
    self.prefetch = prefetch
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

  /// The consumer that is at work on the channel.
  ///
  /// There are two, one after the other, and the first may still have a delivery unacknowledged when the second gets its own.
  /// When the channel ends, a quorum queue takes back what each of them holds in the order of their tags (RabbitMQ 3.10 to
  /// 3.13; later by age): so the tags are ours, in that order. Of names made up by the broker the first delivery would be put
  /// behind the others every second time.
  private struct Intake {
    var tag: String
    var epoch: UInt64
    /// One at a time, until a delivery comes that the broker has not delivered before.
    var isCautious = true
    var isCancelled = false
    /// When to check again; nil when that is done or not needed.
    var recheckAt: SuspendingClock.Instant?
  }

  /// At random, so that of two consumers that came at the same time one looks while the other is there.
  private static let recheckMilliseconds = 1000...3000

  private func serve(_ connection: Connection) throws {
    defer { endEpoch() }
    var intake: Intake?
    while true {
      let (wish, acknowledgements) = mailbox.withLock { ($0.wish, $0.takeAcknowledgements()) }
      for acknowledgement in acknowledgements { try send(acknowledgement, on: connection) }
      if lifecycle.stopBy != nil { return }
      try fulfil(wish, &intake, on: connection)
      let wait = intake?.recheckAt.map { $0 - SuspendingClock.now } ?? .seconds(3600)
      try handle(connection.events(waitingUpTo: wait), &intake, from: connection)
      try checkAgain(&intake, on: connection)
    }
  }

  private func checkAgain(_ intake: inout Intake?, on connection: Connection) throws {
    guard let recheck, let current = intake, let time = current.recheckAt, time <= .now else { return }
    intake?.recheckAt = nil
    try connection.cancel(current.tag)
    try recheck(connection)
    intake?.tag = try connection.consume(queue, prefetch: 1, tag: consumerTag(1))
  }

  private func fulfil(_ wish: Wish, _ intake: inout Intake?, on connection: Connection) throws {
    switch (wish, intake) {
    case (.consume, nil):
      intake = try startIntake(on: connection)
    case (.pause, .some):
      endEpoch()
      intake = nil
      try connection.closeChannel()
      emit(.paused)
    case (.quiesce, let current):
      guard current?.isCancelled != true else { return }
      if let current {
        try connection.cancel(current.tag)
        intake?.isCancelled = true
        intake?.recheckAt = nil
        try handle(connection.events(waitingUpTo: .zero), &intake, from: connection)
      } else {
        intake = Intake(tag: "", epoch: 0, isCancelled: true)
      }
      emit(.quiesced)
    case (.consume, .some), (.pause, nil): break
    }
  }

  private func startIntake(on connection: Connection) throws -> Intake {
    if !connection.isChannelOpen { try connection.openChannel() }
    try setup(connection)
    let tag = try connection.consume(queue, prefetch: 1, tag: consumerTag(1))
    let epoch = mailbox.withLock {
      $0.epoch += 1
      $0.isUp = true
      return $0.epoch
    }
    emit(.up(epoch: epoch, connection.server))
    let delay = Duration.milliseconds(Int.random(in: Self.recheckMilliseconds))
    return Intake(tag: tag, epoch: epoch, recheckAt: recheck == nil ? nil : .now + delay)
  }

  private func consumerTag(_ number: Int) -> String { "\(options.connectionName) \(number)" }

  private func handle(
    _ events: [Connection.Event], _ intake: inout Intake?, from connection: Connection
  ) throws(AMQPError) {
    var deliveries: [Delivery] = []
    var isCancelled = false
    for event in events {
      switch event {
      case .delivery(let delivery): deliveries.append(delivery)
      case .consumerCancelled: isCancelled = true
      case .confirmed, .returned, .blocked, .unblocked: continue
      }
    }
    guard let current = intake else { return }
    if !deliveries.isEmpty {
      intake?.recheckAt = nil
      emit(.deliveries(deliveries, epoch: current.epoch))
    }
    if isCancelled {
      throw connection.error(.consumerCancelled, "the queue \"\(queue)\" is gone or has lost its leader")
    }
    if current.isCautious, !current.isCancelled, deliveries.contains(where: { !$0.redelivered }) {
      try connection.cancel(current.tag)
      intake?.tag = try connection.consume(queue, prefetch: prefetch, tag: consumerTag(2))
      intake?.isCautious = false
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
    }
  }
}
