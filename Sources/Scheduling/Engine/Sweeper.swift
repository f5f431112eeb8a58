import Recurrence

/// Removes what need not be retained any longer, in small steps so that no tick waits for one.
struct Sweeper {
  /// When the next step is due, on the monotonic clock; nil until commands are first consumed.
  private(set) var deadline: Int64?
  private let settings: Engine.Settings

  init(settings: Engine.Settings) { self.settings = settings }

  /// Commands are consumed. Their redelivered duplicates are recognised before the first answers are removed.
  mutating func commandsOpened(at now: Now) {
    deadline = deadline ?? now.uptime + settings.sweepDelayMilliseconds
  }

  /// What may be removed now; nil until the next step is due.
  ///
  /// - Parameter unsettledSince: Commands answered at or after this instant may be delivered again.
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

  /// A step removed this many rows.
  mutating func swept(_ count: Int, at now: Now) {
    let isMore = count >= settings.sweepStep
    deadline = now.uptime + (isMore ? settings.sweepPauseMilliseconds : settings.sweepIntervalMilliseconds)
  }
}
