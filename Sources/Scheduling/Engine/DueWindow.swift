import HeapModule
import Recurrence

/// The live schedules that are due next: a window on the store's due index, so that memory does not grow with the
/// number of schedules.
struct DueWindow {
  struct Row {
    var schedule: Schedule
    var phase: Phase
    /// Whether its next tick may have reached the broker, on a connection or from a process that is gone: then it is
    /// sent again as it was.
    var mayHaveBeenSent = false
  }

  enum Phase {
    /// Its time has not come, or it waits for room in the publish window. Becomes sent, advancing or held.
    case waiting
    /// Its tick is with the broker; the state follows when it is confirmed. Becomes advancing, retrying or waiting.
    case sent(Schedule.Progress)
    /// Its tick was refused and waits for another try, or is without an answer for long. Becomes sent, advancing, or waiting
    /// when the wall clock was set back or the connection lost.
    case retrying(Schedule.Progress)
    /// A change of it is on its way to the store. Becomes waiting, or leaves.
    case advancing
    /// The rules of its zone are missing. Becomes waiting when zone data changes.
    case held
  }

  private var rows: [Int64: Row] = [:]
  /// What is loaded: from the beginning on, and perhaps a stretch ahead.
  var lanes = [DueLane()]
  /// The lane whose turn it is.
  private var laneInTurn = 0
  private var held: [Int64] = []
  /// Rows sent or advancing: what may have to be repeated after a crash.
  private(set) var outstandingCount = 0

  var waitingCount: Int { lanes.reduce(0) { $0 + $1.waitingCount } }

  subscript(generation: Int64) -> Row? { rows[generation] }

  /// The schedules of which a tick or another change is under way, by generation.
  var outstanding: Set<Int64> { Set(rows.lazy.filter { $0.value.phase.isOutstanding }.map(\.key)) }

  /// The same by id: no command on them may be decided. Put together when commands are there, since a burst of ticks has
  /// none to look at.
  var outstandingIDs: Set<ScheduleID> {
    outstandingCount == 0 ? [] : Set(rows.values.lazy.filter(\.phase.isOutstanding).map(\.schedule.id))
  }

  /// Takes a page of a lane that was loaded from the store up to `through`; ticks due up to `inDoubtThrough` may have been
  /// sent.
  mutating func load(_ page: DuePage, into lane: Int = 0, through: Instant, inDoubtThrough: Instant) {
    for schedule in page.schedules where rows[schedule.generation] == nil {
      guard let due = schedule.position?.due else { continue }
      insert(Row(schedule: schedule, phase: .waiting, mayHaveBeenSent: due <= inDoubtThrough))
    }
    if page.isLast {
      lanes[lane].loadedThrough = DuePosition(due: through, generation: .max)
    } else if let position = page.schedules.last?.position {
      lanes[lane].loadedThrough = position
    }
    joinLanes()
  }

  /// Takes a schedule that was just started, if it falls within the window.
  mutating func started(_ schedule: Schedule) {
    guard let position = schedule.position, covers(position) else { return }
    insert(Row(schedule: schedule, phase: .waiting))
  }

  /// A change of a schedule is stored: it waits for its next tick, or leaves the window.
  mutating func advanced(_ generation: Int64, to progress: Schedule.Progress) -> Schedule? {
    guard let index = rows.index(forKey: generation) else { return nil }
    rows.values[index].advance(to: progress, &outstandingCount)
    guard let position = rows.values[index].position, covers(position) else {
      return rows.remove(at: index).value.schedule
    }
    enqueue(position)
    return rows.values[index].schedule
  }

  /// A Start left a schedule as it is, and declared it.
  mutating func declared(_ generation: Int64, _ declaration: Schedule.Declaration) {
    guard let index = rows.index(forKey: generation) else { return }
    rows.values[index].schedule.declaration = declaration
  }

  mutating func remove(_ generation: Int64) {
    guard let row = rows.removeValue(forKey: generation) else { return }
    if row.phase.isOutstanding { outstandingCount -= 1 }
  }

  /// The position of the waiting row that is due first.
  mutating func first() -> DuePosition? { firstOfEach().min() }

