/// Reads the elements of an encoding (AMQP 0-9-1, section 4.2.5), each within bounds.
struct WireReader {
  let bytes: [UInt8]
  private(set) var offset = 0

  init(_ bytes: [UInt8], at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Passes over `count` bytes that must end at or before `end`, and returns their range.
  mutating func take(_ count: Int, before end: Int) throws(MalformedProperties) -> Range<Int> {
    guard count <= min(end, bytes.count) - offset else {
      throw MalformedProperties(offset: offset, text: "\(count) bytes are declared, \(end - offset) are there")
    }
    defer { offset += count }
    return offset..<(offset + count)
  }

  mutating func takeByte(before end: Int) throws(MalformedProperties) -> UInt8 {
    bytes[try take(1, before: end).lowerBound]
  }

  /// Returns the range of a string's bytes, without its length.
  mutating func takeShortString(before end: Int) throws(MalformedProperties) -> Range<Int> {
    try take(Int(try takeByte(before: end)), before: end)
  }

  /// Returns the range of what follows a length of four bytes.
  mutating func takeCounted(before end: Int) throws(MalformedProperties) -> Range<Int> {
    let length = bytes.bigEndian(try take(4, before: end))
    return try take(Int(length), before: end)
  }

  /// Passes over the value of a field, in constant time. Returns its range.
  mutating func takeValue(_ type: UInt8, before end: Int) throws(MalformedProperties) -> Range<Int> {
    switch FieldLayout(type) {
    case .fixed(let size)?: return try take(size, before: end)
    case .counted?, .fields?, .values?:
      let start = offset
      return start..<(try takeCounted(before: end).upperBound)
    case nil: throw MalformedProperties(offset: offset - 1, text: "no type of a field has the letter \(type)")
    }
  }

  /// Moves back to where a part of what was passed over begins.
  fileprivate mutating func enter(_ range: Range<Int>) { offset = range.lowerBound }
}

extension WireReader {
  /// Passes over a table and checks everything in it. Without recursion, so that its depth is bounded by its size only.
  mutating func checkTable(before end: Int) throws(MalformedProperties) {
    var open = [(end: try enterCounted(before: end), hasNames: true)]
    while let (end, hasNames) = open.last {
      if offset == end {
        open.removeLast()
        continue
      }
      if hasNames { _ = try takeShortString(before: end) }
      let type = try takeByte(before: end)
      switch FieldLayout(type) {
      case .fields?: open.append((try enterCounted(before: end), true))
      case .values?: open.append((try enterCounted(before: end), false))
      default: _ = try takeValue(type, before: end)
      }
    }
  }

  /// Passes over a length. Returns where what it counts ends.
  private mutating func enterCounted(before end: Int) throws(MalformedProperties) -> Int {
    let content = try takeCounted(before: end)
    enter(content)
    return content.upperBound
  }
}

/// Bytes that are not a property block, and where.
package struct MalformedProperties: Error, Hashable, CustomStringConvertible {
  package let offset: Int
  package let text: String

  package var description: String { "malformed properties: \(text) (byte \(offset))" }
}

/// How the value of a field is laid out, by the letter of its type: those of AMQP 0-9-1 as RabbitMQ reads them.
private enum FieldLayout {
  case fixed(Int)
  /// After a length of four bytes: bytes, named fields, or unnamed values.
  case counted, fields, values

  init?(_ type: UInt8) {
    switch UnicodeScalar(type) {
    case "V": self = .fixed(0)
    case "t", "b", "B": self = .fixed(1)
    case "s", "u": self = .fixed(2)
    case "I", "i", "f": self = .fixed(4)
    case "D": self = .fixed(5)
    case "l", "L", "d", "T": self = .fixed(8)
    case "S", "x": self = .counted
    case "F": self = .fields
    case "A": self = .values
    default: return nil
    }
  }
}

extension [UInt8] {
  /// Up to eight bytes as a number in network byte order.
  func bigEndian(_ range: Range<Int>) -> UInt64 {
    self[range].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
