import Recurrence

/// When what the retention no longer asks for is removed: in small steps, so that no tick waits for one.
struct Sweeper {
  /// When the next step comes, on the monotonic clock; nil before commands were consumed for the first time.
  private(set) var deadline: Int64?
  private let settings: Engine.Settings

  init(settings: Engine.Settings) { self.settings = settings }

  /// Commands are consumed: what was redelivered after an outage is recognized before its memory is removed.
  mutating func commandsOpened(at now: Now) {
    deadline = deadline ?? now.uptime + settings.sweepDelayMilliseconds
  }

  /// What may be removed now; nil while it is not time for a step.
  ///
  /// - Parameter unsettledSince: Commands that were answered since then may be delivered again.
  func work(at now: Now, unsettledSince: Instant) -> StoreLane.Work? {
    guard let deadline, now.uptime >= deadline else { return nil }
    func before(_ milliseconds: Int64) -> Instant { now.wall.advanced(byMilliseconds: -milliseconds) }
    return .sweep(
      Retention(
        endedBefore: before(settings.endedRetentionMilliseconds),
        firedBefore: before(settings.firedRetentionMilliseconds),
        lastingBefore: before(settings.lastingRetentionMilliseconds),
        answeredBefore: min(before(settings.repeatWindowMilliseconds), unsettledSince),
        maximumEnded: settings.maximumEnded, maximumCommands: settings.maximumCommands))
  }

  /// A step removed so many rows.
  mutating func swept(_ count: Int, at now: Now) {
    let isMore = count >= settings.sweepStep
    deadline = now.uptime + (isMore ? settings.sweepPauseMilliseconds : settings.sweepIntervalMilliseconds)
  }
}
