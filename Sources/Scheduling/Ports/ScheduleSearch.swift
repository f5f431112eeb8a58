/// What people look for among schedules.
package struct ScheduleSearch: Hashable, Sendable {
  package enum Lifecycle: String, CaseIterable, Sendable {
    case all, live, ended
  }

  /// Of live schedules, or all. Ended ones come latest end first whatever the order asked for.
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
    case .live: return schedule.nextTick != nil
    case .ended: return schedule.nextTick == nil
    }
  }
}

/// A place in a list, of the order that its search has.
package enum ListPosition: Hashable, Sendable {
  case id(ScheduleID)
  case due(DuePosition)
  case end(EndPosition)
}

/// A page of a list.
package struct ScheduleList: Hashable, Sendable {
  /// Without their payloads.
  package var schedules: [Schedule]
  /// Where the next page begins; nil when there is nothing more.
  package var next: ListPosition?

  package init(schedules: [Schedule] = [], next: ListPosition? = nil) {
    self.schedules = schedules
    self.next = next
  }
}

extension ScheduleQueries {
  /// Schedules that fit a search, in its order, those beyond `position`.
  ///
  /// One look at the store, at so many rows and no more, so that it can be taken between two decisions of the engine.
  ///
  /// - Parameters:
  ///   - limit: The most schedules of one page.
  ///   - examining: The most rows looked at. A page that ends for this reason may be short, or empty, and has a `next`.
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
  /// Whether nothing on its walk is passed over.
  fileprivate var fitsAll: Bool { prefix.isEmpty && (lifecycle != .live || order == .next) }

  fileprivate func walk(after position: ListPosition?) -> ListWalk {
    switch (lifecycle, order, position) {
    case (.ended, _, .end(let place)): .end(before: place)
    case (.ended, _, _): .end(before: nil)
    case (_, .next, .due(let place)): .due(after: place)
    case (_, .next, _): .due(after: nil)
    // Right behind an id comes the one that has a zero byte more.
    case (_, .id, .id(let id)): .id(from: id.bytes + [0])
    case (_, .id, _): .id(from: prefix)
    }
  }

  /// Whether a row of the walk, or one behind it, can fit: ids with a prefix stand together.
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
