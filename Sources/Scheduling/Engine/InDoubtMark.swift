import Recurrence

/// The in-doubt mark: the durable high-water mark of due times up to which ticks may have been published.
///
/// No tick leaves before a mark that covers it is stored. After a crash, ticks covered by the stored mark are sent
/// again unchanged, whatever their misfire policy; so the mark is kept close ahead of the clock.
struct InDoubtMark: Sendable {
  /// Ticks due at or before this instant may have been published by an earlier process.
  private(set) var recovered: Instant
  /// The last schedule that an earlier process started: it published no tick of a later one.
  private let recoveredGeneration: Int64
  /// Ticks due at or before this instant may be published by this process.
  private(set) var stored: Instant
  /// The mark that is about to be stored; nil when none is.
  private(set) var requested: Instant?
  /// The latest due time of a tick published by this process. It is after now only if the wall clock was set back.
  private(set) var sentThrough = Instant(milliseconds: .min)
  /// Whether the mark is too high because the clock was set far back, and has to be lowered once nothing is in flight.
  private(set) var mustLower = false

  /// How far ahead of the wall clock a mark is set, in milliseconds. A tick due within this time after a crash is sent
  /// however late.
  static let horizonMilliseconds: Int64 = 3_000
  /// How long before it is needed a mark is requested, in milliseconds, so that no tick waits for the disk.
  static let leadMilliseconds: Int64 = 500
  /// When ticks are stored and less than this is left of the last mark, the next one is stored with them. In
  /// milliseconds.
  static let renewalMilliseconds: Int64 = horizonMilliseconds / 2

  /// - Parameters:
  ///   - recovered: The mark stored by an earlier process.
  ///   - generation: The last generation that it assigned.
  init(recovered: Instant, through generation: Int64 = .max) {
    self.recovered = recovered
    recoveredGeneration = generation
    stored = recovered
  }

  /// Whether an earlier process may have published the tick at this position.
  func isInDoubt(_ position: DuePosition) -> Bool {
    position.due <= recovered && position.generation <= recoveredGeneration
  }

  /// Whether a tick with this due time may leave.
  func covers(_ due: Instant) -> Bool { due <= stored }

  /// The mark to set at a time of the wall clock.
  static func through(at wall: Instant) -> Instant { wall.advanced(byMilliseconds: horizonMilliseconds) }

  /// When to request the mark for a tick with this due time.
  static func requestTime(for due: Instant) -> Instant { due.advanced(byMilliseconds: -leadMilliseconds) }

  /// Whether to store the next mark with a transaction that is made anyway, if more ticks follow within the horizon.
  func isRunningOut(at wall: Instant) -> Bool {
    requested == nil && stored < wall.advanced(byMilliseconds: Self.renewalMilliseconds)
  }

  /// The change that raises the mark; nil while one is about to be stored.
  mutating func request(at wall: Instant) -> Change? {
    assert(requested != nil || Self.through(at: wall) >= stored, "only `lower` lowers the mark")
    return set(at: wall)
  }

  private mutating func set(at wall: Instant) -> Change? {
    guard requested == nil else { return nil }
    let through = Self.through(at: wall)
    requested = through
    return .markInDoubt(through: through)
  }

  /// The requested mark is stored.
  mutating func wasStored(_ through: Instant) {
    assert(requested == nil || requested == through, "one mark is stored at a time")
    assert(requested == nil || through >= stored, "a mark that is lowered holds from its request on")
    stored = through
    requested = nil
  }

  /// A tick with this due time is published.
  mutating func sent(_ due: Instant) {
    assert(covers(due), "a tick leaves after a mark that covers it is stored")
    sentThrough = max(sentThrough, due)
  }

  /// The wall clock was set far back and all slots are recomputed: ticks due after `bound` are no longer in doubt, and
  /// the mark is to be lowered.
  mutating func clockWasSetBack(through bound: Instant) {
    recovered = min(recovered, bound)
    mustLower = true
  }

  /// The change that lowers the mark; nil while another is about to be stored. Call it only while nothing is in flight.
  mutating func lower(to wall: Instant) -> Change? {
    guard mustLower, let change = set(at: wall) else { return nil }
    mustLower = false
    sentThrough = min(sentThrough, wall)
    // At once: a tick sent beyond the new mark, before that is stored, would not be in doubt after a crash.
    stored = min(stored, Self.through(at: wall))
    return change
  }

  /// The change that lowers the mark at a clean stop; nil if it is low enough. It stays above ticks that were sent
  /// before the clock was set back, which may be unconfirmed.
  func final(at wall: Instant) -> Change? {
    let mark = max(wall, sentThrough, recovered)
    return mark < stored ? .markInDoubt(through: mark) : nil
  }
}
