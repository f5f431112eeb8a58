/// Property blocks written by hand from AMQP 0-9-1, sections 4.2.5 and 4.2.6.
package enum PropertyBlock {
  /// A header with the letter of its type and its encoded value.
  package typealias Header = (name: String, type: Character, value: [UInt8])

  /// A block with headers only.
  package static func headers(_ headers: Header...) -> [UInt8] { [0x20, 0] + table(headers) }

  /// Fields after their length.
  package static func table(_ fields: [Header]) -> [UInt8] {
    counted(fields.flatMap { short($0.name) + [$0.type.asciiValue ?? 0] + $0.value })
  }

  package static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

  package static func long(_ text: String) -> [UInt8] { counted(Array(text.utf8)) }

  package static func counted(_ bytes: [UInt8]) -> [UInt8] { number(UInt32(bytes.count)) + bytes }

  package static func number(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  /// All fourteen properties, and a header of each type.
  package static let full: [UInt8] =
    [0xFF, 0xFC] + short("text/plain") + short("identity")
    + table([
      ("void", "V", []), ("boolean", "t", [1]), ("int8", "b", [0xFE]), ("uint8", "B", [2]),
      ("int16", "s", [0xFF, 0xFE]),
      ("uint16", "u", [0, 2]), ("int32", "I", number(Int32(-2))), ("uint32", "i", number(UInt32.max)),
      ("int64", "l", number(Int64(-2))), ("uint64", "L", number(UInt64.max)),
      ("float", "f", number(Float(1.5).bitPattern)),
      ("double", "d", number(Double(-2.5).bitPattern)), ("decimal", "D", [2, 0, 0, 0, 3]), ("text", "S", long("é")),
      ("empty", "S", long("")), ("bytes", "x", counted([0, 0xFF])), ("timestamp", "T", number(UInt64(1))),
      ("table", "F", table([("a", "V", []), ("a", "F", table([("", "t", [2])]))])),
      ("array", "A", counted([0x56, 0x62, 1] + [0x41] + counted([]))), ("text", "S", long("again")),
    ]) + [2, 5] + short("correlation") + short("reply") + short("60000") + short("id") + number(UInt64(7))
    + short("type") + short("user") + short("app") + short("cluster")

  /// Arrays in arrays.
  package static func nested(_ depth: Int) -> [UInt8] {
    let inner = (0..<depth).flatMap { level in number(UInt32(5 * (depth - level))) + [0x41] } + number(UInt32(0))
    return headers(("deep", "A", inner))
  }
}
