/// What frames are made of (AMQP 0-9-1, section 4.2.5): numbers with the highest byte first, strings and tables behind their
/// length.
extension [UInt8] {
  /// Leaves room for the length of what follows, and returns where that is to be written.
  mutating func beginCounted() -> Int {
    append(bigEndian: UInt32(0))
    return count - 4
  }

  mutating func endCounted(_ place: Int) {
    let size = UInt32(count - place - 4).bigEndian
    withUnsafeMutableBytes { $0.storeBytes(of: size, toByteOffset: place, as: UInt32.self) }
  }

  mutating func append(shortString text: String) {
    append(UInt8(text.utf8.count))
    var text = text
    text.withUTF8 { append(contentsOf: $0) }
  }

  mutating func append(shortString bytes: [UInt8]) {
    append(UInt8(bytes.count))
    append(contentsOf: bytes)
  }

  mutating func append(bigEndian number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }
}