  /// Of each lane the position of the waiting row that is due first, if it has one.
  mutating func firstOfEach() -> [DuePosition] { lanes.indices.compactMap { first(in: $0) } }

  /// The position of the waiting row that is due first in the lane whose turn it is; the next turn is another's.
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
    let wasWaiting = rows.values[index].enter(phase, &outstandingCount)
    // A row that leaves its queue is the first in it; taken out, so that no position is in the queue twice.
    if wasWaiting, let position {
      for lane in lanes.indices where lanes[lane].queue.min == position { lanes[lane].queue.removeMin() }
    }
    switch phase {
    case .waiting: if let position { enqueue(position) }
    case .held: held.append(generation)
    case .sent, .retrying, .advancing: break
    }
  }

  /// Lets the rows that were held for their zone's rules try again.
  mutating func releaseHeld() {
    let generations = held
    held = []
    for generation in generations {
      if case .held? = rows[generation]?.phase { move(generation, to: .waiting) }
    }
  }

  /// Once twice as many wait in a lane, gives up the rows that are due last until `count` are left; they are loaded again in
  /// time.
  ///
  /// Stops at one that may have been sent, for the store does not know that of it.
  mutating func shrink(to count: Int) {
    for lane in lanes.indices where lanes[lane].queue.count > 2 * count {
      while lanes[lane].queue.count > count, let position = lanes[lane].queue.max {
        if isCurrent(position) {
          guard rows[position.generation]?.mayHaveBeenSent == false else { break }
          remove(position.generation)
        }
        lanes[lane].queue.removeMax()
      }
      if let last = lanes[lane].queue.max, let loaded = lanes[lane].loadedThrough {
        lanes[lane].loadedThrough = min(last, loaded)
      }
    }
  }

  private mutating func insert(_ row: Row) {
    rows[row.schedule.generation] = row
    if let position = row.schedule.position { enqueue(position) }
  }

  private mutating func enqueue(_ position: DuePosition) {
    let lane = lanes.lastIndex { $0.isBefore(position) } ?? 0
    lanes[lane].queue.insert(position)
  }

  private func covers(_ position: DuePosition) -> Bool { lanes.contains { $0.covers(position) } }

  mutating func isCurrent(_ position: DuePosition) -> Bool {
    guard let index = rows.index(forKey: position.generation) else { return false }
    return rows.values[index].isWaiting(at: position)
  }
}

/// What is asked of a row is asked where it stands (hence `mutating`, see SE-0154): the usual way would copy it first.
extension DueWindow.Row {
  fileprivate var position: DuePosition? {
    mutating get { schedule.position }
  }

  fileprivate mutating func isWaiting(at position: DuePosition) -> Bool {
    if case .waiting = phase { schedule.position == position } else { false }
  }

  /// Stands where its schedule has come to, and waits.
  fileprivate mutating func advance(to progress: Schedule.Progress, _ outstandingCount: inout Int) {
    _ = enter(.waiting, &outstandingCount)
    schedule.progress = progress
    mayHaveBeenSent = false
  }

  /// Goes into another phase, and says whether it was waiting.
  fileprivate mutating func enter(_ phase: DueWindow.Phase, _ outstandingCount: inout Int) -> Bool {
    var wasWaiting = false
    if case .waiting = self.phase { wasWaiting = true }
    if self.phase.isOutstanding { outstandingCount -= 1 }
    if phase.isOutstanding { outstandingCount += 1 }
    if case .sent = phase { mayHaveBeenSent = true }
    self.phase = phase
    return wasWaiting
  }
}

extension DueWindow.Phase {
  /// What a confirm of its tick leads to, while there may be one.
  var progress: Schedule.Progress? {
    switch self {
    case .sent(let progress), .retrying(let progress): progress
    case .waiting, .advancing, .held: nil
    }
  }

  var isOutstanding: Bool {
    switch self {
    case .sent, .advancing: true
    case .waiting, .retrying, .held: false
    }
  }
}

extension Schedule {
  /// Where it stands in the order in which ticks become due; nil once it has ended.
  package var position: DuePosition? {
    nextTick.map { DuePosition(due: $0.due, generation: generation) }
  }
}
