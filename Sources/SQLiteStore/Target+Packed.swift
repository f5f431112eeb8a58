import Scheduling

/// A target in one blob: each field that it has after a byte that names it, texts after their length in two bytes.
extension Target {
  private enum Field: UInt8 {
    case exchange = 1
    case routingKey = 2
    case detailType = 3
    case source = 4
    case isEvent = 5
    case isPayload = 6
    case contentType = 7
    /// Followed by its name and its value.
    case header = 8
    case expiration = 9
    case priority = 10
    /// Only of a target with an empty list of headers, which is echoed.
    case noHeaders = 11
    // Values of headers.
    case text = 20
    case integer = 21
    case yes = 22
    case no = 23
  }

  var packed: [UInt8] {
    var bytes: [UInt8] = []
    func add(_ field: Field, _ text: String?) {
      guard let text else { return }
      bytes.append(field.rawValue)
      add(text)
    }
    func add(_ text: String) {
      bytes += [UInt8(truncatingIfNeeded: text.utf8.count >> 8), UInt8(truncatingIfNeeded: text.utf8.count)]
      bytes += text.utf8
    }
    add(.exchange, exchange)
    add(.routingKey, routingKey)
    add(.detailType, detailType)
    add(.source, source)
    if let body { bytes.append((body == .event ? Field.isEvent : .isPayload).rawValue) }
    add(.contentType, contentType)
    if headers?.isEmpty == true { bytes.append(Field.noHeaders.rawValue) }
    for header in headers ?? [] {
      add(.header, header.name)
      switch header.value {
      case .text(let text): add(.text, text)
      case .integer(let number): add(.integer, String(number))
      case .boolean(let value): bytes.append((value ? Field.yes : .no).rawValue)
      }
    }
    add(.expiration, expiration)
    if let priority { bytes += [Field.priority.rawValue, priority] }
    return bytes
  }

  /// Nil for an invalid blob.
  init?(packed bytes: [UInt8]) {
    self.init()
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard let field = Field(rawValue: byte), read(field, from: &rest) else { return nil }
    }
  }

  private mutating func read(_ field: Field, from rest: inout ArraySlice<UInt8>) -> Bool {
    switch field {
    case .isEvent: body = .event
    case .isPayload: body = .payload
    case .noHeaders: headers = []
    case .priority:
      guard let byte = rest.popFirst() else { return false }
      priority = byte
    case .header:
      guard let name = Self.text(&rest), let value = Self.value(&rest) else { return false }
      headers = (headers ?? []) + [Header(name: name, value: value)]
    case .exchange, .routingKey, .detailType, .source, .contentType, .expiration:
      guard let text = Self.text(&rest) else { return false }
      switch field {
      case .exchange: exchange = text
      case .routingKey: routingKey = text
      case .detailType: detailType = text
      case .source: source = text
      case .contentType: contentType = text
      default: expiration = text
      }
    case .text, .integer, .yes, .no: return false
    }
    return true
  }

  private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
    let length = Int(high) << 8 | Int(low)
    guard rest.count >= length else { return nil }
    defer { rest = rest.dropFirst(length) }
    return String(decoding: rest.prefix(length), as: UTF8.self)
  }

  private static func value(_ rest: inout ArraySlice<UInt8>) -> HeaderValue? {
    switch rest.popFirst().flatMap(Field.init) {
    case .text?: text(&rest).map { .text($0) }
    case .integer?: text(&rest).flatMap { Int64($0) }.map { .integer($0) }
    case .yes?: .boolean(true)
    case .no?: .boolean(false)
    default: nil
    }
  }
}
