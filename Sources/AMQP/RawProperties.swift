import CRabbitMQ

/// The property block of a message as it was delivered, byte for byte: flags, then values (AMQP 0-9-1, 4.2.6.1).
///
/// `Properties` is for reading and writing one's own messages: it drops what it has no name for, and cannot tell headers that
/// are absent from headers that are empty. This is for messages of others, which are sent on as they came. Values are found by
/// passing over those before them; nothing else is decoded.
package struct RawProperties: Sendable, Hashable {
  package let bytes: [UInt8]

  /// Checks the whole block, including nested headers.
  package init(_ bytes: [UInt8]) throws(MalformedProperties) {
    self.bytes = bytes
    var reader = WireReader(bytes)
    let flags = CInt(bytes.bigEndian(try reader.take(2, before: bytes.count)))
    guard flags & 0b11 == 0 else { throw MalformedProperties(offset: 1, text: "it has flags of no property") }
    for flag in Self.all where flags & flag != 0 {
      switch Self.layout(of: flag) {
      case .table: try reader.checkTable(before: bytes.count)
      case let layout: _ = try Self.take(layout, from: &reader)
      }
    }
    guard reader.offset == bytes.count else {
      throw MalformedProperties(
        offset: reader.offset, text: "\(bytes.count - reader.offset) bytes follow the last property")
    }
  }

  /// For bytes that are known to be a block.
  init(checked bytes: [UInt8]) {
    self.bytes = bytes
    assert((try? RawProperties(bytes)) != nil, "not a property block")
  }

  /// Without any property.
  package static let none = RawProperties(checked: [0, 0])

  package var messageID: [UInt8]? { self[.messageID] }
  package var userID: [UInt8]? { self[.userID] }

  /// The bytes of a property; nil when it is absent.
  package subscript(property: ShortProperty) -> [UInt8]? {
    value(of: property.flag).map { Array(bytes[$0.dropFirst()]) }
  }

  /// Nil when it is absent.
  package var deliveryMode: DeliveryMode? {
    value(of: AMQP_BASIC_DELIVERY_MODE_FLAG).map { DeliveryMode(rawValue: bytes[$0.lowerBound]) }
  }

  var flags: UInt16 { UInt16(bytes.bigEndian(0..<2)) }

  /// The range of a property's value, with its length if it has one.
  func value(of flag: CInt) -> Range<Int>? {
    guard CInt(flags) & flag != 0 else { return nil }
    var reader = WireReader(bytes, at: 2)
    for present in Self.all where CInt(flags) & present != 0 {
      guard let range = try? Self.take(Self.layout(of: present), from: &reader) else { return nil }
      if present == flag { return range }
    }
    return nil
  }
}

// MARK: - Headers

extension RawProperties {
  /// A header, as ranges of the block.
  struct Header {
    var name: Range<Int>
    var type: UInt8
    /// With its length, if it has one.
    var value: Range<Int>
    /// From the length of the name to the end of the value.
    var whole: Range<Int>
  }

  /// The names of the headers in their order, without those of nested tables. Invalid UTF-8 becomes U+FFFD.
  package var headerNames: [String] {
    var names: [String] = []
    forEachHeader { names.append(String(decoding: bytes[$0.name], as: UTF8.self)) }
    return names
  }

  /// The value of the first header of a name, if it is a number or a string; nil if it is missing or anything else.
  package func scalarHeader(_ name: StaticString) -> FieldValue? {
    header(name).flatMap(scalar)
  }

  /// The first header of a name, which is also the one that RabbitMQ 4 keeps of several.
  func header(_ name: StaticString) -> Header? {
    var found: Header?
    forEachHeader { if found == nil, isName($0.name, name) { found = $0 } }
    return found
  }

  func isName(_ range: Range<Int>, _ name: StaticString) -> Bool {
    bytes[range].elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }

  func forEachHeader(_ body: (Header) -> Void) {
    guard let table = value(of: AMQP_BASIC_HEADERS_FLAG) else { return }
    var reader = WireReader(bytes, at: table.lowerBound + 4)
    while reader.offset < table.upperBound {
      let start = reader.offset
      guard let name = try? reader.takeShortString(before: table.upperBound),
        let type = try? reader.takeByte(before: table.upperBound),
        let value = try? reader.takeValue(type, before: table.upperBound)
      else { return }
      body(Header(name: name, type: type, value: value, whole: start..<reader.offset))
    }
  }

  /// Numbers and strings as RabbitMQ reads their types; nil for other types.
  func scalar(_ header: Header) -> FieldValue? {
    let number = { self.bytes.bigEndian(header.value) }
    return switch UnicodeScalar(header.type) {
    case "b": .int8(Int8(truncatingIfNeeded: number()))
    case "B": .uint8(UInt8(truncatingIfNeeded: number()))
    case "s": .int16(Int16(truncatingIfNeeded: number()))
    case "u": .uint16(UInt16(truncatingIfNeeded: number()))
    case "I": .int32(Int32(truncatingIfNeeded: number()))
    case "i": .uint32(UInt32(truncatingIfNeeded: number()))
    case "l": .int64(Int64(bitPattern: number()))
    case "L": .uint64(number())
    case "f": .float(Float(bitPattern: UInt32(truncatingIfNeeded: number())))
    case "d": .double(Double(bitPattern: number()))
    case "S": .longString(Array(bytes[header.value.dropFirst(4)]))
    default: nil
    }
  }
}

// MARK: - Layout

extension RawProperties {
  fileprivate enum Layout {
    case shortString, table, octet, timestamp
  }

  /// The flags of all properties, in the order of the properties.
  private static let all = (2...15).reversed().map { 1 << $0 as CInt }

  private static func layout(of flag: CInt) -> Layout {
    switch flag {
    case AMQP_BASIC_HEADERS_FLAG: .table
    case AMQP_BASIC_DELIVERY_MODE_FLAG, AMQP_BASIC_PRIORITY_FLAG: .octet
    case AMQP_BASIC_TIMESTAMP_FLAG: .timestamp
    default: .shortString
    }
  }

  /// Passes over a value in constant time. Returns its range, with its length if it has one.
  private static func take(_ layout: Layout, from reader: inout WireReader) throws(MalformedProperties) -> Range<Int> {
    let (start, end) = (reader.offset, reader.bytes.count)
    switch layout {
    case .shortString: return start..<(try reader.takeShortString(before: end).upperBound)
    case .table: return start..<(try reader.takeCounted(before: end).upperBound)
    case .octet: return try reader.take(1, before: end)
    case .timestamp: return try reader.take(8, before: end)
    }
  }
}
