import Foundation

/// An AMQP 0-9-1 frame, as far as the tests of the queue model need it.
struct RawFrame {
  static let method: UInt8 = 1
  static let header: UInt8 = 2
  static let body: UInt8 = 3

  let type: UInt8
  var payload: RawBytes
}

/// Bytes read from the front.
struct RawBytes {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isEmpty: Bool { position == bytes.count }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws -> Number {
    let part = try take(MemoryLayout<Number>.size)
    return part.reduce(0) { $0 << 8 | Number($1) }
  }

  mutating func shortText() throws -> String { String(decoding: try take(Int(number(UInt8.self))), as: UTF8.self) }

  mutating func rest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[position...])
  }

  /// The integers of a table; other values of known length are skipped.
  mutating func numbers() throws -> [String: Int] {
    var table = RawBytes(try take(Int(number(UInt32.self))))
    var numbers: [String: Int] = [:]
    while !table.isEmpty {
      let name = try table.shortText()
      switch UnicodeScalar(try table.number(UInt8.self)) {
      case "l": numbers[name] = Int(try table.number(Int64.self))
      case "I": numbers[name] = Int(try table.number(Int32.self))
      case "t", "b", "B": _ = try table.take(1)
      case "S": _ = try table.take(Int(table.number(UInt32.self)))
      case let type: throw Unexpected("a header of type \(type)")
      }
    }
    return numbers
  }

  private mutating func take(_ count: Int) throws -> [UInt8] {
    guard count <= bytes.count - position else { throw Unexpected("a frame that is too short") }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }
}

extension [UInt8] {
  static func number(_ number: some FixedWidthInteger) -> [UInt8] {
    Swift.withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  static func shortText(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
  static func longText(_ text: String) -> [UInt8] { number(UInt32(text.utf8.count)) + Array(text.utf8) }

  static func table(_ entries: [(name: String, value: [UInt8])]) -> [UInt8] {
    let bytes = entries.flatMap { shortText($0.name) + $0.value }
    return number(UInt32(bytes.count)) + bytes
  }

  /// Values of a table, with their types.
  static func flag(_ flag: Bool) -> [UInt8] { [UInt8(ascii: "t"), flag ? 1 : 0] }
  static func text(_ text: String) -> [UInt8] { [UInt8(ascii: "S")] + longText(text) }
  static func integer(_ number: Int) -> [UInt8] { [UInt8(ascii: "l")] + .number(Int64(number)) }
}
