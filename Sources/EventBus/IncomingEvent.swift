/// A received event in either form of the envelope: EventBridge's PutEvents (`DetailType`, and `Detail` as an object or as a
/// string that holds JSON) or its delivered form (`detail-type`, `detail`). Values are not yet validated.
struct IncomingEvent {
  /// The envelope's fields, by their names in rejections.
  enum Name: String, CaseIterable {
    case source = "Source"
    case detailType = "DetailType"
    case time = "Time"
    case detail = "Detail"

    /// The name in the delivered form.
    var delivered: String {
      switch self {
      case .source: "source"
      case .detailType: "detail-type"
      case .time: "time"
      case .detail: "detail"
      }
    }

    /// The fields by either of their names.
    static let table = NameTable(allCases.flatMap { [($0.rawValue, $0), ($0.delivered, $0)] })
  }

  private var values: [(name: Name, value: JSONValue)] = []
  private(set) var fields = DetailFields()
  /// The first error after which reading could continue.
  private(set) var fault: FieldError?

  /// The value of a field; nil when it is absent or `null`.
  subscript(_ name: Name) -> JSONValue? {
    for index in values.indices where values[index].name == name { return values[index].value }
    return nil
  }

  /// The text of DetailType; nil when it is missing or not a string.
  var detailType: ArraySlice<UInt8>? { self[.detailType]?.text }

  /// Reads a body. Throws when it is not a JSON object.
  init(_ body: [UInt8]) throws(FieldError) {
    do {
      try read(body)
    } catch {
      throw FieldError("body", "the body cannot be read as JSON: \(error)")
    }
    readDetail()
  }

  private mutating func read(_ body: [UInt8]) throws(JSONError) {
    var reader = try JSONReader(body[...])
    try reader.readObject { (reader, key) throws(JSONError) in
      let name = Name.table[key]
      // The keys of Detail are checked later, when `payload` can be exempted.
      let value = try reader.readValue(uniqueKeys: name != .detail)
      guard let name, value.kind != .null else { return }
      if self[name] == nil {
        values.append((name, value))
      } else if reader.duplicateKey == nil {
        note(FieldError(name, "\(name.rawValue) and \(name.delivered) are the same field: send one of them"))
      }
    }
    try reader.readEnd()
    if let duplicate = reader.duplicateKey { note(FieldError("body", duplicate.description)) }
  }

  /// Reads the fields of Detail, from an object or from a string that holds one.
  private mutating func readDetail() {
    guard let detail = self[.detail], let text = detail.kind == .object ? detail.bytes : detail.text else { return }
    do throws(JSONError) {
      var reader = try JSONReader(text, depth: 1)
      try fields.read(&reader)
      try reader.readEnd()
      if let duplicate = reader.duplicateKey { throw duplicate }
    } catch {
      note(FieldError(.detail, "Detail cannot be read as JSON: \(error) of Detail"))
    }
  }

  private mutating func note(_ error: FieldError) {
    if fault == nil { fault = error }
  }
}
