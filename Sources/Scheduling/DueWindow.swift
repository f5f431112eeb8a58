import HeapModule
import Recurrence

/// The live schedules that are due next: a window on the store's due index, so that memory does not grow with the
/// number of schedules.
///
/// Invariant: every live schedule whose position is at or before `loadedThrough` is in here.
struct DueWindow {
  struct Row {
    var schedule: Schedule
    var phase: Phase
    /// Whether its pending tick may have reached the broker, on a connection or from a process that is gone: then it is
    /// sent again as it was.
    var mayHaveBeenSent = false
  }

  enum Phase {
    /// Its time has not come, or it waits for room in the publish window. Becomes sent, settling or held.
    case waiting
    /// Its tick is with the broker; the state follows when it is confirmed. Becomes settling, retrying or waiting.
    case sent(Schedule.Progress)
    /// Its tick was refused and waits for another try. Becomes sent, or waiting when the wall clock was set back.
    case retrying(Schedule.Progress)
    /// A change of it is on its way to the store. Becomes waiting, or leaves.
    case settling
    /// The rules of its zone are missing. Becomes waiting when zone data changes.
    case held
  }

  private var rows: [Int64: Row] = [:]
  private var generations: [ScheduleID: Int64] = [:]
  /// Positions of waiting rows; one that no longer fits its row is stale and skipped.
  private var queue = Heap<DuePosition>()
  private var held: [Int64] = []
  private(set) var loadedThrough: DuePosition?
  /// Rows sent or settling: what may have to be repeated after a crash.
  private(set) var unsettledCount = 0

  var waitingCount: Int { queue.count }

  func generation(of id: ScheduleID) -> Int64? { generations[id] }

  subscript(generation: Int64) -> Row? { rows[generation] }

  /// Whether a tick or another change of this schedule is under way, so that no command on it may be decided.
  func isUnsettled(_ id: ScheduleID) -> Bool {
    guard let generation = generations[id], let row = rows[generation] else { return false }
    return row.phase.isUnsettled
  }

  /// The schedules of which a tick or another change is under way, by generation.
  var unsettled: Set<Int64> { Set(rows.lazy.filter { $0.value.phase.isUnsettled }.map(\.key)) }

  /// Takes a page that was loaded from the store up to `through`; ticks due up to `inDoubtThrough` may have been sent.
  mutating func load(_ page: DuePage, through: Instant, inDoubtThrough: Instant) {
    for schedule in page.schedules where rows[schedule.generation] == nil {
      guard let due = schedule.position?.due else { continue }
      insert(Row(schedule: schedule, phase: .waiting, mayHaveBeenSent: due <= inDoubtThrough))
    }
    if page.isLast {
      loadedThrough = DuePosition(due: through, generation: .max)
    } else if let position = page.schedules.last?.position {
      loadedThrough = position
    }
  }

  /// Takes a schedule that was just started, if it falls within the window.
  mutating func started(_ schedule: Schedule) {
    if let earlier = generations[schedule.id] { remove(earlier) }
    guard covers(schedule) else { return }
    insert(Row(schedule: schedule, phase: .waiting))
  }

  /// A change of a schedule is stored: it waits for its next tick, or leaves the window.
  mutating func proceeded(generation: Int64, to state: Schedule.State, counter: Int64) -> Schedule? {
    guard var row = rows[generation] else { return nil }
    remove(generation)
    row.schedule.state = state
    row.schedule.counter = counter
    row.phase = .waiting
    row.mayHaveBeenSent = false
    if covers(row.schedule) { insert(row) }
    return row.schedule
  }

  mutating func remove(_ generation: Int64) {
    guard let row = rows.removeValue(forKey: generation) else { return }
    generations[row.schedule.id] = nil
    if row.phase.isUnsettled { unsettledCount -= 1 }
  }

  /// The position of the waiting row that is due first.
  mutating func first() -> DuePosition? {
    while let position = queue.min {
      if isCurrent(position) { return position }
      queue.removeMin()
    }
    return nil
  }

  /// Moves a row to another phase.
  mutating func move(_ generation: Int64, to phase: Phase) {
    guard var row = rows[generation] else { return }
    if row.phase.isUnsettled { unsettledCount -= 1 }
    if phase.isUnsettled { unsettledCount += 1 }
    // A row that leaves the queue is the first in it; taken out, so that no position is in the queue twice.
    if case .waiting = row.phase, queue.min == row.schedule.position { queue.removeMin() }
    row.phase = phase
    if case .sent = phase { row.mayHaveBeenSent = true }
    rows[generation] = row
    switch phase {
    case .waiting:
      if let position = row.schedule.position { queue.insert(position) }
    case .held:
      held.append(generation)
    case .sent, .retrying, .settling:
      break
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

  /// Once twice as many wait, gives up the rows that are due last until `count` are left; they are loaded again in time.
  ///
  /// Stops at one that may have been sent, for the store does not know that of it.
  mutating func shrink(to count: Int) {
    guard queue.count > 2 * count else { return }
    while queue.count > count, let position = queue.max {
      if isCurrent(position) {
        guard rows[position.generation]?.mayHaveBeenSent == false else { break }
        remove(position.generation)
      }
      queue.removeMax()
    }
    if let last = queue.max, let loaded = loadedThrough { loadedThrough = min(last, loaded) }
  }

  private mutating func insert(_ row: Row) {
    rows[row.schedule.generation] = row
    generations[row.schedule.id] = row.schedule.generation
    if let position = row.schedule.position { queue.insert(position) }
  }

  private func covers(_ schedule: Schedule) -> Bool {
    guard let position = schedule.position, let loadedThrough else { return false }
    return position <= loadedThrough
  }

  private func isCurrent(_ position: DuePosition) -> Bool {
    guard let row = rows[position.generation], case .waiting = row.phase else { return false }
    return row.schedule.position == position
  }
}

extension DueWindow.Phase {
  var isUnsettled: Bool {
    switch self {
    case .sent, .settling: true
    case .waiting, .retrying, .held: false
    }
  }
}

extension Schedule {
  /// Where it stands in the order in which ticks become due; nil once it has ended.
  package var position: DuePosition? {
    pending.map { DuePosition(due: $0.due, generation: generation) }
  }
}
