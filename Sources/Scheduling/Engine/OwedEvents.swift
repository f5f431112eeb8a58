import Recurrence

/// The Schedule Stopped events owed by schedules that ended automatically.
///
/// A schedule's row is the outbox of its end notice. A bounded number of notices is in memory, each from the end of its
/// schedule until it is stored that the broker has confirmed the notice. The others are read from their rows when there
/// is room.
struct EndNotices {
  private struct Notice {
    let id: ScheduleID
    let bytes: Int
    /// Whether a command waits for it. Such a notice stays in memory.
    var isAwaited: Bool
  }

  /// By generation.
  private var inMemory: [Int64: Notice] = [:]
  /// The schedules of the notices in memory.
  private(set) var ids: Set<ScheduleID> = []
  private var bytes = 0
  /// Rows after this generation may owe a notice that is not in memory; nil when none does.
  private(set) var cursor: Int64? = 0
  /// Rows after this generation, at or after the cursor, found no room since the last page was taken; nil when none did.
  private var refused: Int64?
  /// Whether rows before the cursor may owe one, too.
  private var hasReleased = false
  /// When all rows are read again, on the monotonic clock; nil while that is not planned.
  private(set) var nextRound: Int64?

  var count: Int { inMemory.count }

  /// The next page of rows to read; nil when there are none left, or no room for their notices.
  func nextPage(_ settings: Engine.Settings) -> (after: Int64, limit: Int)? {
    let limit = min(settings.duePage, settings.maximumEndNotices)
    guard let cursor, inMemory.count <= settings.maximumEndNotices - limit,
      bytes < settings.maximumEndNoticeBytes
    else { return nil }
    return (cursor, limit)
  }

  /// The next page of rows, which is read now.
  mutating func takePage(_ settings: Engine.Settings) -> (after: Int64, limit: Int)? {
    guard let page = nextPage(settings) else { return nil }
    refused = nil
    return page
  }

  /// Admits the end notice that a schedule owes, to be published now. Nil when it owes none, when its notice is in
  /// memory already, or when there is no room: then the row is read again later.
  ///
  /// - Parameter isAwaited: Whether a command on the schedule waits for the notice. Such a notice is admitted even
  ///   without room.
  mutating func admit(_ schedule: Schedule, isAwaited: Bool = false, _ settings: Engine.Settings) -> Stopped? {
    guard let ending = schedule.ending, ending.owesStopped, let reason = ending.reason else { return nil }
    let generation = schedule.generation
    guard inMemory[generation] == nil else {
      if isAwaited { inMemory[generation]?.isAwaited = true }
      return nil
    }
    guard isAwaited || inMemory.count < settings.maximumEndNotices && bytes < settings.maximumEndNoticeBytes else {
      refuse(generation)
      return nil
    }
    let stopped = Stopped(
      definition: schedule.definition, id: schedule.id, generation: generation, counter: schedule.counter,
      reason: reason)
    let size = schedule.definition.payload?.count ?? 0
    inMemory[generation] = Notice(id: schedule.id, bytes: size, isAwaited: isAwaited)
    ids.insert(schedule.id)
    bytes += size
    checkTotals()
    return stopped
  }

  /// A page was read and each of its rows offered to `admit`.
  ///
  /// - Parameters:
  ///   - position: Where the page began.
  ///   - last: The last generation of the page; nil when it is empty.
  mutating func read(after position: Int64, through last: Int64?, isLast: Bool, at now: Now) {
    assert(last.map { $0 > position } ?? true, "a page begins after its position")
    guard cursor == position else { return }  // an earlier row found no room: it is read first
    cursor = isLast ? nil : last ?? cursor
    if let refused { cursor = min(cursor ?? .max, refused) }
    refused = nil
    if cursor == nil, hasReleased, nextRound == nil { nextRound = now.uptime + Self.roundMilliseconds }
  }

  /// There is no room for a notice: its row is read again. It may be one of the page that is being read.
  private mutating func refuse(_ generation: Int64) {
    let position = generation - 1
    if let cursor, position >= cursor {
      refused = min(refused ?? .max, position)
    } else {
      (cursor, refused) = (position, nil)
    }
  }

  /// Begins to read all rows again, if it is time.
  mutating func beginRound(at now: Now) {
    guard let nextRound, nextRound <= now.uptime else { return }
    (self.nextRound, hasReleased, cursor, refused) = (nil, false, 0, nil)
  }

  /// It is stored that the notice was confirmed.
  mutating func announced(_ generation: Int64) { drop(generation) }

  /// Drops a nacked notice for a while, if others wait for room; its row is read again later. Returns false if the
  /// notice stays in memory.
  mutating func release(_ generation: Int64, at now: Now) -> Bool {
    guard cursor != nil, inMemory[generation]?.isAwaited == false else { return false }
    drop(generation)
    hasReleased = true
    return true
  }

  func isAwaited(_ generation: Int64) -> Bool { inMemory[generation]?.isAwaited == true }

  private mutating func drop(_ generation: Int64) {
    guard let notice = inMemory.removeValue(forKey: generation) else { return }
    ids.remove(notice.id)
    bytes -= notice.bytes
    checkTotals()
  }

  private func checkTotals() {
    assert(ids.count == inMemory.count, "an id owes one notice at a time")
    assert(bytes >= 0 && (bytes == 0 || !inMemory.isEmpty), "bytes belong to notices in memory")
  }

  /// How long dropped notices wait before their rows are read again.
  private static let roundMilliseconds: Int64 = 60_000
}
