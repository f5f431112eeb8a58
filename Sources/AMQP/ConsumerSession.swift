/// What a consumer keeps while its channel is open.
struct ConsumerSession {
  var tag: String
  var epoch: UInt64
  /// Deliveries are left to return to the queue.
  var isQuiet = false
  /// When to check once more that nobody else consumes; nil when that is done or not needed.
  var recheckAt: SuspendingClock.Instant?
  /// When to look whether the queue is empty; nil while nothing that was redelivered is waited for.
  private(set) var lookAt: SuspendingClock.Instant?
  private var wasEmpty = false
  var congestion: Congestion?

  init(tag: String, epoch: UInt64, recheckAt: SuspendingClock.Instant? = nil) {
    self.tag = tag
    self.epoch = epoch
    self.recheckAt = recheckAt
  }

  /// At random, so that of two consumers that came at the same time one looks while the other is there.
  static func recheckTime() -> SuspendingClock.Instant {
    .now + .milliseconds(Int.random(in: 1000...3000))
  }

  /// When something is to be done if the broker sends nothing.
  var nextStep: SuspendingClock.Instant? { [recheckAt, lookAt].compactMap(\.self).min() }

  // MARK: What is redelivered

  /// A queue that has been empty for so long is empty. For 0.6 s after a node's start it says that it is, while returned
  /// messages are still to come.
  static let emptyTime = Duration.seconds(1)
  /// Deliveries that are on their way come first.
  static let firstLook = Duration.milliseconds(100)

  /// A delivery shows that we are the active consumer. One that comes for the first time shows that none is left of those that
  /// were returned.
  mutating func delivered(_ deliveries: [Delivery], at now: SuspendingClock.Instant) {
    recheckAt = nil
    guard let last = deliveries.last else { return }
    lookAt = last.redelivered ? now + Self.firstLook : nil
    wasEmpty = false
  }

  /// Takes note of how many messages the queue has. True when it has been empty for long enough.
  mutating func looked(messages: Int, at now: SuspendingClock.Instant) -> Bool {
    guard messages > 0 || !wasEmpty else {
      lookAt = nil
      return true
    }
    wasEmpty = messages == 0
    lookAt = now + Self.emptyTime
    return false
  }

  // MARK: More than there is room for

  /// Nothing is read, for there is no room.
  struct Congestion {
    private let since: SuspendingClock.Instant
    private var isTold = false
    private var readAt: SuspendingClock.Instant

    enum Step {
      case wait(Duration)
      case tell
      /// Heartbeats are served only by reading.
      case readOne
    }

    private static let patience = Duration.seconds(5)
    private static let readPause = Duration.seconds(2)

    static func step(_ session: inout ConsumerSession?, at now: SuspendingClock.Instant) -> Step {
      var congestion = session?.congestion ?? Congestion(since: now, readAt: now + readPause)
      defer { session?.congestion = congestion }
      if !congestion.isTold, now - congestion.since >= patience {
        congestion.isTold = true
        return .tell
      }
      if now >= congestion.readAt {
        congestion.readAt = now + readPause
        return .readOne
      }
      return .wait(congestion.readAt - now)
    }
  }
}
