import HeapModule
import Recurrence

/// A stretch of the store's due index of which the first part is loaded.
///
/// Invariant: every live schedule whose position is behind `start` and not beyond `loadedThrough` is in the window.
struct DueLane {
  /// The stretch begins behind this position; nil: with the first of all.
  var start: DuePosition?
  /// Nil before anything was loaded.
  var loadedThrough: DuePosition?
  /// Positions of waiting rows; one that no longer fits its row is stale and skipped.
  var queue = Heap<DuePosition>()

  var waitingCount: Int { queue.count }

  func covers(_ position: DuePosition) -> Bool {
    guard let loadedThrough, position <= loadedThrough else { return false }
    return isBefore(position)
  }

  /// Whether a position lies in the stretch or beyond it.
  func isBefore(_ position: DuePosition) -> Bool { start.map { $0 < position } ?? true }
}

/// While what is due is more than the window holds, what becomes due meanwhile has a lane of its own, ahead of the rest, and
/// the two take turns: so a burst does not hold up the schedules that come after it.
extension DueWindow {
  /// Opens the lane ahead, behind `start`, unless there is one.
  mutating func openLaneAhead(behind start: DuePosition) {
    if lanes.count == 1 { lanes.append(DueLane(start: start)) }
  }

  /// Gives up the lane ahead and the rows that wait in it; they are loaded again in time. Those that may have been sent stay,
  /// for the store does not know that of them.
  mutating func giveUpLaneAhead() {
    guard lanes.count > 1 else { return }
    let lane = lanes.removeLast()
    for position in lane.queue.unordered where isCurrent(position) {
      if self[position.generation]?.mayHaveBeenSent == true {
        lanes[0].queue.insert(position)
      } else {
        remove(position.generation)
      }
    }
  }

  /// Makes one lane of two that have met.
  mutating func joinLanes() {
    guard lanes.count > 1, let end = lanes[0].loadedThrough, let start = lanes[1].start, start <= end else { return }
    let ahead = lanes.removeLast()
    lanes[0].queue.insert(contentsOf: ahead.queue.unordered)
    lanes[0].loadedThrough = ahead.loadedThrough.map { max($0, end) } ?? end
  }
}
