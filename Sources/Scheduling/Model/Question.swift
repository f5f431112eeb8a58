/// A question from a client: it changes nothing, is answered to its `reply_to` only, and is neither remembered nor
/// stored.
package enum Question: Hashable, Sendable {
  case describe(Describe)
  case list(List)

  package struct Describe: Hashable, Sendable {
    package var id: ScheduleID
    /// The most upcoming slots to list.
    package var next: Int

    package static let mostSlots = 100

    package init(id: ScheduleID, next: Int = 10) {
      self.id = id
      self.next = next
    }
  }

  package struct List: Hashable, Sendable {
    /// In order of id.
    package var search: ScheduleSearch
    /// The last id of the page before; nil for the first page.
    package var last: ScheduleID?
    /// The most schedules of the page.
    package var limit: Int

    package static let mostSchedules = 1000

    package init(search: ScheduleSearch, after last: ScheduleID? = nil, limit: Int = 100) {
      self.search = search
      self.last = last
      self.limit = limit
    }
  }

  package var name: EventName {
    switch self {
    case .describe: .describe
    case .list: .list
    }
  }
}
