import HeapModule
import Recurrence

/// The live schedules that are due next: a window on the store's due index, so that memory does not grow with the
/// number of schedules.
struct DueWindow {
  private var rows: [Int64: Row] = [:]
  /// The loaded stretches of the due index: from its beginning, while a burst drains a second one ahead, and last that of the
  /// schedules with a target.
  var lanes = [DueLane(), DueLane(start: .start(of: .targets))]
  /// The lane that was asked last; lanes take turns.
  private var laneInTurn = 0
  private var held: [Int64] = []
  /// The rows that are sent or advancing: what may have to be repeated after a crash.
  private(set) var outstanding = Outstanding()

  /// Their number by outlet: one that does not answer leaves the other its room.
  struct Outstanding {
    private var bus = 0
    private var targets = 0

    subscript(outlet: Outlet) -> Int {
      get { outlet == .bus ? bus : targets }
      set { if outlet == .bus { bus = newValue } else { targets = newValue } }
    }

    var total: Int { bus + targets }
    var isValid: Bool { bus >= 0 && targets >= 0 }
  }

  var outstandingCount: Int { outstanding.total }
  /// Whether a schedule with a target is loaded.
  var hasTargets: Bool { outstanding[.targets] > 0 || lanes.last?.queue.isEmpty == false }

  subscript(generation: Int64) -> Row? { rows[generation] }

  /// The schedules that are sent or advancing, by generation.
  var outstandingGenerations: Set<Int64> { Set(rows.lazy.filter { $0.value.phase.isOutstanding }.map(\.key)) }

  /// The schedules that are sent or advancing, by id: no command on them may be decided. Computed only when commands
  /// arrive, so that a burst of ticks does not pay for it.
  var outstandingIDs: Set<ScheduleID> {
    outstandingCount == 0 ? [] : Set(rows.values.lazy.filter(\.phase.isOutstanding).map(\.schedule.id))
  }

  /// Adds the next page of a lane, read from the store up to `through`.
  ///
  /// - Parameter isInDoubt: Whether an earlier process may have sent the tick at a position.
  mutating func load(
    _ page: DuePage, into lane: Int = 0, through: DuePosition, isInDoubt: (DuePosition) -> Bool
  ) {
    checkOrder(of: page, in: lanes[lane], through: through)
    for schedule in page.schedules where rows[schedule.generation] == nil {
      guard let position = schedule.position else { continue }
      // The due time of a paused schedule is the end of its pause, before which nothing was sent.
      let isCovered = !schedule.isPaused && isInDoubt(position)
      insert(Row(schedule, mayHaveBeenSent: isCovered || schedule.isSlotInDoubt))
    }
    if page.isLast {
      lanes[lane].extend(through: through)
    } else if let position = page.schedules.last?.position {
      lanes[lane].extend(through: position)
    }
    joinLanes()
  }

  private func checkOrder(of page: DuePage, in lane: DueLane, through: DuePosition) {
    assert(page.schedules.first?.position.map(lane.isNext) ?? true, "a page begins after what is loaded")
    assert(
      zip(page.schedules, page.schedules.dropFirst()).allSatisfy { first, second in
        guard let first = first.position, let second = second.position else { return false }
        return first < second
      }, "a page is in due order")
    assert(page.schedules.last?.position.map { $0 <= through } ?? true, "a page ends where it was asked to")
  }

  /// Adds a schedule that was just stored, if it falls within the window.
  ///
  /// - Parameter isInDoubt: Whether an earlier process may have sent its next tick.
  mutating func started(_ schedule: Schedule, isInDoubt: Bool = false) {
    guard let position = schedule.position, covers(position) else { return }
    insert(Row(schedule, mayHaveBeenSent: schedule.isSlotInDoubt || isInDoubt))
  }

  /// The next state of a schedule is stored: its row waits for the next tick, or leaves the window. Returns the
  /// schedule; nil if it is not in the window.
  mutating func advanced(_ generation: Int64, to progress: Schedule.Progress) -> Schedule? {
    guard let index = rows.index(forKey: generation) else { return nil }
    rows.values[index].advance(to: progress, &outstanding)
    guard let position = rows.values[index].position, covers(position) else {
      return rows.remove(at: index).value.schedule
    }
    enqueue(position)
    return rows.values[index].schedule
  }

  /// A control command, the end of a pause or a tick in doubt has changed a schedule. A tick of it that is backing off or
  /// timed out stays so.
  ///
  /// - Parameters:
  ///   - progress: The schedule's once such a tick is confirmed.
  ///   - isInDoubt: Whether an earlier process may have sent the next tick of a schedule that was not in the window.
  mutating func revised(_ schedule: Schedule, afterTick progress: Schedule.Progress?, isInDoubt: Bool = false) {
    guard let index = rows.index(forKey: schedule.generation) else { return started(schedule, isInDoubt: isInDoubt) }
    let queued = rows.values[index].queuedPosition
    rows.values[index].revise(schedule, afterTick: progress, &outstanding)
    switch rows.values[index].phase {
    case .retrying where schedule.isLive: break
    default: requeue(schedule, unless: queued)
    }
  }

