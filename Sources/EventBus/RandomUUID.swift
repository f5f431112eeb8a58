/// A version 4 UUID (RFC 9562, section 5.4) in its text form, as bytes.
enum RandomUUID {
  /// - Parameter random: gives 64 random bits at each call; two are made.
  static func text(from random: () -> UInt64) -> [UInt8] {
    let high = random() & ~0xF000 | 0x4000
    let low = random() & ~(0b11 << 62) | 0b10 << 62
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (word, nibble) in [high, low].flatMap({ word in (0..<16).map { (word, $0) } }) {
      if [8, 13, 18, 23].contains(text.count) { text.append(UInt8(ascii: "-")) }
      text.append(UInt8(hexDigit: UInt8(word >> (60 - 4 * nibble) & 0xF)))
    }
    return text
  }
}
