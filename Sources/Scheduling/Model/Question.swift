/// A question from a client: it changes nothing, is answered to its `reply_to` only, and is neither remembered nor
/// stored.
package enum Question: Hashable, Sendable {
  case describe(Describe)

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

  package var name: EventName {
    switch self {
    case .describe: .describe
    }
  }
}