  /// Puts a waiting row into its queue, or removes it from the window if it does not fall within that. A row stays if
  /// its tick may have been sent and only the window knows.
  private mutating func requeue(_ schedule: Schedule, unless queued: DuePosition? = nil) {
    let isKnownHereOnly = rows[schedule.generation]?.mayHaveBeenSent == true && !schedule.isSlotInDoubt
    guard let position = schedule.position, isKnownHereOnly || covers(position) else {
      return remove(schedule.generation)
    }
    if position != queued { enqueue(position) }
  }

  /// It is stored that an event which a schedule owed was confirmed.
  mutating func settled(_ owed: OwedEvent, of generation: Int64) {
    guard let index = rows.index(forKey: generation) else { return }
    rows.values[index].schedule.settle(owed)
  }

  /// A Start left a schedule unchanged, and declared it.
  mutating func declared(_ generation: Int64, _ declaration: Schedule.Declaration) {
    guard let index = rows.index(forKey: generation) else { return }
    rows.values[index].schedule.declaration = declaration
  }

  mutating func remove(_ generation: Int64) {
    guard let row = rows.removeValue(forKey: generation) else { return }
    if row.phase.isOutstanding { outstanding[row.schedule.definition.outlet] -= 1 }
    assert(outstanding.isValid && outstandingCount <= rows.count, "outstanding rows are in the window")
  }

  /// When the waiting row is due that is first among those of an outlet; nil for both.
  mutating func firstDue(on outlet: Outlet?) -> Instant? {
    firstOfEach().filter { outlet == nil || $0.outlet == outlet }.map(\.due).min()
  }

  /// The position of the waiting row that is due first in each lane that has one.
  mutating func firstOfEach() -> [DuePosition] { lanes.indices.compactMap { first(in: $0) } }

  /// The position of the waiting row that is due first in the next lane; lanes take turns.
  mutating func firstInTurn() -> DuePosition? {
    laneInTurn = (laneInTurn + 1) % lanes.count
    return first(in: laneInTurn)
  }

  private mutating func first(in lane: Int) -> DuePosition? {
    while let position = lanes[lane].queue.min {
      if isCurrent(position) { return position }
      lanes[lane].queue.removeMin()
    }
    return nil
  }

  /// Moves a row to another phase.
  mutating func move(_ generation: Int64, to phase: Phase) {
    guard let index = rows.index(forKey: generation) else { return }
    let position = rows.values[index].position
    let wasWaiting = rows.values[index].enter(phase, &outstanding)
    assert(outstanding.isValid && outstandingCount <= rows.count, "outstanding rows are in the window")
    // A row usually leaves its queue from the front. Its position is removed, so that it is never in the queue twice.
    if wasWaiting, let position {
      for lane in lanes.indices where lanes[lane].queue.min == position { lanes[lane].queue.removeMin() }
    }
    switch phase {
    // A paused row waits for the end of its pause: far from now, it is loaded again.
    case .waiting where rows.values[index].schedule.isPaused: requeue(rows.values[index].schedule)
    case .waiting: if let position { enqueue(position) }
    case .held: held.append(generation)
    case .sent, .retrying, .advancing: break
    }
  }

  /// Retries the rows that were held because the rules of their time zone were missing.
  mutating func releaseHeld() {
    let generations = held
    held = []
    for generation in generations {
      if case .held? = rows[generation]?.phase { move(generation, to: .waiting) }
    }
  }

  /// Once more than twice `count` rows wait in a lane, drops the rows that are due last until `count` are left. They
  /// are loaded again later.
  ///
  /// Stops at a row that may have been sent, since the store does not record that.
  mutating func shrink(to count: Int) {
    for lane in lanes.indices where lanes[lane].queue.count > 2 * count {
      while lanes[lane].queue.count > count, let position = lanes[lane].queue.max {
        if isCurrent(position) {
          guard rows[position.generation]?.mayHaveBeenSent == false else { break }
          remove(position.generation)
          lanes[lane].unload(from: position)
        }
        lanes[lane].queue.removeMax()
      }
    }
  }

  private mutating func insert(_ row: Row) {
    assert(rows[row.schedule.generation] == nil, "a schedule has one row")
    rows[row.schedule.generation] = row
    if let position = row.schedule.position { enqueue(position) }
  }

  private mutating func enqueue(_ position: DuePosition) {
    let lane = lanes.lastIndex { $0.startsBefore(position) } ?? 0
    lanes[lane].queue.insert(position)
  }

  private func covers(_ position: DuePosition) -> Bool { lanes.contains { $0.covers(position) } }

  mutating func isCurrent(_ position: DuePosition) -> Bool {
    guard let index = rows.index(forKey: position.generation) else { return false }
    return rows.values[index].isWaiting(at: position)
  }
}
