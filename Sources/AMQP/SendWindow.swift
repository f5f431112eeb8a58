/// What a publisher has been given and the broker has not confirmed: which message may go next, and what an answer of
/// the broker means for the caller's numbers. Pure; one per connection.
package struct SendWindow {
  /// What is kept of a message on the wire. Its frames are not.
  private struct InFlight {
    let entry: MessageBatch.Entry
    /// Whether a return of it has come.
    var isReturned = false
  }

  /// Which message it was on which the broker closed the channel or the connection.
  package enum Culprit: Equatable {
    case one(UInt64)
    /// One of so many. On the next connection as many are sent one at a time.
    case unknown(UInt64)
    /// None: the error is about something else.
    case none
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
  private var waiting = FIFO<MessageBatch>()
  /// How many of the first of them were sent.
  private var sentOfFirst = 0
  private var inFlight = Confirms<InFlight>()
  private var trial = Trial.toCome
  /// What the broker is known to refuse. It outlives the connection.
  package private(set) var refusals: Refusals
  /// Messages that were refused here, and not sent.
  private var refused: [(number: UInt64, error: AMQPError)] = []
  /// How many messages are still to be sent one at a time, each followed by a marker: by whether the broker answers that it
  /// is known to have accepted the message, however long the confirm takes.
  private var probesLeft: UInt64
  private var isAwaitingMarker = false

  /// - Parameters:
  ///   - probes: How many messages are sent one at a time, because one of them costs the channel.
  ///   - isProven: Whether the connection has carried a message before, on another channel.
  package init(window: Int, refusals: Refusals = Refusals(), probes: UInt64 = 0, isProven: Bool = false) {
    if isProven { trial = .over }
    self.window = max(1, window)
    self.refusals = refusals
    probesLeft = probes
  }

  package var isEmpty: Bool { waiting.isEmpty && inFlight.count == 0 }

  /// Whether there is a message that may be sent now: not when the window is full or the broker is blocked.
  package var hasNext: Bool { !isBlocked && !isAwaitingMarker && inFlight.count < room && !waiting.isEmpty }

  /// Takes the messages to send now, that stand together, and counts them as sent.
  ///
  /// - Parameter limit: One message goes beyond so many bytes, no more.
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
    if case .toCome = trial { trial = .under(until: now + Self.trialTime) }
    if probesLeft > 0 {
      probesLeft -= 1
      isAwaitingMarker = true
    }
    let end = sentOfFirst
    dropSentBatch()
    return MessageBatch.Slice(batch: batch, entries: begin..<end)
  }

  /// Leaves out messages that are refused here, up to the next that may be sent; false when there is none.
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
    guard sentOfFirst == waiting.first?.entries.count else { return }
    _ = waiting.popFirst()
    sentOfFirst = 0
  }

  /// What was refused here since this was asked last.
  package mutating func takeRefused() -> [(number: UInt64, error: AMQPError)] {
    defer { refused = [] }
    return refused
  }

  /// Whether the message that was sent last is to be followed by a marker.
  package var wantsMarker: Bool { isAwaitingMarker }

  /// The broker answered a marker: it has accepted all before it.
  package mutating func markerAnswered() { isAwaitingMarker = false }

  /// The broker closed the channel, or the connection. What was in flight is forgotten with this value.
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

  /// When more may be sent without news of the broker: call `advance(to:)` then. Nil when only news can change anything.
  package var nextAdvance: SuspendingClock.Instant? {
    let probe = refusals.nextAdvance
    guard !isBlocked, !waiting.isEmpty, case .under(let end) = trial else { return probe }
    return min(end, probe ?? end)
  }

  /// Opens the window if the broker has had its time to tell of an alarm.
  package mutating func advance(to now: SuspendingClock.Instant) {
    if case .under(let end) = trial, end <= now { trial = .over }
    if !isBlocked, !refusals.isEmpty { refusals.advance(to: now) }
  }

  package mutating func add(_ batch: MessageBatch) {
    if !batch.entries.isEmpty { waiting.append(batch) }
  }

  /// The caller's numbers that an answer settles; nil when the broker names a message it was never sent.
  package mutating func settle(_ sequence: UInt64, multiple: Bool) -> [UInt64]? {
    trial = .over
    let newest = inFlight.nextSequence - 1
    guard let settled = inFlight.settle(sequence, multiple: multiple)?.map(\.entry.number) else { return nil }
    if isAwaitingMarker, sequence == newest || sequence == 0 { isAwaitingMarker = false }
    if !refusals.isEmpty { refusals.accepted(settled) }
    return settled
  }

  /// The caller's number of a returned message; nil when it cannot be told which one it is.
  ///
  /// A return does not say the sequence number. The broker returns messages in the order they were published, so it is
  /// the oldest one that looks like it and has not been returned.
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
