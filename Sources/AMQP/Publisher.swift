import Synchronization

/// Publishes messages with confirms over its own connection, which it keeps up from its own thread.
///
/// It reconnects automatically and never gives up. When the connection is lost, `.down` reports it and unconfirmed messages
/// are dropped: whether the broker has them is unknown, and only the caller can decide to republish.
///
/// For some messages the broker closes the channel, which loses every message behind them. The publisher finds the message,
/// reports it by `.refused` and does not resend it. It reopens the channel at once, which `.up` reports. Messages of a kind
/// that the broker refuses (a routing key without topic right, a body over its limit) are refused locally from then on.
package final class Publisher: Sendable {
  package enum Event: Sendable {
    /// Connected and set up, or on a new channel of the same connection; messages in flight before are dropped. Publish
    /// with this epoch; it ends with the next `.down` or `.up`.
    case up(epoch: UInt64, ServerInfo)
    /// A connection, or an attempt to connect, failed. The next attempt follows after the pause.
    case down(AMQPError, retryAfter: Duration)
    /// The broker has confirmed these.
    case acked([UInt64])
    /// The broker has nacked these, for instance because a queue with `reject-publish` is full.
    case nacked([UInt64])
    /// A mandatory message was unroutable. Its `.acked` follows.
    case returned(UInt64, code: UInt16, text: String)
    /// The broker closed the channel or the connection for this message, or would have; it was not accepted. The `.down` or
    /// `.up` that follows ends the epoch of the other messages in flight.
    case refused(UInt64, AMQPError)
    /// The kinds of messages that the broker is known to refuse have changed.
    case refusing(Refusals)
    /// This message can never be sent, for instance because a property is too long. It was dropped.
    case unsendable(UInt64, AMQPError)
    /// The broker has blocked publishing. Messages wait here meanwhile.
    case blocked(String)
    case unblocked
  }

  private struct Mailbox {
    /// Counts channels. Never reused.
    var epoch: UInt64 = 0
    var isUp = false
    var batches: [MessageBatch] = []

    mutating func takeBatches() -> [MessageBatch] {
      defer { batches = [] }
      return batches
    }
  }

  private let options: ConnectionOptions
  private let window: Int
  private let essentialExchange: String?
  private let setup: @Sendable (Connection) throws -> Void
  private let onEvent: @Sendable (Event) -> Void
  private let lifecycle: ThreadLifecycle
  private let mailbox = Mutex(Mailbox())

  /// - Parameters:
  ///   - window: The most messages in flight. More than 256 is not faster.
  ///   - essentialExchange: The exchange without which nothing can be published. An error about another exchange concerns
  ///     only the messages to that one. Nil when an error about any exchange concerns the connection; empty when none does.
  ///   - setup: Runs on the thread after each login and before `.up`, to check the topology. An error that it throws is
  ///     reported by `.down`, and retried. `AMQPError.topology(_:)` is retried every 5 s.
  ///   - onEvent: Called on the thread, one event at a time. It must not block.
  package init(
    options: ConnectionOptions, window: Int = 256, essentialExchange: String? = nil,
    setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    onEvent: @escaping @Sendable (Event) -> Void
  ) throws(AMQPError) {
    self.options = options
    self.window = window
    self.essentialExchange = essentialExchange
    self.setup = setup
    self.onEvent = onEvent
    lifecycle = try ThreadLifecycle()
  }

  /// Starts the thread, which begins to connect.
  package func start() throws(AMQPError) {
    try lifecycle.start(name: "amqp-publisher") { [self] in
      var culprits = Culprits(refusals: Refusals(essentialExchange: essentialExchange))
      var loop = ReconnectLoop(options: options, lifecycle: lifecycle, onDown: { self.emit(.down($0, retryAfter: $1)) })
      loop.run { try serve($0, &culprits) }
    }
  }

  /// Waits at most `limit` for outstanding confirms, closes the connection and ends the thread. No event follows its return.
  /// Must not be called from `onEvent`.
  package func stop(drainFor limit: Duration) { lifecycle.stop(within: limit) }

  /// Starts the stop without waiting for it, so that several threads can stop in parallel.
  package func askToStop(drainFor limit: Duration) { lifecycle.askToStop(within: limit) }

  /// Queues messages, in order. They are dropped when the epoch is over, which `.down` or `.up` has reported.
  package func publish(_ batch: MessageBatch, epoch: UInt64) {
    if batch.isEmpty { return }
    let isFirst = mailbox.withLock { mailbox in
      guard mailbox.isUp, mailbox.epoch == epoch else { return false }
      mailbox.batches.append(batch)
      return mailbox.batches.count == 1
    }
    if isFirst { lifecycle.wakeUp.signal() }
  }

  private func emit(_ event: Event) {
    if !lifecycle.isStopped { onEvent(event) }
  }

  // MARK: On the thread

  /// The state that outlives a channel.
  private struct Culprits {
    var refusals: Refusals
    /// How many messages are to be sent one at a time, because one of them closed the channel.
    var probes: UInt64 = 0
    /// When channels were reopened, within the last second.
    var reopenings: [SuspendingClock.Instant] = []

    /// Whether a channel may be reopened at once. Limits the rate, whatever the broker does.
    mutating func mayReopen() -> Bool {
      let now = SuspendingClock.now
      reopenings.removeAll { $0 < now - .seconds(1) }
      reopenings.append(now)
      return reopenings.count <= 50
    }
  }

  private func serve(_ connection: Connection, _ culprits: inout Culprits) throws {
    try setup(connection)
    var isProven = false
    while true {
      try connection.enableConfirms()
      var sendWindow = SendWindow(
        window: window, refusals: culprits.refusals, probes: culprits.probes, isProven: isProven)
      defer { takeDown() }
      do throws(AMQPError) {
        return try publish(from: &sendWindow, on: connection)
      } catch {
        let culprit = sendWindow.culprit(of: error, at: .now)
        note(sendWindow.refusals, &culprits)
        culprits.probes = 0
        switch culprit {
        case .none: break
        case .one(let number): emit(.refused(number, error))
        case .unknown(let count): culprits.probes = count
        }
        guard culprit != .none, error.isChannelError, culprits.mayReopen() else {
          culprits.refusals.connectionLost()
          throw error
        }
        try connection.openChannel()
        isProven = true
      }
    }
  }

  private func takeDown() {
    mailbox.withLock {
      $0.isUp = false
      $0.batches = []
    }
  }

  private func note(_ refusals: Refusals, _ culprits: inout Culprits) {
    if refusals.current.map(\.kind) != culprits.refusals.current.map(\.kind) { emit(.refusing(refusals)) }
    culprits.refusals = refusals
  }

  /// Returns when the lifecycle asks to stop.
  private func publish(from sendWindow: inout SendWindow, on connection: Connection) throws(AMQPError) {
    let epoch = mailbox.withLock {
      $0.epoch += 1
      $0.isUp = true
      return $0.epoch
    }
    emit(.up(epoch: epoch, connection.server))
    while true {
      // Read first: what was handed over before the stop is in the mailbox then.
      let stopBy = lifecycle.stopBy
      for batch in mailbox.withLock({ $0.takeBatches() }) {
        for (number, error) in batch.unsendable { emit(.unsendable(number, error)) }
        sendWindow.add(batch)
      }
      let kinds = sendWindow.refusals.isEmpty ? 0 : sendWindow.refusals.current.count
      sendWindow.advance(to: .now)
      try send(&sendWindow, on: connection)
      if let stopBy, sendWindow.isEmpty || stopBy <= SuspendingClock.now { return }
      let wake = [stopBy, sendWindow.nextAdvance].compactMap(\.self).min()
      let wait = wake.map { $0 - SuspendingClock.now } ?? .seconds(3600)
      try handle(connection.events(waitingUpTo: wait, orWritable: sendWindow.hasNext), &sendWindow, from: connection)
      if kinds > 0, sendWindow.refusals.current.count != kinds { emit(.refusing(sendWindow.refusals)) }
    }
  }

  /// Sends some of the messages that may be sent: few enough that the socket does not block, and that events of the broker
  /// (confirms, an alarm) are read in between.
  private func send(_ sendWindow: inout SendWindow, on connection: Connection) throws(AMQPError) {
    guard sendWindow.hasNext, connection.isWritable else { return }
    var bytes = 0
    while bytes < Self.sliceBytes, let slice = sendWindow.takeNext(atMostBytes: Self.sliceBytes - bytes, at: .now) {
      try connection.publish(slice)
      if sendWindow.needsMarker { try connection.sendMarker() }
      bytes += slice.bytes.count
    }
    for (number, error) in sendWindow.takeRefused() { emit(.refused(number, error)) }
  }

  private static let sliceBytes = 64 * 1024

  private func handle(
    _ events: [Connection.Event], _ sendWindow: inout SendWindow, from connection: Connection
  ) throws(AMQPError) {
    var acked: [UInt64] = []
    var nacked: [UInt64] = []
    defer {
      if !acked.isEmpty { emit(.acked(acked)) }
      if !nacked.isEmpty { emit(.nacked(nacked)) }
    }
    for event in events {
      switch event {
      case .confirmed(let sequence, let multiple, let accepted):
        guard let numbers = sendWindow.resolve(sequence, multiple: multiple) else {
          throw connection.error(.protocolViolation, "message \(sequence) was confirmed but never published")
        }
        if accepted { acked += numbers } else { nacked += numbers }
      case .returned(let message):
        guard let number = sendWindow.noteReturned(message) else { continue }
        emit(.returned(number, code: message.code, text: message.text))
      case .blocked(let reason):
        sendWindow.isBlocked = true
        emit(.blocked(reason))
      case .unblocked:
        sendWindow.isBlocked = false
        emit(.unblocked)
      case .markerAnswered: sendWindow.markerAnswered()
      case .delivery, .consumerCancelled: continue
      }
    }
  }
}
