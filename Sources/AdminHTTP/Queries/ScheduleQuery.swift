import Recurrence
import Scheduling

/// The filter, order and position in the query of a list's URL. Pages and API read it alike.
struct ScheduleQuery: Sendable {
  /// As given; empty for none.
  var prefix, group, tag: String
  /// The order asked for. Ended schedules have their own.
  var sort: ScheduleSearch.Order
  var search: ScheduleSearch
  var after: ListPosition?
  var limit: Int

  /// The parameters of the API.
  static let parameters = ["prefix", "group", "tag", "state", "sort", "limit", "after"]
  static let states: [ScheduleSearch.Lifecycle] = [.all, .live, .paused, .ended]
  static let sorts: [ScheduleSearch.Order] = [.id, .next]
  static let limits = 1...200
  static let defaultLimit = 50

  /// - Parameter value: The value of a query parameter, nil when it is absent.
  init(_ value: (String) -> String?) throws(QueryError) {
    prefix = try Self.text(value("prefix"), called: "prefix", upTo: ScheduleID.maximumLength, of: "id")
    group = try Self.text(value("group"), called: "group", upTo: 200, of: "group")
    tag = try Self.text(value("tag"), called: "tag", upTo: 64, of: "tag")
    let lifecycle = try Self.choice(value("state"), Self.states, called: "state")
    sort = try Self.choice(value("sort"), Self.sorts, called: "sort")
    search = ScheduleSearch(
      prefix: Array(prefix.utf8), group: group.isEmpty ? nil : Array(group.utf8),
      tag: tag.isEmpty ? nil : Array(tag.utf8),
      lifecycle: lifecycle, order: lifecycle == .ended ? .end : sort)
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

  /// What commands by group or prefix can select: nil unless the filter is one of the two.
  var selector: BatchCommand.Selector? {
    guard tag.isEmpty else { return nil }
    return switch (group.isEmpty, prefix.isEmpty) {
    case (false, true): .group(Array(group.utf8))
    case (true, false): .prefix(Array(prefix.utf8))
    default: nil
    }
  }

  private static func text(
    _ text: String?, called name: String, upTo length: Int, of kind: String
  ) throws(QueryError) -> String {
    let text = text ?? ""
    guard text.utf8.count <= length else { throw QueryError("\(name): longer than any \(kind)") }
    return text
  }

  /// One of these values; the first if there is no text.
  private static func choice<Value: RawRepresentable<String>>(
    _ text: String?, _ values: [Value], called name: String
  ) throws(QueryError) -> Value {
    let isGiven = text?.isEmpty == false
    guard let value = isGiven ? values.first(where: { $0.rawValue == text }) : values.first else {
      throw QueryError("\(name): one of \(values.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  /// The query that lists the page behind a position.
  func text(after position: ListPosition?) -> String {
    var parts = [
      "prefix=\(percentEncoded(prefix))", "state=\(search.lifecycle.rawValue)", "sort=\(sort.rawValue)",
      "limit=\(limit)",
    ]
    for (name, text) in [("group", group), ("tag", tag), ("after", position?.text ?? "")] where !text.isEmpty {
      parts.append("\(name)=\(percentEncoded(text))")
    }
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
        ? .due(.listed(due: instant, generation: generation))
        : .end(EndPosition(at: instant, generation: generation))
    default: return nil
    }
  }

  func fits(_ search: ScheduleSearch) -> Bool {
    switch self {
    case .id: search.order == .id
    case .due: search.order == .next
    case .end: search.order == .end
    }
  }
}
