import DequeModule

/// The messages that a publisher was given and the broker has not confirmed: which message may be sent next, and what a
/// confirm, a nack or a return means for the caller's numbers. Pure; one per channel.
package struct SendWindow {
  /// What is kept of a message on the wire. Its frames are not kept.
  private struct InFlight {
    let entry: MessageBatch.Entry
    /// Whether the broker has returned it.
    var isReturned = false
  }

  /// The message for which the broker closed the channel or the connection.
  package enum Culprit: Equatable {
    case one(UInt64)
    /// One of this many messages. On the next channel that many messages are sent one at a time.
    case unknown(UInt64)
    /// None: the error is not about a message.
    case none
  }

  /// The first message of a connection is sent alone: a broker under an alarm reports it only after that message, and then
  /// stops reading.
  private enum Trial {
    case pending
    case running(until: SuspendingClock.Instant)
    case over
  }

  /// How long the first message stays alone without a reply. An alarm is reported at once. A confirm may take hours, from a
  /// quorum queue that has lost its majority, and must not delay other messages.
  package static let trialTime = Duration.seconds(1)

  /// The most messages in flight.
  package let window: Int
  /// While true nothing may be sent.
  package var isBlocked = false
  private var waiting: Deque<MessageBatch> = []
  /// How many messages of the first waiting batch were sent or refused.
  private var sentOfFirst = 0
  private var inFlight = Confirms<InFlight>()
  private var trial = Trial.pending
  /// What the broker is known to refuse. Outlives the channel.
  package private(set) var refusals: Refusals
  /// Messages refused locally, not sent.
  private var refused: [(number: UInt64, error: AMQPError)] = []
  /// How many messages are still to be sent one at a time, each followed by a marker. The broker's reply to the marker
  /// shows that it accepted the message, however long the confirm takes.
  private var probesLeft: UInt64
  private var isAwaitingMarker = false

  /// - Parameters:
  ///   - probes: How many messages are sent one at a time, because one of them closes the channel.
  ///   - isProven: Whether the connection has carried a message before, on another channel.
  package init(window: Int, refusals: Refusals = Refusals(), probes: UInt64 = 0, isProven: Bool = false) {
    if isProven { trial = .over }
    self.window = max(1, window)
    self.refusals = refusals
    probesLeft = probes
  }

  package var isEmpty: Bool { waiting.isEmpty && inFlight.count == 0 }

  /// Whether a message may be sent now. False while the window is full or the broker has blocked publishing.
  package var hasNext: Bool { !isBlocked && !isAwaitingMarker && inFlight.count < room && !waiting.isEmpty }

  /// Removes the messages to send now, which are adjacent in one batch, and counts them as in flight.
  ///
  /// - Parameter limit: In bytes. Only the last message may exceed it.
  package mutating func takeNext(atMostBytes limit: Int, at now: SuspendingClock.Instant) -> MessageBatch.Slice? {
    guard skipRefused(at: now), let batch = waiting.first else { return nil }
    let begin = sentOfFirst
    let room = probesLeft > 0 ? 1 : room - inFlight.count
    let mostEntries = min(batch.entries.count, begin + room)
    repeat {
      inFlight.published(InFlight(entry: batch.entries[sentOfFirst]))
      sentOfFirst += 1
    } while sentOfFirst < mostEntries && batch.entries[sentOfFirst - 1].end - batch.start(of: begin) < limit
      && (refusals.isEmpty || refusals.refusal(of: batch.entries[sentOfFirst], at: now) == nil)
    if case .pending = trial { trial = .running(until: now + Self.trialTime) }
    if probesLeft > 0 {
      probesLeft -= 1
      isAwaitingMarker = true
    }
    let end = sentOfFirst
    dropSentBatch()
    assert(begin < end, "an empty slice was taken")
    assert(inFlight.count <= window, "more messages in flight than the window allows")
    assert(!isAwaitingMarker || end == begin + 1, "a probe is sent alone")
    return MessageBatch.Slice(batch: batch, entries: begin..<end)
  }

  /// Skips messages that are refused locally. Returns false when no message may be sent.
  private mutating func skipRefused(at now: SuspendingClock.Instant) -> Bool {
    while hasNext, let entry = waiting.first?.entries[sentOfFirst] {
      guard !refusals.isEmpty, let error = refusals.refusal(of: entry, at: now) else { return true }
      refused.append((entry.number, error))
      sentOfFirst += 1
      dropSentBatch()
    }
    return false
  }

  private mutating func dropSentBatch() {
    if sentOfFirst == waiting.first?.entries.count {
      waiting.removeFirst()
      sentOfFirst = 0
    }
    assert(sentOfFirst < waiting.first?.entries.count ?? 1, "the first waiting batch has nothing left to send")
  }

  /// The messages refused locally since the last call.
  package mutating func takeRefused() -> [(number: UInt64, error: AMQPError)] {
    defer { refused = [] }
    return refused
  }

  /// Whether the last message sent is to be followed by a marker.
  package var needsMarker: Bool { isAwaitingMarker }

  /// The broker replied to a marker: it accepted every message before it.
  package mutating func markerAnswered() { isAwaitingMarker = false }

  /// Finds the message for which the broker closed the channel or the connection. This value is discarded afterwards, and
  /// with it the messages in flight.
  package mutating func culprit(of error: AMQPError, at now: SuspendingClock.Instant) -> Culprit {
    let unconfirmed = inFlight.elements.map(\.entry)
    switch refusals.verdict(on: error, of: unconfirmed) {
    case .none: return .none
    case .kind(let kind):
      refusals.learn(kind, from: error, at: now)
      return unconfirmed.first(where: kind.covers).map { .one($0.number) } ?? .none
    case .unexplained:
      if isAwaitingMarker, let last = unconfirmed.last { return .one(last.number) }
      if unconfirmed.count == 1 { return .one(unconfirmed[0].number) }
      return unconfirmed.isEmpty ? .none : .unknown(UInt64(unconfirmed.count))
    }
  }

  private var room: Int {
    if case .over = trial { window } else { 1 }
  }

  /// When `advance(to:)` has to be called without an event of the broker; nil when only an event can change anything.
  package var nextAdvance: SuspendingClock.Instant? {
    let probe = refusals.nextAdvance
    guard !isBlocked, !waiting.isEmpty, case .running(let end) = trial else { return probe }
    return min(end, probe ?? end)
  }

  /// Opens the window once the broker has had time to report an alarm.
  package mutating func advance(to now: SuspendingClock.Instant) {
    if case .running(let end) = trial, end <= now { trial = .over }
    if !isBlocked, !refusals.isEmpty { refusals.advance(to: now) }
  }

  package mutating func add(_ batch: MessageBatch) {
    if !batch.entries.isEmpty { waiting.append(batch) }
  }

  /// Resolves the messages that a confirm or a nack names.
  ///
  /// - Returns: The caller's numbers; nil when the broker names a message that was never sent to it.
  package mutating func resolve(_ sequence: UInt64, multiple: Bool) -> [UInt64]? {
    trial = .over
    let newest = inFlight.nextSequence - 1
    guard let resolved = inFlight.resolve(sequence, multiple: multiple)?.map(\.entry.number) else { return nil }
    if isAwaitingMarker, sequence == newest || sequence == 0 { isAwaitingMarker = false }
    assert(!isAwaitingMarker || inFlight.count > 0, "a marker is awaited, but the message before it is confirmed")
    if !refusals.isEmpty { refusals.accepted(resolved) }
    return resolved
  }

  /// The caller's number of a returned message; nil when it cannot be identified.
  ///
  /// A `basic.return` carries no sequence number. The broker returns messages in the order in which they were published,
  /// so it is the oldest message with the same fingerprint that was not returned yet.
  package mutating func noteReturned(_ returned: ReturnedMessage) -> UInt64? {
    let fingerprint = returned.fingerprint
    var number: UInt64?
    _ = inFlight.updateFirst {
      !$0.isReturned && $0.entry.fingerprint == fingerprint
    } _: { match in
      match.isReturned = true
      number = match.entry.number
    }
    return number
  }
}
