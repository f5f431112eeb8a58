import HeapModule
import Recurrence

/// A stretch of the store's due index, loaded from its start.
///
/// Invariant: every live schedule positioned after `start`, and not after `loadedThrough`, is in the window.
struct DueLane {
  /// The stretch begins after this position; nil: at the beginning of the index.
  var start: DuePosition?
  /// The last loaded position; nil before the first page is loaded.
  var loadedThrough: DuePosition?
  /// Positions of waiting rows. A position that no longer matches its row is stale and skipped.
  var queue = Heap<DuePosition>()

  var waitingCount: Int { queue.count }

  func covers(_ position: DuePosition) -> Bool {
    guard let loadedThrough, position <= loadedThrough else { return false }
    return startsBefore(position)
  }

  /// Whether a position is after the start of the stretch.
  func startsBefore(_ position: DuePosition) -> Bool { start.map { $0 < position } ?? true }

  /// Whether a position is after everything that is loaded.
  func isNext(_ position: DuePosition) -> Bool { (loadedThrough ?? start).map { $0 < position } ?? true }

  /// A page up to this position is loaded.
  mutating func extend(through position: DuePosition) {
    assert(loadedThrough.map { $0 <= position } ?? true, "loading moves forward")
    loadedThrough = position
  }

  /// The schedule at this position, and all after it, are not in the window any more.
  mutating func unload(from position: DuePosition) {
    var last = position
    last.generation -= 1
    loadedThrough = loadedThrough.map { min($0, last) }
    assert(startsBefore(last), "a stretch ends after its start")
    assert(!covers(position), "a dropped row is beyond what is loaded")
  }
}

/// While more schedules are due than the window holds, those that become due meanwhile get a lane of their own ahead of
/// the burst. The two lanes take turns, so that the burst does not delay the schedules due after it.
extension DueWindow {
  /// Opens the lane ahead, starting after `start`, unless there is one.
  mutating func openLaneAhead(after start: DuePosition) {
    if !hasLaneAhead { lanes.insert(DueLane(start: start), at: 1) }
    assert(hasLaneAhead, "one lane ahead at a time")
  }

  var hasLaneAhead: Bool { lanes.count > 2 }

  /// Drops the lane ahead and the rows that wait in it; they are loaded again later. Rows that may have been sent stay,
  /// since the store does not record that.
  mutating func dropLaneAhead() {
    guard hasLaneAhead else { return }
    let lane = lanes.remove(at: 1)
    for position in lane.queue.unordered where isCurrent(position) {
      if self[position.generation]?.mayHaveBeenSent == true {
        lanes[0].queue.insert(position)
      } else {
        remove(position.generation)
      }
    }
  }

  /// Merges the two once the first has reached the second.
  mutating func joinLanes() {
    guard hasLaneAhead, let end = lanes[0].loadedThrough, let start = lanes[1].start, start <= end else { return }
    let ahead = lanes.remove(at: 1)
    lanes[0].queue.insert(contentsOf: ahead.queue.unordered)
    lanes[0].extend(through: ahead.loadedThrough.map { max($0, end) } ?? end)
  }
}
