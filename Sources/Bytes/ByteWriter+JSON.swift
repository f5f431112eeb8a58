/// The characters of a JSON string that are escaped.
package enum JSONEscapes: Sendable {
  /// Those that JSON requires (RFC 8259, section 7): quote, backslash and C0 controls.
  case required
  /// Also those that a terminal or a log viewer may interpret, see `Unicode.Scalar.needsEscape`.
  case forDisplay
}

/// JSON strings.
extension ByteWriter {
  /// Appends UTF-8 text as a JSON string with its quotes.
  package mutating func append(jsonString text: UnsafeRawBufferPointer, _ escapes: JSONEscapes = .required) {
    append(UInt8(ascii: "\""))
    appendEscaped(text, escapes)
    append(UInt8(ascii: "\""))
  }

  package mutating func append(jsonString text: [UInt8], _ escapes: JSONEscapes = .required) {
    text.withUnsafeBytes { append(jsonString: $0, escapes) }
  }

  package mutating func append(jsonString text: String, _ escapes: JSONEscapes = .required) {
    var text = text
    text.withUTF8 { append(jsonString: UnsafeRawBufferPointer($0), escapes) }
  }

  /// Appends runs of bytes without escapes at once, and finds them eight bytes at a time.
  private mutating func appendEscaped(_ text: UnsafeRawBufferPointer, _ escapes: JSONEscapes) {
    var runStart = 0
    var index = 0
    while index < text.count {
      if index + 8 <= text.count,
        !Self.mayNeedEscape(text.loadUnaligned(fromByteOffset: index, as: UInt64.self), escapes)
      {
        index += 8
        continue
      }
      guard let (value, length) = Self.escaped(in: text, at: index, escapes) else {
        index += 1
        continue
      }
      append(UnsafeRawBufferPointer(rebasing: text[runStart..<index]))
      appendEscape(value)
      index += length
      runStart = index
    }
    append(UnsafeRawBufferPointer(rebasing: text[runStart...]))
  }

  /// False only if none of eight bytes begins a character to escape (Anderson, "Bit Twiddling Hacks": a word with a byte less
  /// than n).
  private static func mayNeedEscape(_ bytes: UInt64, _ escapes: JSONEscapes) -> Bool {
    let each: UInt64 = 0x0101_0101_0101_0101
    func hasByte(below bound: UInt64, _ word: UInt64) -> UInt64 { (word &- bound &* each) & ~word & (0x80 &* each) }
    func hasByte(_ byte: UInt8) -> UInt64 { hasByte(below: 1, bytes ^ UInt64(byte) &* each) }
    let required = hasByte(below: 0x20, bytes) | hasByte(UInt8(ascii: "\"")) | hasByte(UInt8(ascii: "\\"))
    guard escapes == .forDisplay else { return required != 0 }
    return required | hasByte(0x7F) | bytes & (0x80 &* each) != 0
  }

  /// The character at an index and its length in bytes, if it is to be escaped. All such characters are below U+FFFF.
  private static func escaped(
    in text: UnsafeRawBufferPointer, at index: Int, _ escapes: JSONEscapes
  ) -> (value: UInt16, length: Int)? {
    let byte = text[index]
    if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return (UInt16(byte), 1) }
    guard escapes == .forDisplay else { return nil }
    if byte == 0x7F { return (0x7F, 1) }
    // Only the first byte of a two-byte or three-byte character; the others are below or above.
    guard 0xC2...0xEF ~= byte else { return nil }
    let length = byte < 0xE0 ? 2 : 3
    guard index + length <= text.count else { return nil }
    var value = UInt16(byte & (length == 2 ? 0x1F : 0x0F))
    for continuation in text[(index + 1)..<(index + length)] { value = value << 6 | UInt16(continuation & 0x3F) }
    return Unicode.Scalar(value)?.needsEscape == true ? (value, length) : nil
  }

  private mutating func appendEscape(_ value: UInt16) {
    append(UInt8(ascii: "\\"))
    switch value {
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    case 0x22, 0x5C: append(UInt8(truncatingIfNeeded: value))
    default:
      append(UInt8(ascii: "u"))
      for shift in [12, 8, 4, 0] { append(UInt8(hexDigit: UInt8(truncatingIfNeeded: value >> shift) & 0xF)) }
    }
  }
}

/// Text as a JSON string with its quotes, escaped for display.
package func jsonQuoted(_ text: String) -> String {
  var writer = ByteWriter(capacity: text.utf8.count + 16)
  writer.append(jsonString: text, .forDisplay)
  return writer.withBytes { String(decoding: $0, as: UTF8.self) }
}

extension Unicode.Scalar {
  /// Whether a terminal or a log viewer may interpret it: C0 and C1 controls, DEL, line and paragraph separators, and
  /// bidirectional controls.
  package var needsEscape: Bool {
    value < 0x20 || (0x7f...0x9f).contains(value) || (0x2028...0x202e).contains(value)
      || (0x2066...0x2069).contains(value)
  }
}
