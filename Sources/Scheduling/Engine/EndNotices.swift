import Recurrence

/// The Stoppeds that are owed by schedules that ended by themselves.
///
/// A schedule's row is the outbox of its Stopped: a bounded number is in hand, from its end until it is stored that the
/// broker has confirmed the Stopped; the others are read again from their rows when there is room.
struct EndNotices {
  private struct Notice {
    let id: ScheduleID
    let bytes: Int
    /// Whether a command waits for it: then it stays in hand.
    var isAwaited: Bool
  }

  /// By generation.
  private var inHand: [Int64: Notice] = [:]
  /// The schedules of those in hand.
  private(set) var ids: Set<ScheduleID> = []
  private var bytes = 0
  /// Rows beyond this generation may owe a Stopped that is not in hand; nil when none does.
  private(set) var cursor: Int64? = 0
  /// Whether rows before the cursor may, too, and when they are read again, on the monotonic clock.
  private var hasReleased = false
  private(set) var nextRound: Int64?

  var count: Int { inHand.count }

  /// Where to read on; nil when nothing is left to read, or there is no room for it.
  func nextPage(_ settings: Engine.Settings) -> (after: Int64, limit: Int)? {
    let limit = min(settings.duePage, settings.maximumEndNotices)
    guard let cursor, inHand.count <= settings.maximumEndNotices - limit, bytes < settings.maximumEndNoticeBytes else {
      return nil
    }
    return (cursor, limit)
  }

  /// Takes the Stopped that a schedule owes in hand, to be published now; nil when it owes none, when it is in hand, or when
  /// there is no room: then its row is read again.
  ///
  /// - Parameter isAwaited: A command on the schedule waits for it, so that it is taken whatever the room.
  mutating func take(_ schedule: Schedule, isAwaited: Bool = false, _ settings: Engine.Settings) -> Stopped? {
    guard let ending = schedule.ending, ending.owesStopped, let reason = ending.reason else { return nil }
    let generation = schedule.generation
    guard inHand[generation] == nil else {
      if isAwaited { inHand[generation]?.isAwaited = true }
      return nil
    }
    guard isAwaited || inHand.count < settings.maximumEndNotices && bytes < settings.maximumEndNoticeBytes else {
      cursor = min(cursor ?? .max, generation - 1)
      return nil
    }
    let stopped = Stopped(
      definition: schedule.definition, id: schedule.id, generation: generation, counter: schedule.counter,
      reason: reason)
    let size = schedule.definition.payload?.count ?? 0
    inHand[generation] = Notice(id: schedule.id, bytes: size, isAwaited: isAwaited)
    ids.insert(schedule.id)
    bytes += size
    return stopped
  }

  /// The rows after `position` were read, of which the last is given and all were offered to `take`.
  mutating func read(after position: Int64, through last: Int64?, isLast: Bool, at now: Now) {
    guard cursor == position else { return }  // some row before the end of the page found no room meanwhile
    cursor = isLast ? nil : last ?? cursor
    if cursor == nil, hasReleased, nextRound == nil { nextRound = now.uptime + Self.roundMilliseconds }
  }

  /// Begins to read all rows again, if it is time for that.
  mutating func beginRound(at now: Now) {
    guard let nextRound, nextRound <= now.uptime else { return }
    (self.nextRound, hasReleased, cursor) = (nil, false, 0)
  }

  /// It is stored that the Stopped was confirmed.
  mutating func announced(_ generation: Int64) { drop(generation) }

  /// Leaves a Stopped that was refused to its row for a while, if others wait for room; false when it stays in hand.
  mutating func release(_ generation: Int64, at now: Now) -> Bool {
    guard cursor != nil, inHand[generation]?.isAwaited == false else { return false }
    drop(generation)
    hasReleased = true
    return true
  }

  func isAwaited(_ generation: Int64) -> Bool { inHand[generation]?.isAwaited == true }

  private mutating func drop(_ generation: Int64) {
    guard let notice = inHand.removeValue(forKey: generation) else { return }
    ids.remove(notice.id)
    bytes -= notice.bytes
  }

  /// How long those that were left to their rows are let rest.
  private static let roundMilliseconds: Int64 = 60_000
}
