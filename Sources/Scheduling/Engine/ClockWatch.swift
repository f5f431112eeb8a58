import Recurrence

/// Watches for a wall clock that is set far back: by more than a day, while the process ran or since it last stored its mark.
///
/// It is believed only after it has stayed so for a while, for many a machine starts in 1970 and is corrected a moment later.
/// A step back by less is an ordinary correction, and a step forward is like an outage; neither needs anything here.
struct ClockWatch {
  enum State {
    case steady
    /// The clock shows far less than `expected`, which is what it should have shown at `since` on the monotonic clock.
    case suspect(expected: Instant, since: Int64)
  }

  private(set) var state = State.steady
  /// The latest reading of the wall clock since it was last set far back: slots up to here do not come again.
  private(set) var latestWall = Instant(milliseconds: .min)
  /// The last reading; nil before the first.
  private var lastReading: Now?
  /// How long a step back must last to be believed, in milliseconds.
  private let patience: Int64

  /// The smallest step back that invalidates computed slots, in milliseconds.
  static let farMilliseconds: Int64 = 86_400_000

  init(settings: Engine.Settings) { patience = settings.clockPatienceMilliseconds }

  var isSuspect: Bool {
    if case .suspect = state { true } else { false }
  }

  /// Takes a reading. Returns the time from which the clock was set back, once that is believed.
  ///
  /// - Parameter recovered: The in-doubt mark of the process before, which tells what its clock showed.
  mutating func read(_ now: Now, recovered: Instant) -> Instant? {
    defer {
      lastReading = now
      latestWall = max(latestWall, now.wall)
      assert(latestWall >= now.wall)
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

  /// Of several steps back it is the sum that counts.
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

  /// When, on the monotonic clock, a step back will be believed; nil while there is none.
  var deadline: Int64? {
    if case .suspect(_, let since) = state { since + patience } else { nil }
  }
}
