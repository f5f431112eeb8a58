/// The members of an event's Detail, values not yet validated.
struct DetailFields {
  /// The contract's fields of all commands.
  enum Name: String, CaseIterable {
    case id, cron, duration, at, every, limit, timezone, startDate, endDate, jitter, payload, reason
    case misfirePolicy, catchupWindow, ifExists

    static let table = NameTable<Self>()
  }

  /// The most unknown names that are kept, and listed in Started.
  static let maximumUnknown = 32

  private var values: [(name: Name, value: JSONValue)] = []
  /// Names that are not fields of a Start, in the order sent, each clipped to 64 bytes.
  private(set) var unknown: [String] = []

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
        note(key)
        try reader.skipValue()
        return
      }
      if name == .reason { note(key) }
      let value = try reader.readValue(uniqueKeys: name != .payload)
      if self[name] == nil, value.kind != .null || name == .payload { values.append((name, value)) }
      assert(Set(values.map(\.name)).count == values.count, "a field was kept twice")
    }
  }

  private mutating func note(_ key: ArraySlice<UInt8>) {
    if unknown.count < Self.maximumUnknown { unknown.append(key.clipped) }
  }
}
