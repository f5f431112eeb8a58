import Scheduling

extension EventName {
  /// The events by the bytes of their names.
  static let table = NameTable<Self>()

  /// The names of commands and questions, for error messages.
  static let requestList =
    requests.dropLast().map(\.rawValue).joined(separator: ", ") + " or " + (requests.last?.rawValue ?? "")
}
