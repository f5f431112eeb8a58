import Bytes

/// The elements of frames (AMQP 0-9-1, section 4.2.5): numbers in network byte order, strings and tables after their length.
extension ByteWriter {
  /// Reserves four bytes for the length of what follows. Returns their offset, for `endCounted`.
  mutating func beginCounted() -> Int {
    append(bigEndian: UInt32(0))
    return count - 4
  }

  mutating func endCounted(_ offset: Int) {
    put(bigEndian: UInt32(count - offset - 4), at: offset)
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
