import Recurrence
import Scheduling

/// The list of schedules, with its whole state in its address.
struct SchedulesPage {
  struct Option {
    var value: String
    var isChosen: Bool
  }

  var title = "Schedules"
  var prefix: String
  var states: [Option]
  var sorts: [Option]
  var schedules: [ScheduleRow]
  var isEmpty: Bool
  /// Whether they are those that ended, which have an order of their own.
  var areEnded: Bool
  /// Where the next page is; nil when this is the last.
  var nextLink: String?
  var firstLink: String?

  init(_ query: ScheduleQuery, _ rows: [ScheduleRow], next: ListPosition?) {
    prefix = query.prefix
    states = ScheduleSearch.Lifecycle.allCases.map {
      Option(value: $0.rawValue, isChosen: $0 == query.search.lifecycle)
    }
    sorts = ScheduleSearch.Order.allCases.map { Option(value: $0.rawValue, isChosen: $0 == query.search.order) }
    schedules = rows
    isEmpty = rows.isEmpty
    areEnded = query.search.lifecycle == .ended
    nextLink = next.map { query.link(after: $0) }
    firstLink = query.after.map { _ in query.link(after: nil) }
  }
}

/// What the address of a list says.
struct ScheduleQuery: Sendable {
  var prefix: String
  var search: ScheduleSearch
  var after: ListPosition?
  var limit: Int

  static let limits = 1...200
  static let defaultLimit = 50

  /// Throws what is wrong in a sentence.
  init(_ value: (String) -> String?) throws(AddressError) {
    prefix = value("prefix") ?? ""
    guard prefix.utf8.count <= ScheduleID.maximumLength else {
      throw AddressError("prefix: longer than any id")
    }
    let lifecycle = try Self.choice(value("state"), ScheduleSearch.Lifecycle.self, or: .all, called: "state")
    let order = try Self.choice(value("sort"), ScheduleSearch.Order.self, or: .id, called: "sort")
    search = ScheduleSearch(prefix: Array(prefix.utf8), lifecycle: lifecycle, order: order)
    limit = Self.defaultLimit
    if let text = value("limit"), !text.isEmpty {
      guard let number = Int(text), Self.limits.contains(number) else { throw AddressError("limit: not within 1-200") }
      limit = number
    }
    if let text = value("after"), !text.isEmpty {
      guard let position = ListPosition(text), position.fits(search) else {
        throw AddressError("after: not a position in this list")
      }
      after = position
    }
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ type: Value.Type, or fallback: Value, called name: String
  ) throws(AddressError) -> Value {
    guard let text, !text.isEmpty else { return fallback }
    guard let value = Value(rawValue: text) else {
      throw AddressError("\(name): one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  func link(after position: ListPosition?) -> String {
    var parts = [
      "prefix=\(percentEncoded(prefix))", "state=\(search.lifecycle.rawValue)", "sort=\(search.order.rawValue)",
      "limit=\(limit)",
    ]
    if let position { parts.append("after=\(percentEncoded(position.text))") }
    return "/schedules?" + parts.joined(separator: "&")
  }
}

/// What cannot be read in an address.
struct AddressError: Error {
  var words: String

  init(_ words: String) { self.words = words }
}

extension ListPosition {
  /// `i` and the id; or `d`, when it is due in milliseconds, and the generation; or `e` and the same of its end.
  var text: String {
    switch self {
    case .id(let id): "i" + id.text
    case .due(let place): "d\(place.due.milliseconds).\(place.generation)"
    case .end(let place): "e\(place.at.milliseconds).\(place.generation)"
    }
  }

  init?(_ text: String) {
    let rest = text.dropFirst()
    switch text.first {
    case "i":
      guard let id = ScheduleID(validating: String(rest)) else { return nil }
      self = .id(id)
    case "d", "e":
      let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let milliseconds = Int64(parts[0]), let generation = Int64(parts[1]) else { return nil }
      let instant = Instant(milliseconds: milliseconds)
      self =
        text.first == "d"
        ? .due(DuePosition(due: instant, generation: generation))
        : .end(EndPosition(at: instant, generation: generation))
    default: return nil
    }
  }

  func fits(_ search: ScheduleSearch) -> Bool {
    switch self {
    case .id: search.lifecycle != .ended && search.order == .id
    case .due: search.lifecycle != .ended && search.order == .next
    case .end: search.lifecycle == .ended
    }
  }
}
