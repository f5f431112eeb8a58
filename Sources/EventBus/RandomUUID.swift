import Bytes

/// A version 4 UUID (RFC 9562, section 5.4) in its text form, as bytes.
enum RandomUUID {
  /// - Parameter random: Returns 64 random bits; called twice.
  static func text(from random: () -> UInt64) -> [UInt8] {
    let words = [random() & ~0xF000 | 0x4000, random() & ~(0b11 << 62) | 0b10 << 62]
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for nibble in 0..<32 {
      if [8, 12, 16, 20].contains(nibble) { text.append(UInt8(ascii: "-")) }
      let word = words[nibble / 16] >> (60 - 4 * (nibble % 16))
      text.append(UInt8(hexDigit: UInt8(word & 0xF)))
    }
    assert(text.count == 36)
    return text
  }
}
