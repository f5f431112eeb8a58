import Scheduling

extension EventName {
  /// The events by the bytes of their names.
  static let table = NameTable<Self>()

  /// The commands, for people.
  static let commandList = commands.map(\.rawValue).joined(separator: " or ")
}
