/// A consumer's state while its channel is open.
struct ConsumerSession {
  var tag: String
  var epoch: UInt64
  /// Whether deliveries are ignored, to be requeued when the channel closes.
  var isQuiet = false
  /// When to check again that there is no other consumer; nil when done or not needed.
  var recheckAt: SuspendingClock.Instant?
  /// When to check whether the queue is empty; nil while no redelivered message is expected.
  private(set) var nextCheck: SuspendingClock.Instant?
  private var wasEmpty = false
  var congestion: Congestion?

  init(tag: String, epoch: UInt64, recheckAt: SuspendingClock.Instant? = nil) {
    self.tag = tag
    self.epoch = epoch
    self.recheckAt = recheckAt
  }

  /// Random, so that of two consumers that started together one checks while the other is consuming.
  static func recheckTime() -> SuspendingClock.Instant {
    .now + .milliseconds(Int.random(in: 1000...3000))
  }

  /// The earliest deadline; nil when there is nothing to do without an event of the broker.
  var nextStep: SuspendingClock.Instant? { [recheckAt, nextCheck].compactMap(\.self).min() }

  // MARK: Redelivered messages

  /// How long a queue must be empty to count as empty. For 0.6 s after its start a node reports an empty queue while requeued
  /// messages are still to come.
  static let emptyTime = Duration.seconds(1)
  /// Delays the first check, so that deliveries in transit arrive before it.
  static let firstCheck = Duration.milliseconds(100)

  /// A delivery shows that this is the active consumer. A first delivery shows that no redelivered message is left.
  mutating func delivered(_ deliveries: [Delivery], at now: SuspendingClock.Instant) {
    recheckAt = nil
    guard let last = deliveries.last else { return }
    nextCheck = last.redelivered ? now + Self.firstCheck : nil
    wasEmpty = false
  }

  /// Notes the queue's message count. Returns true once it has been empty for `emptyTime`.
  mutating func checked(messages: Int, at now: SuspendingClock.Instant) -> Bool {
    guard messages > 0 || !wasEmpty else {
      nextCheck = nil
      return true
    }
    wasEmpty = messages == 0
    nextCheck = now + Self.emptyTime
    return false
  }

  // MARK: Congestion

  /// The state while deliveries are not read, because those held in memory reached the limit of bytes.
  struct Congestion {
    private let since: SuspendingClock.Instant
    private var isReported = false
    private var readAt: SuspendingClock.Instant

    enum Step {
      case wait(Duration)
      case report
      /// Read one message, because only reading serves heartbeats.
      case readOne
    }

    private static let patience = Duration.seconds(5)
    private static let readPause = Duration.seconds(2)

    static func step(_ session: inout ConsumerSession?, at now: SuspendingClock.Instant) -> Step {
      var congestion = session?.congestion ?? Congestion(since: now, readAt: now + readPause)
      defer { session?.congestion = congestion }
      if !congestion.isReported, now - congestion.since >= patience {
        congestion.isReported = true
        return .report
      }
      if now >= congestion.readAt {
        congestion.readAt = now + readPause
        return .readOne
      }
      return .wait(congestion.readAt - now)
    }
  }
}
