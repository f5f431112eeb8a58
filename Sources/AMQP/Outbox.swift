/// What a publisher has been given and the broker has not confirmed: which message may go next, and what an answer of
/// the broker means for the caller's numbers. Pure; one per connection.
package struct Outbox {
  /// What is kept of a message on the wire: enough to know it by when it is returned. Its body is not.
  private struct InFlight {
    let number: UInt64
    let exchange, routingKey: String
    let messageID: [UInt8]?
    /// Whether it may yet be returned.
    var isReturnable: Bool

    init(_ publication: Publication) {
      number = publication.number
      exchange = publication.message.exchange
      routingKey = publication.message.routingKey
      messageID = publication.message.properties.messageID
      isReturnable = publication.message.mandatory
    }
  }

  /// The first message of a connection goes alone: a broker with an alarm says so only after it, and stops reading.
  private enum Trial {
    case toCome
    case under(until: SuspendingClock.Instant)
    case over
  }

  /// How long the first message goes alone if the broker does not answer. News of an alarm comes at once; a confirm may
  /// take hours, from a quorum queue without its majority, and nothing else may wait for that.
  package static let trialTime = Duration.seconds(1)

  /// The most messages on the wire without a confirm.
  package let window: Int
  /// While true nothing may be sent.
  package var isBlocked = false
  private var waiting = FIFO<Publication>()
  private var inFlight = Confirms<InFlight>()
  private var trial = Trial.toCome

  package init(window: Int) { self.window = max(1, window) }

  package var isEmpty: Bool { waiting.isEmpty && inFlight.count == 0 }

  /// The message to send now; nil when there is none, the window is full or the broker is blocked.
  package var next: Publication? {
    guard !isBlocked, inFlight.count < room else { return nil }
    return waiting.first
  }

  private var room: Int {
    if case .over = trial { window } else { 1 }
  }

  /// When more may be sent without news of the broker: call `advance(to:)` then. Nil when only news can change anything.
  package var nextAdvance: SuspendingClock.Instant? {
    guard !isBlocked, !waiting.isEmpty, case .under(let end) = trial else { return nil }
    return end
  }

  /// Opens the window if the broker has had its time to tell of an alarm.
  package mutating func advance(to now: SuspendingClock.Instant) {
    if case .under(let end) = trial, end <= now { trial = .over }
  }

  package mutating func add(_ batch: [Publication]) {
    for publication in batch { waiting.append(publication) }
  }

  /// Notes that `next` was sent.
  package mutating func sentNext(at now: SuspendingClock.Instant) {
    guard let publication = waiting.popFirst() else { return }
    if case .toCome = trial { trial = .under(until: now + Self.trialTime) }
    inFlight.published(InFlight(publication))
  }

  /// Takes `next` away because it can never be sent.
  package mutating func dropNext() {
    _ = waiting.popFirst()
  }

  /// The caller's numbers that an answer settles; nil when the broker names a message it was never sent.
  package mutating func settle(_ sequence: UInt64, multiple: Bool) -> [UInt64]? {
    trial = .over
    return inFlight.settle(sequence, multiple: multiple)?.map { $0.number }
  }

  /// The caller's number of a returned message; nil when it cannot be told which one it is.
  ///
  /// A return does not say the sequence number. The broker returns messages in the order they were published, so it is
  /// the oldest one that looks like it and has not been returned.
  package mutating func noteReturned(_ returned: ReturnedMessage) -> UInt64? {
    var number: UInt64?
    _ = inFlight.updateFirst { candidate in
      candidate.isReturnable && candidate.messageID == returned.properties.messageID
        && candidate.exchange == returned.exchange && candidate.routingKey.utf8.elementsEqual(returned.routingKey)
    } _: { match in
      match.isReturnable = false
      number = match.number
    }
    return number
  }
}

/// A message to publish under a number of the caller's own choice. Passed by reference, since it goes through many hands.
package final class Publication: Sendable {
  package let number: UInt64
  package let message: Message

  package init(number: UInt64, message: Message) {
    self.number = number
    self.message = message
  }
}
