package import Recurrence

/// What people look for among schedules.
package struct ScheduleSearch: Hashable, Sendable {
  package enum Lifecycle: String, CaseIterable, Sendable {
    case all, live, ended
  }

  package enum Order: String, CaseIterable, Sendable {
    /// By the bytes of the id.
    case id
    /// What is due first comes first; only live schedules are.
    case next
  }

  /// The bytes with which ids begin; empty for all.
  package var prefix: [UInt8]
  package var lifecycle: Lifecycle
  package var order: Order

  package init(prefix: [UInt8] = [], lifecycle: Lifecycle = .all, order: Order = .id) {
    self.prefix = prefix
    self.lifecycle = lifecycle
    self.order = order
  }

  package func fits(_ schedule: Schedule) -> Bool {
    guard schedule.id.bytes.starts(with: prefix) else { return false }
    switch lifecycle {
    case .all: return true
    case .live: return schedule.pending != nil
    case .ended: return schedule.pending == nil
    }
  }
}

/// A place in a list, of the order that its search has.
package enum ListPosition: Hashable, Sendable {
  case id(ScheduleID)
  case due(DuePosition)
}

/// A page of a list.
package struct ScheduleList: Hashable, Sendable {
  package var schedules: [Schedule]
  /// Where the next page begins; nil when there is nothing more.
  package var next: ListPosition?

  package init(schedules: [Schedule] = [], next: ListPosition? = nil) {
    self.schedules = schedules
    self.next = next
  }
}

/// What people ask of a store, made of what the engine asks of it. Each call examines so many rows and no more, so that it
/// can be made between two decisions of the engine.
extension ScheduleStore {
  /// Schedules that fit a search, in its order, those beyond `position`.
  ///
  /// - Parameters:
  ///   - limit: The most schedules of one page.
  ///   - examining: The most rows looked at. A page that ends for this reason may be short, or empty, and has a `next`.
  package func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int, examining: Int
  ) throws(StoreError) -> ScheduleList {
    switch search.order {
    case .id: try listByID(search, after: position, limit: limit, examining: examining)
    case .next: try listByNext(search, after: position, limit: limit, examining: examining)
    }
  }

  /// How many live schedules are due at or before an instant, counted no further than `bound`; less far, where a page ends
  /// early for the sake of its payloads.
  package func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool) {
    let page = try due(after: nil, through: through, limit: bound)
    return (page.schedules.count, page.isLast)
  }

  private func listByID(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int, examining: Int
  ) throws(StoreError) -> ScheduleList {
    var last: ScheduleID?
    if case .id(let id) = position { last = id }
    if last == nil, !search.prefix.isEmpty {
      // Ids with a prefix come right behind it; the one that is the prefix itself is not beyond it.
      let id = ScheduleID(stored: search.prefix)
      let same = try schedules([id]).compactMap(\.self).filter(search.fits)
      if !same.isEmpty { return ScheduleList(schedules: same, next: .id(id)) }
      last = id
    }
    let wanted = max(1, min(limit, examining))
    let rows = try page(after: last, limit: wanted)
    var list = ScheduleList(schedules: rows.filter(search.fits))
    if rows.count == wanted, let end = rows.last, end.id.bytes.starts(with: search.prefix) { list.next = .id(end.id) }
    return list
  }

  private func listByNext(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int, examining: Int
  ) throws(StoreError) -> ScheduleList {
    guard search.lifecycle != .ended else { return ScheduleList() }
    var last: DuePosition?
    if case .due(let place) = position { last = place }
    let page = try due(after: last, through: Instant(milliseconds: .max), limit: max(1, min(limit, examining)))
    var list = ScheduleList(schedules: page.schedules.filter(search.fits))
    if !page.isLast, let end = page.schedules.last, let pending = end.pending {
      list.next = .due(DuePosition(due: pending.due, generation: end.generation))
    }
    return list
  }
}
