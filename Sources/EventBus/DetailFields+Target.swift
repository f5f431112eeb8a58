import Bytes
import Scheduling

/// Decodes `target`: what is published instead of a tick, and where. Whether it may be published there depends on the
/// operator's list, which the engine asks.
extension DetailFields {
  /// Nil when the field is absent.
  func target() throws(FieldError) -> Target? {
    guard let value = self[.target] else { return nil }
    guard value.kind == .object else {
      throw FieldError(.target, "target must be an object, not \(value.kind.rawValue)")
    }
    let fields = try TargetFields(value)
    let target = Target(
      exchange: try fields.name(.exchange), routingKey: try fields.name(.routingKey),
      detailType: try fields.name(.detailType), source: try fields.name(.source), body: try fields.body(),
      contentType: try fields.name(.contentType), headers: try fields.headers(), expiration: try fields.expiration(),
      priority: try fields.priority())
    try fields.check(target)
    return target
  }
}

/// The members of `target`.
private struct TargetFields {
  enum Name: String, CaseIterable {
    case exchange, routingKey, detailType, source, body, contentType, headers, expiration, priority

    static let table = NameTable<Self>()
    static let list = allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// AMQP has no longer ones.
  private static let longestName = 255
  private static let mostHeaders = 32
  /// Of all headers together, so that with ours they fit into the smallest frame.
  private static let mostHeaderBytes = 4096
  /// The longest that RabbitMQ accepts, in milliseconds.
  private static let longestExpiration: UInt64 = 4_294_967_295

  private var values: [Name: JSONValue] = [:]

  init(_ object: JSONValue) throws(FieldError) {
    for (key, value) in try Self.members(of: object, "target") {
      guard let name = Name.table[key] else {
        throw FieldError(.target, "target holds \(key.quoted): its fields are \(Name.list)")
      }
      if value.kind != .null { values[name] = value }
    }
  }

  /// The members of a well-formed object.
  private static func members(
    of object: JSONValue, _ path: String
  ) throws(FieldError) -> [(key: ArraySlice<UInt8>, value: JSONValue)] {
    var members: [(key: ArraySlice<UInt8>, value: JSONValue)] = []
    do throws(JSONError) {
      var reader = try JSONReader(object.bytes)
      try reader.readObject { (reader, key) throws(JSONError) in members.append((key, try reader.readValue())) }
    } catch {
      throw FieldError(path, "\(path) cannot be read as JSON: \(error)")
    }
    return members
  }

  private func error(_ name: Name, _ reason: String) -> FieldError {
    FieldError("target.\(name.rawValue)", "target.\(name.rawValue) \(reason)")
  }

  /// A text of 1 to 255 bytes without control characters.
  func name(_ name: Name) throws(FieldError) -> String? {
    guard let value = values[name] else { return nil }
    guard let text = value.text else { throw error(name, "must be a string, not \(value.kind.rawValue)") }
    guard !text.isEmpty else { throw error(name, "is empty") }
    guard text.count <= Self.longestName else {
      throw error(name, "has \(text.count) bytes: at most \(Self.longestName) are accepted")
    }
    let string = String(decoding: text, as: UTF8.self)
    guard !string.hasControlCharacter else { throw error(name, "holds a control character") }
    return string
  }

  func body() throws(FieldError) -> Target.Body? {
    guard let text = try name(.body) else { return nil }
    guard let body = Target.Body(rawValue: text) else {
      let choices = Target.Body.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(.body, "is \(Array(text.utf8)[...].quoted): use one of \(choices)")
    }
    return body
  }

  func expiration() throws(FieldError) -> String? {
    guard let value = values[.expiration] else { return nil }
    guard let text = value.text else {
      throw error(.expiration, "must be a string of digits, such as \"60000\", not \(value.kind.rawValue)")
    }
    guard !text.isEmpty, text.count <= 10, text.allSatisfy(\.isDigit),
      let milliseconds = UInt64(String(decoding: text, as: UTF8.self)), milliseconds <= Self.longestExpiration
    else {
      throw error(
        .expiration, "is \(text.quoted): milliseconds in digits are expected, at most \(Self.longestExpiration)")
    }
    return String(decoding: text, as: UTF8.self)
  }

