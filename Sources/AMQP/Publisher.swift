import Synchronization

/// Publishes messages with confirms over a connection of its own, which it keeps up from a thread of its own.
///
/// It reconnects by itself and never gives up. What is unconfirmed when the connection is lost is forgotten, after a
/// `.down` has said so: whether the broker took it is unknown, and only the caller can decide to send it again.
///
/// A broker refuses some messages by closing the channel, and with it everything behind them. The message is then found, told
/// by `.refused` and not sent again from here; the channel is opened again at once, which `.up` tells. What the broker said
/// it refuses (a routing key without topic right, a body over its limit) is refused here from then on.
package final class Publisher: Sendable {
  package enum Event: Sendable {
    /// Connected and set up, or on another channel of the same connection, so that what was in flight before is forgotten.
    /// Publish with this epoch; it ends with the next `.down` or `.up`.
    case up(epoch: UInt64, ServerInfo)
    /// A connection, or a try to make one, has failed. The next try comes after the pause.
    case down(AMQPError, retryAfter: Duration)
    /// The broker has taken responsibility for these.
    case acked([UInt64])
    /// The broker has refused these, for instance because of a full queue with `reject-publish`.
    case nacked([UInt64])
    /// A mandatory message reached no queue. Its `.acked` follows.
    case returned(UInt64, code: UInt16, text: String)
    /// The broker closed the channel or the connection on this message, or would do so; it was not taken. What else is in
    /// flight is told of by the `.down` or `.up` that follows.
    case refused(UInt64, AMQPError)
    /// What the broker is known to refuse has changed.
    case refusing(Refusals)
    /// This message can never be sent (a property is too long, say); it was not.
    case unsendable(UInt64, AMQPError)
    /// The broker takes no messages for now. What it is given meanwhile waits here.
    case blocked(String)
    case unblocked
  }

  private struct Mailbox {
    /// Counts connections. Even while one is down its epoch is not taken again.
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
  ///   - window: The most unconfirmed messages on the wire. 256 is as fast as more.
  ///   - essentialExchange: Without it there is nothing to publish to; an error about another one concerns only the messages
  ///     to that.
  ///   - setup: Runs on the thread after each login and before `.up`, to look whether all is there. What it throws is
  ///     reported by `.down` and tried again; `AMQPError.topology(_:)` paces that at 5 s.
  ///   - onEvent: Called on the thread, one event at a time; it must not block.
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

  /// Waits for what is unconfirmed as long as `limit`, closes the connection and ends the thread. No event comes after
  /// it returns. Not to be called from `onEvent`.
  package func stop(drainFor limit: Duration) { lifecycle.stop(within: limit) }

  /// Begins what `stop(drainFor:)` then waits for, so that more than one thread can be waited for at once.
  package func askToStop(drainFor limit: Duration) { lifecycle.askToStop(within: limit) }

  /// Hands messages over, in order. They are dropped silently when the epoch is not the current one: `.down` has told.
  package func publish(_ batch: MessageBatch, epoch: UInt64) {
    if batch.isEmpty { return }
    let isFirst = mailbox.withLock { mailbox in
      guard mailbox.isUp, mailbox.epoch == epoch else { return false }
      mailbox.batches.append(batch)
      return mailbox.batches.count == 1
    }
    if isFirst { lifecycle.bell.ring() }
  }

  private func emit(_ event: Event) {
    if !lifecycle.isStopped { onEvent(event) }
  }

  // MARK: On the thread

  /// What outlives a channel.
  private struct Culprits {
    var refusals: Refusals
    /// How many messages are to be sent one at a time, because one of them is known to cost the channel.
    var probes: UInt64 = 0
    /// When channels were opened again.
    var reopenings: [SuspendingClock.Instant] = []

    /// Whether a channel may be opened again at once: not in a loop, whatever the broker does.
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

  /// Returns when it is time to stop.
  private func publish(from sendWindow: inout SendWindow, on connection: Connection) throws(AMQPError) {
    let epoch = mailbox.withLock {
      $0.epoch += 1
      $0.isUp = true
      return $0.epoch
    }
    emit(.up(epoch: epoch, connection.server))
    while true {
      for batch in mailbox.withLock({ $0.takeBatches() }) {
        for (number, error) in batch.unsendable { emit(.unsendable(number, error)) }
        sendWindow.add(batch)
      }
      let kinds = sendWindow.refusals.isEmpty ? 0 : sendWindow.refusals.current.count
      sendWindow.advance(to: .now)
      try send(&sendWindow, on: connection)
      let stopBy = lifecycle.stopBy
      if let stopBy, sendWindow.isEmpty || stopBy <= SuspendingClock.now { return }
      let wake = [stopBy, sendWindow.nextAdvance].compactMap(\.self).min()
      let wait = wake.map { $0 - SuspendingClock.now } ?? .seconds(3600)
      try handle(connection.events(waitingUpTo: wait, orWritable: sendWindow.hasNext), &sendWindow, from: connection)
      if kinds > 0, sendWindow.refusals.current.count != kinds { emit(.refusing(sendWindow.refusals)) }
    }
  }

  /// Sends a slice of what may be sent, small enough that the socket takes it without making us wait and that news of
  /// the broker (confirms, an alarm) are read in between.
  private func send(_ sendWindow: inout SendWindow, on connection: Connection) throws(AMQPError) {
    guard sendWindow.hasNext, connection.isWritable else { return }
    var bytes = 0
    while bytes < Self.sliceBytes, let slice = sendWindow.takeNext(atMostBytes: Self.sliceBytes - bytes, at: .now) {
      try connection.publish(slice)
      if sendWindow.wantsMarker { try connection.sendMarker() }
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
        guard let numbers = sendWindow.settle(sequence, multiple: multiple) else {
          throw connection.error(.protocolViolation, "message \(sequence) was confirmed and never published")
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
