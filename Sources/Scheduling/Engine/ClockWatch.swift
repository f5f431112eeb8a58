import Recurrence

/// Detects a wall clock that was set back by more than a day, while the process ran or since the previous process
/// stored its in-doubt mark.
///
/// The step is believed only after it has lasted a while, since many machines boot in 1970 and are corrected a moment
/// later. A smaller step back is an ordinary correction and a step forward is treated as an outage; neither needs
/// anything here.
struct ClockWatch {
  enum State {
    /// No step back is suspected. Becomes suspect.
    case steady
    /// The clock shows far less than expected. `expected` is what it should have shown at `since`, a time on the
    /// monotonic clock. Becomes steady, when the clock is corrected or the step is believed.
    case suspect(expected: Instant, since: Int64)
  }

  private(set) var state = State.steady
  /// The latest reading of the wall clock since it was last set far back. Slots up to here do not occur again.
  private(set) var latestWall = Instant(milliseconds: .min)
  /// The last reading; nil before the first.
  private var lastReading: Now?
  /// How long a step back must last to be believed, in milliseconds.
  private let patience: Int64

  /// A backward step of more than this invalidates computed slots, in milliseconds.
  static let farMilliseconds: Int64 = 86_400_000

  init(settings: Engine.Settings) { patience = settings.clockPatienceMilliseconds }

  var isSuspect: Bool {
    if case .suspect = state { true } else { false }
  }

  /// Takes a reading. Returns the time from which the clock was set back, once that is believed.
  ///
  /// - Parameter recovered: The in-doubt mark of the previous process, which shows what its clock read.
  mutating func read(_ now: Now, recovered: Instant) -> Instant? {
    assert(lastReading.map { $0.uptime <= now.uptime } ?? true, "the monotonic clock never goes back")
    defer {
      lastReading = now
      latestWall = max(latestWall, now.wall)
    }
    if case .steady = state { state = suspicion(at: now, recovered: recovered) }
    guard case .suspect(let then, let since) = state else { return nil }
    let expected = then.advanced(byMilliseconds: now.uptime - since)
    guard isFar(expected, ahead: now.wall) else {
      state = .steady
      return nil
    }
    guard now.uptime - since >= patience else { return nil }
    state = .steady
    latestWall = now.wall
    return expected
  }

  /// Steps back add up: the comparison is with the latest reading, not with the last.
  private func suspicion(at now: Now, recovered: Instant) -> State {
    let expected =
      if let lastReading {
        max(latestWall, lastReading.wall.advanced(byMilliseconds: now.uptime - lastReading.uptime))
      } else {
        recovered.advanced(byMilliseconds: -InDoubtMark.horizonMilliseconds)
      }
    return isFar(expected, ahead: now.wall) ? .suspect(expected: expected, since: now.uptime) : .steady
  }

  private func isFar(_ expected: Instant, ahead wall: Instant) -> Bool {
    expected > wall.advanced(byMilliseconds: Self.farMilliseconds)
  }

  /// When, on the monotonic clock, the suspected step back will be believed; nil while none is suspected.
  var deadline: Int64? {
    if case .suspect(_, let since) = state { since + patience } else { nil }
  }
}
