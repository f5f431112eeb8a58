import Scheduling

extension EventName {
  /// The events by the bytes of their names.
  static let table = NameTable<Self>()

  /// The names of the commands, for error messages.
  static let commandList =
    commands.dropLast().map(\.rawValue).joined(separator: ", ")
    + " or " + (commands.last?.rawValue ?? "")
}
