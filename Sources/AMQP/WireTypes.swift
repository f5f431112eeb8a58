import Bytes

/// What frames are made of (AMQP 0-9-1, section 4.2.5): numbers with the highest byte first, strings and tables behind their
/// length.
extension ByteWriter {
  /// Leaves room for the length of what follows, and returns where that is to be written.
  mutating func beginCounted() -> Int {
    append(bigEndian: UInt32(0))
    return count - 4
  }

  mutating func endCounted(_ place: Int) {
    put(bigEndian: UInt32(count - place - 4), at: place)
  }

  mutating func append(shortString text: String) {
    append(UInt8(text.utf8.count))
    append(text)
  }

  mutating func append(shortString bytes: [UInt8]) {
    append(UInt8(bytes.count))
    append(bytes)
  }
}
