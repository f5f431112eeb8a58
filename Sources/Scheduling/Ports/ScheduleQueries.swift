package import Recurrence

/// Read-only queries on behalf of people.
///
/// Each call is one short read, so that it can be made between two decisions of the engine, on its thread.
package protocol ScheduleQueries: AnyObject {
  /// The schedules with these ids, live or ended, in the order asked; nil where there is none.
  func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?]

  /// How a schedule of any state began and how its ticks were delivered; nil if there is none with this id.
  func history(of id: ScheduleID) throws(StoreError) -> Schedule.History?

  func counts() throws(StoreError) -> ScheduleCounts

  /// Schedules of any state in order of id, after `id`.
  func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule]

  /// At most `limit` schedules along a walk, without declarations and payloads, also that of a triggered tick: reading
  /// one costs the same whatever its size.
  func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule]

  /// The number of live schedules due at or before an instant, without reading them; counts no further than `bound`.
  func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool)
}

/// Schedules by state.
package struct ScheduleCounts: Hashable, Sendable {
  package var live: Int
  package var ended: Int
  /// How many of the live ones are paused.
  package var paused: Int

  package init(live: Int = 0, ended: Int = 0, paused: Int = 0) {
    self.live = live
    self.ended = ended
    self.paused = paused
  }
}

/// A position in the order in which schedules ended.
package struct EndPosition: Hashable, Comparable, Sendable {
  package var at: Instant
  package var generation: Int64

  package init(at: Instant, generation: Int64) {
    self.at = at
    self.generation = generation
  }

  package static func < (left: EndPosition, right: EndPosition) -> Bool {
    (left.at, left.generation) < (right.at, right.generation)
  }
}

/// An order in which to list schedules, and where to start.
package enum ListWalk: Hashable, Sendable {
  /// All schedules by the bytes of their ids, starting with these bytes.
  case id(from: [UInt8])
  /// Those of one group, whose name has these bytes, in any state and in the same order.
  case group([UInt8], from: [UInt8])
  /// Those that are paused, in the same order.
  case paused(from: [UInt8])
  /// Live schedules in due order, after a position; nil for all.
  case due(after: DuePosition?)
  /// Ended schedules, including those that owe their Stopped, latest end first: those that ended before a position; nil
  /// for all.
  case end(before: EndPosition?)
}
