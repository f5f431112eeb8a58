/// The members of an event's Detail as they came, values not yet looked at.
struct DetailFields {
  /// The fields of the contract, of all commands.
  enum Name: String, CaseIterable {
    case id, cron, duration, at, every, limit, timezone, startDate, endDate, jitter, payload, reason
    case misfirePolicy, catchupWindow, ifExists

    /// Compares bytes: none of the names is equal to another text under Unicode's rules only.
    init?(_ key: ArraySlice<UInt8>) {
      guard let name = Self.table.first(where: { $0.bytes.elementsEqual(key) })?.name else { return nil }
      self = name
    }

    private static let table = allCases.map { (bytes: Array($0.rawValue.utf8), name: $0) }
  }

  /// How many unknown names are remembered; a sender with more typing errors sees the first of them.
  static let maximumUnknown = 32

  private var values: [Name: JSONValue] = [:]
  /// Names that a Start does not have, in the order sent, each cut to 64 bytes.
  private(set) var unknown: [String] = []

  /// The value of a field; nil when it is absent or `null`, which is the same for all fields but `payload`.
  subscript(_ name: Name) -> JSONValue? { values[name] }

  /// Reads a Detail object. Keys inside `payload` may come twice: it is the client's own.
  mutating func read(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readObject { (reader, key) throws(JSONError) in
      guard let name = Name(key) else {
        note(key)
        try reader.skipValue()
        return
      }
      if name == .reason { note(key) }
      let value = try reader.readValue(uniqueKeys: name != .payload)
      if values[name] == nil, value.kind != .null || name == .payload { values[name] = value }
    }
  }

  private mutating func note(_ key: ArraySlice<UInt8>) {
    if unknown.count < Self.maximumUnknown { unknown.append(clipped(key)) }
  }
}
