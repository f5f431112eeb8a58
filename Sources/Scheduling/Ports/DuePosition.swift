package import Recurrence

/// A position in due order, which is that of a store's index.
///
/// Schedules with a target are in a stretch of their own behind the others, so that they can be read apart: if their
/// connection is down, any number of them wait without being in the way of the others.
package struct DuePosition: Hashable, Comparable, Sendable {
  /// The due time in milliseconds, moved into the stretch of its outlet: what stores keep and order by.
  package var rank: Int64
  package var generation: Int64

  package init(on outlet: Outlet, due: Instant, generation: Int64) {
    rank = Self.rank(of: due, outlet)
    self.generation = generation
  }

  /// A position in a list in order of due time, which has no outlets.
  package static func listed(due: Instant, generation: Int64) -> DuePosition {
    DuePosition(on: .bus, due: due, generation: generation)
  }

  /// Compares integers, since the ticks of a burst are ordered by it: comparing tuples is slower.
  package static func < (left: DuePosition, right: DuePosition) -> Bool {
    left.rank == right.rank ? left.generation < right.generation : left.rank < right.rank
  }

  package var due: Instant { Self.due(ofRank: rank) }
  package var outlet: Outlet { Self.targets.contains(rank) ? .targets : .bus }

  /// How far the ranks of targets are after their due times.
  private static let distance: Int64 = 1 << 61
  /// The ranks of targets. Due times are far closer to 1970 than half of its length, except those of held and paused
  /// schedules: they are never due, and have one rank on either outlet.
  private static let targets = (distance - distance / 2)..<(distance + distance / 2)

  package static func rank(of due: Instant, _ outlet: Outlet) -> Int64 {
    guard outlet == .targets, due.milliseconds.magnitude < UInt64(distance / 2) else { return due.milliseconds }
    return due.milliseconds + distance
  }

  package static func due(ofRank rank: Int64) -> Instant {
    Instant(milliseconds: targets.contains(rank) ? rank - distance : rank)
  }

  /// Before every schedule on this outlet; nil is the beginning.
  package static func start(of outlet: Outlet) -> DuePosition? { outlet == .bus ? nil : startOfTargets }

  private static let startOfTargets = DuePosition(rank: targets.lowerBound, generation: .min)
  private static let endOfTargets = DuePosition(rank: targets.upperBound, generation: .min)

  /// After every schedule on this outlet that is due at or before an instant.
  package static func end(of outlet: Outlet, due: Instant) -> DuePosition {
    DuePosition(on: outlet, due: due, generation: .max)
  }

  /// After every schedule.
  package static let last = DuePosition(rank: .max, generation: .max)

  /// The stretches that a list in order of due time merges, after a position in that list, and the one that follows
  /// them: of schedules that are never due.
  package static func listed(
    after position: DuePosition?
  ) -> (merged: [ClosedRange<DuePosition>], rest: ClosedRange<DuePosition>) {
    let first = DuePosition(rank: .min, generation: .min)
    guard let position else { return ([first...startOfTargets, startOfTargets...endOfTargets], endOfTargets...last) }
    guard position < endOfTargets else { return ([], position...last) }
    let moved = max(DuePosition(on: .targets, due: position.due, generation: position.generation), startOfTargets)
    return ([position...startOfTargets, moved...endOfTargets], endOfTargets...last)
  }

  private init(rank: Int64, generation: Int64) {
    self.rank = rank
    self.generation = generation
  }
}
