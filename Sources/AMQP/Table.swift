/// A field table (AMQP 0-9-1, 4.2.5.5): names and values, in the order written.
package struct Table: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// A name, at most 255 bytes of UTF-8 on the wire, and its value.
  package struct Field: Sendable, Hashable {
    package var name: String
    package var value: FieldValue

    package init(name: String, value: FieldValue) {
      self.name = name
      self.value = value
    }
  }

  /// All fields in order. A table from another client may have a name twice; `subscript` then returns the first.
  package var fields: [Field]

  package init(_ fields: [Field] = []) { self.fields = fields }

  package init(dictionaryLiteral elements: (String, FieldValue)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  package var isEmpty: Bool { fields.isEmpty }

  /// The value of a name; nil if it is missing. Setting nil removes the field.
  package subscript(name: String) -> FieldValue? {
    get { fields.first { $0.name == name }?.value }
    set {
      let index = fields.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): fields[index].value = value
      case (let index?, nil): fields.remove(at: index)
      case (nil, let value?): fields.append(Field(name: name, value: value))
      case (nil, nil): break
      }
    }
  }
}

/// One value of a field table, in the types that RabbitMQ and its clients use.
package enum FieldValue: Sendable, Hashable {
  case boolean(Bool)
  case int8(Int8)
  case uint8(UInt8)
  case int16(Int16)
  case uint16(UInt16)
  case int32(Int32)
  case uint32(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case float(Float)
  case double(Double)
  /// `value` divided by ten to the power of `scale`.
  case decimal(scale: UInt8, value: UInt32)
  /// The type that clients use for text. The protocol does not specify an encoding, so it holds bytes: see `text`.
  case longString([UInt8])
  case bytes([UInt8])
  /// Seconds since 1970.
  case timestamp(UInt64)
  case table(Table)
  case array([FieldValue])
  case void

  package static func string(_ text: String) -> FieldValue { .longString(Array(text.utf8)) }

  /// An integer of any width; nil for other types, and above `Int64.max`.
  package var integer: Int64? {
    switch self {
    case .int8(let value): Int64(value)
    case .uint8(let value): Int64(value)
    case .int16(let value): Int64(value)
    case .uint16(let value): Int64(value)
    case .int32(let value): Int64(value)
    case .uint32(let value): Int64(value)
    case .int64(let value): value
    case .uint64(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// A long string as text; nil for other types and for invalid UTF-8.
  package var text: String? {
    guard case .longString(let bytes) = self else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
  package init(stringLiteral text: String) { self = .string(text) }
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