  func priority() throws(FieldError) -> UInt8? {
    guard let value = values[.priority] else { return nil }
    guard value.kind == .number, value.bytes.allSatisfy(\.isDigit),
      let priority = UInt8(String(decoding: value.bytes, as: UTF8.self))
    else { throw error(.priority, "must be a whole number within 0-255") }
    return priority
  }

  func headers() throws(FieldError) -> [Target.Header]? {
    guard let value = values[.headers] else { return nil }
    guard value.kind == .object else { throw error(.headers, "must be an object, not \(value.kind.rawValue)") }
    let members = try Self.members(of: value, "target.headers")
    guard members.count <= Self.mostHeaders else {
      throw error(.headers, "has \(members.count) members: at most \(Self.mostHeaders) are accepted")
    }
    var headers: [Target.Header] = []
    var bytes = 0
    for (key, value) in members {
      let header = Target.Header(name: try headerName(key), value: try headerValue(value, of: key))
      headers.append(header)
      bytes += key.count + (value.text?.count ?? 8)
    }
    guard bytes <= Self.mostHeaderBytes else {
      throw error(.headers, "has \(bytes) bytes: at most \(Self.mostHeaderBytes) are accepted")
    }
    return headers
  }

  private func headerName(_ key: ArraySlice<UInt8>) throws(FieldError) -> String {
    let name = String(decoding: key, as: UTF8.self)
    guard !key.isEmpty, key.count <= 128, !name.hasControlCharacter else {
      throw error(.headers, "holds \(key.quoted): a name has 1 to 128 bytes without control characters")
    }
    let lowercased = String(decoding: key.map(\.lowercased), as: UTF8.self)
    let isReserved =
      Self.reservedHeaders.contains(lowercased) || Self.reservedPrefixes.contains { lowercased.hasPrefix($0) }
    guard !isReserved else {
      throw error(.headers, "holds \(key.quoted), which is reserved for the broker or set by the scheduler")
    }
    return name
  }

  /// In lower case. The broker copies a message to the queues in CC and BCC, whatever the rights of its sender.
  private static let reservedHeaders: Set<String> = ["cc", "bcc", "scheduled-time", "traceparent", "tracestate"]
  private static let reservedPrefixes = ["x-", "schedule-"]

  private func headerValue(_ value: JSONValue, of key: ArraySlice<UInt8>) throws(FieldError) -> Target.HeaderValue {
    switch value.kind {
    case .string: return .text(String(decoding: value.text ?? [], as: UTF8.self))
    case .boolean: return .boolean(value.bytes.first == UInt8(ascii: "t"))
    case .number:
      guard let number = Int64(String(decoding: value.bytes, as: UTF8.self)) else {
        throw error(.headers, "has \(value.bytes.clipped) as \(key.quoted): a number must be whole, of 64 bits")
      }
      return .integer(number)
    case .object, .array, .null:
      throw error(
        .headers,
        "has \(value.kind.rawValue) as \(key.quoted): strings, whole numbers and booleans are accepted")
    }
  }

  /// How the fields meet.
  func check(_ target: Target) throws(FieldError) {
    switch target.body ?? .event {
    case .event:
      if target.detailType == nil { throw error(.detailType, "is required: the DetailType of the event") }
      if target.contentType != nil {
        throw error(.contentType, "is for a body that is the payload: send body \"payload\" with it")
      }
    case .payload:
      if target.source != nil { throw error(.source, "is for events: a body that is the payload has none") }
      if target.routingKey == nil, target.detailType == nil { throw error(.routingKey, "or detailType is required") }
    }
  }
}

extension String {
  /// Whether it has a character of U+0000-1F or U+7F-9F.
  fileprivate var hasControlCharacter: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}
