/// The members of an event's Detail as they came, values not yet looked at.
struct DetailFields {
  /// The fields of the contract, of all commands.
  enum Name: String, CaseIterable {
    case id, cron, duration, at, every, limit, timezone, startDate, endDate, jitter, payload, reason
    case misfirePolicy, catchupWindow, ifExists

    static let table = NameTable<Self>()
  }

  /// How many unknown names are remembered; a sender with more typing errors sees the first of them.
  static let maximumUnknown = 32

  private var values: [(name: Name, value: JSONValue)] = []
  /// Names that a Start does not have, in the order sent, each cut to 64 bytes.
  private(set) var unknown: [String] = []

  /// The value of a field; nil when it is absent or `null`, which is the same for all fields but `payload`.
  subscript(_ name: Name) -> JSONValue? {
    // By index, so that what is passed over is not copied.
    for index in values.indices where values[index].name == name { return values[index].value }
    return nil
  }

  /// Reads a Detail object. Keys inside `payload` may come twice: it is the client's own.
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
    }
  }

  private mutating func note(_ key: ArraySlice<UInt8>) {
    if unknown.count < Self.maximumUnknown { unknown.append(key.clipped) }
  }
}
