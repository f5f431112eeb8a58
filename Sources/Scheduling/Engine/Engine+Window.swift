import Recurrence

/// Fills the window of schedules that are due next.
extension Engine {
  /// The next page to load. The lane ahead comes first: it holds the ticks that become due while a burst drains.
  mutating func dueWork() -> StoreLane.Work? {
    guard !review.isMoving else { return nil }  // a page read now would be out of date
    keepLaneAhead()
    let ahead = turn.now.wall.advanced(byMilliseconds: settings.lookaheadMilliseconds)
    for lane in window.lanes.indices.reversed() {
      let (start, loaded) = (window.lanes[lane].start, window.lanes[lane].loadedThrough)
      guard loaded == nil || nextLoad(of: lane).map({ $0 <= turn.now.wall }) ?? false else { continue }
      // A lane ends where the next one starts.
      let outlet = start?.outlet ?? .bus
      let end = lane + 1 < window.lanes.count ? window.lanes[lane + 1].start : nil
      let through = DuePosition.end(of: outlet, due: ahead)
      return .due(lane: lane, after: loaded ?? start, through: min(through, end ?? through))
    }
    return nil
  }

  /// When the window is to be filled again; nil while enough rows wait, or before it was first filled.
  var nextLoad: Instant? { window.lanes.indices.compactMap(nextLoad).min() }

  private func nextLoad(of lane: Int) -> Instant? {
    guard let loadedThrough = window.lanes[lane].loadedThrough else { return nil }
    guard window.lanes[lane].waitingCount < settings.dueCapacity - settings.duePage else { return nil }
    return loadedThrough.due.advanced(byMilliseconds: -settings.lookaheadMilliseconds / 2)
  }

  /// Opens a lane ahead when everything loaded has been due for a while: then more is due than the window holds. A lane
  /// that is itself far behind, as after an outage, is replaced by one that starts now.
  private mutating func keepLaneAhead() {
    let hasLane = window.hasLaneAhead
    if isBehind(hasLane ? 1 : 0, by: settings.burstMilliseconds * (hasLane ? 10 : 1)) {
      window.dropLaneAhead()
      // The lane starts after what is loaded, or shortly before now if that is long past: ticks that became due before
      // the burst was detected do not wait for it either.
      let loaded = window.lanes[0].loadedThrough?.due ?? turn.now.wall
      let recent = turn.now.wall.advanced(byMilliseconds: -5 * settings.burstMilliseconds)
      window.openLaneAhead(after: DuePosition(on: .bus, due: max(loaded, recent), generation: .max))
    }
  }

  private func isBehind(_ lane: Int, by milliseconds: Int64) -> Bool {
    guard publications.isOpen, let loadedThrough = window.lanes[lane].loadedThrough else { return false }
    return loadedThrough.due < turn.now.wall.advanced(byMilliseconds: -milliseconds)
  }
}
