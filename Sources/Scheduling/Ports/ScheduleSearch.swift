/// What people search for among schedules. All of its conditions apply.
package struct ScheduleSearch: Hashable, Sendable {
  package enum Lifecycle: String, CaseIterable, Sendable {
    /// `live` includes `paused`; `active` is live without them.
    case all, live, active, paused, ended
  }

  package enum Order: String, CaseIterable, Sendable {
    /// By the bytes of the id: a schedule that exists during the whole listing is listed exactly once.
    case id
    /// In due order; live schedules only.
    case next
    /// Latest end first; ended schedules only.
    case end
  }

  /// The bytes that ids begin with; empty for all.
  package var prefix: [UInt8]
  /// The bytes of the group's name; nil for schedules of any group and of none.
  package var group: [UInt8]?
  /// The bytes of one of its tags; nil for any.
  package var tag: [UInt8]?
  package var lifecycle: Lifecycle
  package var order: Order

  package init(
    prefix: [UInt8] = [], group: [UInt8]? = nil, tag: [UInt8]? = nil, lifecycle: Lifecycle = .all, order: Order = .id
  ) {
    self.prefix = prefix
    self.group = group
    self.tag = tag
    self.lifecycle = lifecycle
    self.order = order
  }

  package func fits(_ schedule: Schedule) -> Bool {
    guard schedule.id.bytes.starts(with: prefix), lifecycle.includes(schedule) else { return false }
    // Compared as bytes, as the store does: for Swift's `==` a composed and a decomposed "é" are equal.
    if let group, schedule.definition.group?.utf8.elementsEqual(group) != true { return false }
    guard let tag else { return true }
    return schedule.definition.tags?.contains { $0.utf8.elementsEqual(tag) } == true
  }
}

extension ScheduleSearch.Lifecycle {
  fileprivate func includes(_ schedule: Schedule) -> Bool {
    switch self {
    case .all: true
    case .live: schedule.isLive
    case .active: schedule.isLive && !schedule.isPaused
    case .paused: schedule.isPaused
    case .ended: !schedule.isLive
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
  fileprivate var fitsAll: Bool {
    guard prefix.isEmpty, tag == nil else { return false }
    return switch (order, lifecycle) {
    case (_, .all): order == .id || group == nil
    case (.id, .paused), (.next, .live), (.end, .ended): group == nil
    default: false
    }
  }

  /// The shortest walk in its order that has all matches.
  fileprivate func walk(after position: ListPosition?) -> ListWalk {
    switch (order, position) {
    case (.next, .due(let place)): return .due(after: place)
    case (.next, _): return .due(after: nil)
    case (.end, .end(let place)): return .end(before: place)
    case (.end, _): return .end(before: nil)
    case (.id, _): break
    }
    // The first possible id after an id is that id with a zero byte appended.
    let first = if case .id(let id) = position { id.bytes + [0] } else { prefix }
    if let group { return .group(group, from: first) }
    return lifecycle == .paused ? .paused(from: first) : .id(from: first)
  }

  /// Whether this row of the walk, or a later one, can match: ids with the same prefix are consecutive.
  fileprivate func mayHold(from row: Schedule) -> Bool {
    order != .id || row.id.bytes.starts(with: prefix)
  }

  fileprivate func place(of row: Schedule) -> ListPosition? {
    switch (order, row.state) {
    case (.id, _): .id(row.id)
    case (.next, .live(let nextTick)): .due(.listed(due: nextTick.due, generation: row.generation))
    case (.end, .ended(let ending)): .end(EndPosition(at: ending.at, generation: row.generation))
    case (.next, .ended), (.end, .live): nil
    }
  }
}
