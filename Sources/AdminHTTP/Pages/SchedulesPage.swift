import Recurrence
import Scheduling

/// The list of schedules. Its URL holds all of its state.
struct SchedulesPage {
  struct Option {
    var value: String
    var isChosen: Bool
  }

  var title = "Schedules"
  var prefix, chosenGroup, chosenTag: String
  var states: [Option]
  var sorts: [Option]
  var schedules: [ScheduleRow]
  var isEmpty: Bool
  /// Whether it lists ended schedules, which have their own order.
  var areEnded: Bool
  /// Nil on the last page.
  var nextLink: String?
  var firstLink: String?
  /// The page to change all of them at once.
  var selectionLink: String?

  init(_ query: ScheduleQuery, allowsChanges: Bool, _ rows: [ScheduleRow], next: ListPosition?) {
    prefix = query.prefix
    (chosenGroup, chosenTag) = (query.group, query.tag)
    states = ScheduleQuery.states.map { Option(value: $0.rawValue, isChosen: $0 == query.search.lifecycle) }
    sorts = ScheduleQuery.sorts.map { Option(value: $0.rawValue, isChosen: $0 == query.sort) }
    schedules = rows
    isEmpty = rows.isEmpty
    areEnded = query.search.lifecycle == .ended
    nextLink = next.map { Self.link(query, after: $0) }
    selectionLink = allowsChanges && !rows.isEmpty ? query.selector.map { SelectionPage.link(to: $0) } : nil
    firstLink = query.after.map { _ in Self.link(query, after: nil) }
  }

  private static func link(_ query: ScheduleQuery, after position: ListPosition?) -> String {
    "/schedules?" + query.text(after: position)
  }
}
