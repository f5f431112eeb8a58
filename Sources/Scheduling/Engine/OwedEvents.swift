import Recurrence

/// The events that rows owe: triggered ticks, and the Resumed and Stopped of pauses and schedules that ended
/// automatically.
///
/// The row of a schedule is the outbox of its events. A bounded number of them is in memory, at most one of each
/// schedule. An event leaves memory once its confirm is stored. The others are read from their rows when there is room.
struct OwedEvents {
  private struct Notice {
    let event: OwedEvent
    let id: ScheduleID
    let bytes: Int
    /// Whether a command waits for it. Such a notice stays in memory.
    var isAwaited: Bool
    /// Whether the row owes another event after this one: it is read again.
    var hasMore: Bool
    /// Whether it is confirmed, which is about to be stored.
    var isConfirmed = false
  }

  /// By generation.
  private var inMemory: [Int64: Notice] = [:]
  /// The schedules of the notices in memory.
  private(set) var ids: Set<ScheduleID> = []
  private var bytes = 0
  /// Rows after this generation may owe an event that is not in memory; nil when none does.
  private(set) var cursor: Int64? = 0
  /// Since the last page was taken, a row after this generation found no room; nil when none did. Only of rows at or
  /// after the cursor.
  private var refused: Int64?
  /// Whether rows before the cursor may owe one, too.
  private var hasReleased = false
  /// When all rows are read again, on the monotonic clock; nil while that is not planned.
  private(set) var nextRound: Int64?

  /// The next page of rows to read; nil when there are none left, or no room for their notices.
  func nextPage(_ settings: Engine.Settings) -> (after: Int64, limit: Int)? {
    let limit = min(settings.duePage, settings.maximumOwedEvents)
    guard let cursor, inMemory.count <= settings.maximumOwedEvents - limit,
      bytes < settings.maximumOwedBytes
    else { return nil }
    return (cursor, limit)
  }

  /// The next page of rows, which is read now.
  mutating func takePage(_ settings: Engine.Settings) -> (after: Int64, limit: Int)? {
    guard let page = nextPage(settings) else { return nil }
    refused = nil
    return page
  }

  /// Admits the first event that a schedule owes, to be published now. Nil when it owes none, when one is in memory
  /// already, or when there is no room: then the row is read again later.
  ///
  /// - Parameter isAwaited: Whether a command on the schedule waits for the event. Such an event is admitted even
  ///   without room.
  mutating func admit(
    _ schedule: Schedule, isAwaited: Bool = false, _ settings: Engine.Settings
  ) -> (owed: OwedEvent, event: OutgoingEvent)? {
    let owed = schedule.owed
    guard let first = owed.first, let event = schedule.event(owed: first) else { return nil }
    let generation = schedule.generation
    if let notice = inMemory[generation] {
      if isAwaited { inMemory[generation]?.isAwaited = true }
      if owed.contains(where: { $0 != notice.event }) { inMemory[generation]?.hasMore = true }
      return nil
    }
    guard isAwaited || inMemory.count < settings.maximumOwedEvents && bytes < settings.maximumOwedBytes else {
      refuse(generation)
      return nil
    }
    let size = event.payloadBytes
    inMemory[generation] = Notice(
      event: first, id: schedule.id, bytes: size, isAwaited: isAwaited, hasMore: owed.count > 1)
    ids.insert(schedule.id)
    bytes += size
    checkTotals()
    return (first, event)
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

  /// The event in memory was confirmed, which is about to be stored.
  mutating func confirmed(_ generation: Int64) { inMemory[generation]?.isConfirmed = true }

  /// A schedule without the event that was just confirmed: its next change must not bring that back.
  func settled(_ schedule: Schedule) -> Schedule {
    guard !inMemory.isEmpty else { return schedule }
    guard let notice = inMemory[schedule.generation], notice.isConfirmed else { return schedule }
    var settled = schedule
    settled.settle(notice.event)
    return settled
  }

  /// It is stored that the event was confirmed. Returns the schedule's id; nil if the event was not in memory.
  mutating func announced(_ generation: Int64) -> ScheduleID? {
    guard let notice = drop(generation) else { return nil }
    if notice.hasMore { refuse(generation) }
    return notice.id
  }

  /// Drops a nacked notice for a while, if others wait for room; its row is read again later. Returns false if the
  /// notice stays in memory.
  mutating func release(_ generation: Int64, at now: Now) -> Bool {
    guard cursor != nil, inMemory[generation]?.isAwaited == false else { return false }
    _ = drop(generation)
    hasReleased = true
    return true
  }

  func isAwaited(_ generation: Int64) -> Bool { inMemory[generation]?.isAwaited == true }

  private mutating func drop(_ generation: Int64) -> Notice? {
    guard let notice = inMemory.removeValue(forKey: generation) else { return nil }
    ids.remove(notice.id)
    bytes -= notice.bytes
    checkTotals()
    return notice
  }

  private func checkTotals() {
    assert(ids.count == inMemory.count, "of a schedule, one event is in memory")
    assert(bytes >= 0 && (bytes == 0 || !inMemory.isEmpty), "bytes belong to events in memory")
  }

  /// How long dropped notices wait before their rows are read again.
  private static let roundMilliseconds: Int64 = 60_000
}
