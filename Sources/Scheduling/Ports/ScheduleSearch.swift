/// What people search for among schedules.
package struct ScheduleSearch: Hashable, Sendable {
  package enum Lifecycle: String, CaseIterable, Sendable {
    case all, live, ended
  }

  /// The order of live schedules, or of all. Ended ones are always listed latest end first.
  package enum Order: String, CaseIterable, Sendable {
    /// By the bytes of the id.
    case id
    /// In due order; live schedules only.
    case next
  }

  /// The bytes that ids begin with; empty for all.
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
    case .live: return schedule.nextTick != nil
    case .ended: return schedule.nextTick == nil
    }
  }
}

/// A position in a list, in the order of its search.
package enum ListPosition: Hashable, Sendable {
  case id(ScheduleID)
  case due(DuePosition)
  case end(EndPosition)
}

/// A page of a list.
package struct ScheduleList: Hashable, Sendable {
  /// Without their payloads.
  package var schedules: [Schedule]
  /// Where the next page starts; nil at the end.
  package var next: ListPosition?

  package init(schedules: [Schedule] = [], next: ListPosition? = nil) {
    self.schedules = schedules
    self.next = next
  }
}

extension ScheduleQueries {
  /// Schedules that match a search, in its order, after `position`.
  ///
  /// One read from the store with a limited number of rows, so that it can be made between two decisions of the engine.
  ///
  /// - Parameters:
  ///   - limit: The most schedules of one page.
  ///   - examining: The most rows read. A page that ends for this reason may be short or empty, and has a `next`.
  package func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int, examining: Int
  ) throws(StoreError) -> ScheduleList {
    let limit = max(1, min(limit, examining))
    let wanted = search.fitsAll ? limit : max(1, examining)
    let rows = try listed(search.walk(after: position), limit: wanted)
    var list = ScheduleList()
    for row in rows {
      guard list.schedules.count < limit else { return list }
      guard search.mayHold(from: row) else {
        list.next = nil
        return list
      }
      if search.fits(row) { list.schedules.append(row) }
      list.next = search.place(of: row)
    }
    if rows.count < wanted { list.next = nil }
    return list
  }
}

extension ScheduleSearch {
  /// Whether every row of its walk matches.
  fileprivate var fitsAll: Bool { prefix.isEmpty && (lifecycle != .live || order == .next) }

  fileprivate func walk(after position: ListPosition?) -> ListWalk {
    switch (lifecycle, order, position) {
    case (.ended, _, .end(let place)): .end(before: place)
    case (.ended, _, _): .end(before: nil)
    case (_, .next, .due(let place)): .due(after: place)
    case (_, .next, _): .due(after: nil)
    // The first possible id after an id is that id with a zero byte appended.
    case (_, .id, .id(let id)): .id(from: id.bytes + [0])
    case (_, .id, _): .id(from: prefix)
    }
  }

  /// Whether this row of the walk, or a later one, can match: ids with the same prefix are consecutive.
  fileprivate func mayHold(from row: Schedule) -> Bool {
    lifecycle == .ended || order == .next || row.id.bytes.starts(with: prefix)
  }

  fileprivate func place(of row: Schedule) -> ListPosition? {
    switch row.state {
    case .ended(let ending) where lifecycle == .ended: .end(EndPosition(at: ending.at, generation: row.generation))
    case .live(let nextTick) where order == .next: .due(DuePosition(due: nextTick.due, generation: row.generation))
    default: .id(row.id)
    }
  }
}
