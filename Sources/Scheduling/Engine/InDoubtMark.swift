import Recurrence

/// The in-doubt mark: the durable high-water mark of due times up to which ticks may have been published.
///
/// No tick leaves before a mark that covers it is stored. After a crash the ticks that the stored mark covers are sent again
/// as they were, whatever their misfire policy; so it is kept close ahead of the clock.
struct InDoubtMark: Sendable {
  /// Ticks due at or before this instant may have been published by an earlier process.
  private(set) var recovered: Instant
  /// Ticks due at or before this instant may be published by this process.
  private(set) var stored: Instant
  /// The mark that is about to be stored; nil when none is.
  private(set) var requested: Instant?
  /// The latest due time of a tick that this process published; beyond now only if the wall clock was set back.
  private(set) var sentThrough = Instant(milliseconds: .min)
  /// Whether the mark is too high since the clock was set far back, and to be lowered once nothing is in flight.
  private(set) var mustLower = false

  /// How far ahead of the wall clock a mark is set, in milliseconds: after a crash, a tick due within this time after it may
  /// be sent however late.
  static let horizonMilliseconds: Int64 = 3_000
  /// How long before it is needed a mark is requested, in milliseconds, so that the tick does not wait for the disk.
  static let leadMilliseconds: Int64 = 500
  /// While ticks are being stored, the next mark is stored with them when less than this is left of the last one.
  static let renewalMilliseconds: Int64 = horizonMilliseconds / 2

  /// - Parameter recovered: The mark that an earlier process stored.
  init(recovered: Instant) {
    self.recovered = recovered
    stored = recovered
  }

  /// Whether a tick with this due time may leave.
  func covers(_ due: Instant) -> Bool { due <= stored }

  /// The mark at a time of the wall clock.
  static func through(at wall: Instant) -> Instant { wall.advanced(byMilliseconds: horizonMilliseconds) }

  /// When to request the mark for a tick with this due time.
  static func requestTime(for due: Instant) -> Instant { due.advanced(byMilliseconds: -leadMilliseconds) }

  /// Whether the next mark is worth storing with the ticks that are stored now, if others follow within the horizon.
  func isRunningOut(at wall: Instant) -> Bool {
    requested == nil && stored < wall.advanced(byMilliseconds: Self.renewalMilliseconds)
  }

  /// The change that raises the mark; nil while one is about to be stored.
  mutating func request(at wall: Instant) -> Change? {
    guard requested == nil else { return nil }
    let through = Self.through(at: wall)
    requested = through
    return .markInDoubt(through: through)
  }

  /// The requested mark is stored.
  mutating func wasStored(_ through: Instant) {
    stored = through
    requested = nil
  }

  /// A tick with this due time is published.
  mutating func sent(_ due: Instant) { sentThrough = max(sentThrough, due) }

  /// The wall clock was set far back and every slot is one of the clock as it is now: ticks due beyond this instant are in
  /// doubt no more, and the mark is to be lowered.
  mutating func clockWasSetBack(through bound: Instant) {
    recovered = min(recovered, bound)
    mustLower = true
  }

  /// The change that lowers the mark; nil while one is about to be stored. To be asked for when nothing is in flight.
  mutating func lower(to wall: Instant) -> Change? {
    guard mustLower, let change = request(at: wall) else { return nil }
    mustLower = false
    sentThrough = min(sentThrough, wall)
    // From now on: a tick that leaves beyond the new mark before that is stored would not be in doubt after a crash.
    stored = min(stored, Self.through(at: wall))
    return change
  }

  /// The change that leaves nothing in doubt at a clean stop but what is unconfirmed after the clock was set back; nil when
  /// the mark is right as it is.
  func final(at wall: Instant) -> Change? {
    let mark = max(wall, sentThrough, recovered)
    return mark < stored ? .markInDoubt(through: mark) : nil
  }
}
