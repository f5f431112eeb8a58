import Recurrence

/// Filling the window of what is due next.
extension Engine {
  /// The next page to load. What becomes due while a burst drains comes first, since it is waited for.
  mutating func dueWork() -> StoreLane.Work? {
    guard !review.isMoving else { return nil }  // what is read now would be out of date
    keepLaneAhead()
    let ahead = turn.now.wall.advanced(byMilliseconds: settings.lookaheadMilliseconds)
    for lane in window.lanes.indices.reversed() {
      let (start, loaded) = (window.lanes[lane].start, window.lanes[lane].loadedThrough)
      guard loaded == nil || nextLoad(of: lane).map({ $0 <= turn.now.wall }) ?? false else { continue }
      // No lane reads on into the next.
      let end = lane + 1 < window.lanes.count ? window.lanes[lane + 1].start?.due : nil
      return .due(lane: lane, after: loaded ?? start, through: min(ahead, end ?? ahead))
    }
    return nil
  }

  /// When the window is to be filled again; nil while enough rows wait, or before it was filled for the first time.
  var nextLoad: Instant? { window.lanes.indices.compactMap(nextLoad).min() }

  private func nextLoad(of lane: Int) -> Instant? {
    guard let loadedThrough = window.lanes[lane].loadedThrough else { return nil }
    guard window.lanes[lane].waitingCount < settings.dueCapacity - settings.duePage else { return nil }
    return loadedThrough.due.advanced(byMilliseconds: -settings.lookaheadMilliseconds / 2)
  }

  /// When all that the window holds has been due for a while, there is more than it holds. A lane that has fallen behind
  /// itself, as in an outage, makes way for one that begins now.
  private mutating func keepLaneAhead() {
    let hasLane = window.lanes.count > 1
    if isBehind(window.lanes.count - 1, by: settings.burstMilliseconds * (hasLane ? 10 : 1)) {
      window.giveUpLaneAhead()
      // Behind the instant at which all that is loaded was due, or a while ago where that is long past: what came due while
      // the burst was not yet seen to be one does not wait for it either.
      let loaded = window.lanes[0].loadedThrough?.due ?? turn.now.wall
      let recent = turn.now.wall.advanced(byMilliseconds: -5 * settings.burstMilliseconds)
      window.openLaneAhead(behind: DuePosition(due: max(loaded, recent), generation: .max))
    }
  }

  private func isBehind(_ lane: Int, by milliseconds: Int64) -> Bool {
    guard publications.isOpen, let loadedThrough = window.lanes[lane].loadedThrough else { return false }
    return loadedThrough.due < turn.now.wall.advanced(byMilliseconds: -milliseconds)
  }
}
