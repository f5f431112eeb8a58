/// What a publisher has been given and the broker has not confirmed: which message may go next, and what an answer of
/// the broker means for the caller's numbers. Pure; one per connection.
package struct SendWindow {
  /// What is kept of a message on the wire. Its frames are not.
  private struct InFlight {
    let number: UInt64
    /// What it is known by when it is returned; nil when it can no longer be.
    var fingerprint: Int?
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

  package init(window: Int) { self.window = max(1, window) }

  package var isEmpty: Bool { waiting.isEmpty && inFlight.count == 0 }

  /// Whether there is a message that may be sent now: not when the window is full or the broker is blocked.
  package var hasNext: Bool { !isBlocked && inFlight.count < room && !waiting.isEmpty }

  /// Takes the messages to send now, that stand together, and counts them as sent.
  ///
  /// - Parameter limit: One message goes beyond so many bytes, no more.
  package mutating func takeNext(atMostBytes limit: Int, at now: SuspendingClock.Instant) -> MessageBatch.Slice? {
    guard hasNext, let batch = waiting.first else { return nil }
    let begin = sentOfFirst
    let mostEntries = min(batch.entries.count, begin + room - inFlight.count)
    repeat {
      let entry = batch.entries[sentOfFirst]
      inFlight.published(InFlight(number: entry.number, fingerprint: entry.fingerprint))
      sentOfFirst += 1
    } while sentOfFirst < mostEntries && batch.entries[sentOfFirst - 1].end - batch.start(of: begin) < limit
    if case .toCome = trial { trial = .under(until: now + Self.trialTime) }
    defer {
      if sentOfFirst == batch.entries.count {
        _ = waiting.popFirst()
        sentOfFirst = 0
      }
    }
    return MessageBatch.Slice(batch: batch, entries: begin..<sentOfFirst)
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

  package mutating func add(_ batch: MessageBatch) {
    if !batch.entries.isEmpty { waiting.append(batch) }
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
    let fingerprint = returned.fingerprint
    var number: UInt64?
    _ = inFlight.updateFirst {
      $0.fingerprint == fingerprint
    } _: { match in
      match.fingerprint = nil
      number = match.number
    }
    return number
  }
}
