package import Recurrence

/// What people ask of durable storage. Nothing here changes anything.
///
/// Each call is one short read, so that it can be answered between two decisions of the engine, on its thread.
package protocol ScheduleQueries: AnyObject {
  /// The schedules with these ids, live or ended, in the order asked; nil where there is none.
  func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?]

  /// How a schedule of any state began and what became of its ticks; nil when there is none of this id.
  func history(of id: ScheduleID) throws(StoreError) -> Schedule.History?

  /// How many schedules there are.
  func counts() throws(StoreError) -> ScheduleCounts

  /// Schedules of any state by id, those beyond `id`.
  func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule]

  /// Schedules along a walk, at most `limit`, without their payloads and declarations: what one costs to read does not depend
  /// on them.
  func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule]

  /// How many live schedules are due at or before an instant, counted no further than `bound`, without reading them.
  func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool)
}

/// Schedules by state.
package struct ScheduleCounts: Hashable, Sendable {
  package var live: Int
  package var ended: Int

  package init(live: Int = 0, ended: Int = 0) {
    self.live = live
    self.ended = ended
  }
}

/// A place in the order in which schedules ended.
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

/// An order in which people look through schedules, and where to begin.
package enum ListWalk: Hashable, Sendable {
  /// All, by the bytes of their ids, from these bytes on.
  case id(from: [UInt8])
  /// Live ones, what is due first coming first, those beyond a position; nil for all.
  case due(after: DuePosition?)
  /// Ended ones, those that owe their Stopped included, the latest end coming first, those that ended before a position;
  /// nil for all.
  case end(before: EndPosition?)
}
