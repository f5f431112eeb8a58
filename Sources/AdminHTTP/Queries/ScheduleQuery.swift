import Recurrence
import Scheduling

/// The filter, order and position in the query of a list's URL. Pages and API read it alike.
struct ScheduleQuery: Sendable {
  var prefix: String
  var search: ScheduleSearch
  var after: ListPosition?
  var limit: Int

  static let limits = 1...200
  static let defaultLimit = 50

  /// - Parameter value: The value of a query parameter, nil when it is absent.
  init(_ value: (String) -> String?) throws(QueryError) {
    prefix = value("prefix") ?? ""
    guard prefix.utf8.count <= ScheduleID.maximumLength else {
      throw QueryError("prefix: longer than any id")
    }
    let lifecycle = try Self.choice(value("state"), ScheduleSearch.Lifecycle.self, or: .all, called: "state")
    let order = try Self.choice(value("sort"), ScheduleSearch.Order.self, or: .id, called: "sort")
    search = ScheduleSearch(prefix: Array(prefix.utf8), lifecycle: lifecycle, order: order)
    limit = Self.defaultLimit
    if let text = value("limit"), !text.isEmpty {
      guard let number = Int(text), Self.limits.contains(number) else { throw QueryError("limit: not within 1-200") }
      limit = number
    }
    if let text = value("after"), !text.isEmpty {
      guard let position = ListPosition(text), position.fits(search) else {
        throw QueryError("after: not a position in this list")
      }
      after = position
    }
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ text: String?, _ type: Value.Type, or fallback: Value, called name: String
  ) throws(QueryError) -> Value {
    guard let text, !text.isEmpty else { return fallback }
    guard let value = Value(rawValue: text) else {
      throw QueryError("\(name): one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  /// The query that lists the page behind a position.
  func text(after position: ListPosition?) -> String {
    var parts = [
      "prefix=\(percentEncoded(prefix))", "state=\(search.lifecycle.rawValue)", "sort=\(search.order.rawValue)",
      "limit=\(limit)",
    ]
    if let position { parts.append("after=\(percentEncoded(position.text))") }
    return parts.joined(separator: "&")
  }
}

/// A query parameter that is invalid.
struct QueryError: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

extension ListPosition {
  /// `i` + id, `d` + due time in milliseconds + `.` + generation, or `e` + end in milliseconds + `.` + generation.
  var text: String {
    switch self {
    case .id(let id): "i" + id.text
    case .due(let position): "d\(position.due.milliseconds).\(position.generation)"
    case .end(let position): "e\(position.at.milliseconds).\(position.generation)"
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
