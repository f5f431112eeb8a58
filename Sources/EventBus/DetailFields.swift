import Scheduling

/// The members of an event's Detail, values not yet validated.
struct DetailFields {
  /// The contract's fields of all commands.
  enum Name: String, CaseIterable {
    case id, cron, duration, at, every, limit, timezone, startDate, endDate, jitter, payload, reason
    case misfirePolicy, catchupWindow, ifExists
    case group, tags, description, paused
    case until, `for`, remove, ifRevision
    case tag, state, next, prefix, max
    case target

    static let table = NameTable<Self>()
  }

  /// The most unknown names that are kept, and listed in Started.
  static let maximumUnknown = 32

  private var values: [(name: Name, value: JSONValue)] = []
  /// Names that are not fields of every Start, in the order sent, each clipped to 64 bytes.
  private var noted: [(text: String, name: Name?)] = []

  /// The names that are not fields of this command.
  func unknown(to command: EventName) -> [String] {
    noted.filter { note in note.name.map { !command.fields.contains($0) } ?? true }.map(\.text)
  }

  /// The value of a field; nil when it is absent or, for any field but `payload`, `null`.
  subscript(_ name: Name) -> JSONValue? {
    // By index, so that no value is copied.
    for index in values.indices where values[index].name == name { return values[index].value }
    return nil
  }

  /// Reads a Detail object. Duplicate keys inside `payload` are allowed: it belongs to the client.
  mutating func read(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readObject { (reader, key) throws(JSONError) in
      guard let name = Name.table[key] else {
        note(key, nil)
        try reader.skipValue()
        return
      }
      if !EventName.start.fields.contains(name) || !EventName.update.fields.contains(name) { note(key, name) }
      let value = try reader.readValue(uniqueKeys: name != .payload)
      if self[name] == nil, value.kind != .null || name == .payload { values.append((name, value)) }
      assert(Set(values.map(\.name)).count == values.count, "a field was kept twice")
    }
  }

  private mutating func note(_ key: ArraySlice<UInt8>, _ name: Name?) {
    if noted.count < Self.maximumUnknown { noted.append((key.clipped, name)) }
  }
}

extension EventName {
  /// The fields of a command whose outcome lists those that it ignored.
  fileprivate var fields: Set<DetailFields.Name> {
    switch self {
    case .start: Self.startFields
    case .update: Self.updateFields
    default: []
    }
  }

  private static let definitionFields: Set<DetailFields.Name> = [
    .id, .cron, .duration, .at, .every, .limit, .timezone, .startDate, .endDate, .jitter, .payload, .misfirePolicy,
    .catchupWindow, .group, .tags, .description, .target,
  ]
  private static let startFields = definitionFields.union([.ifExists, .paused])
  private static let updateFields = definitionFields.union([.remove, .ifRevision])
}
