import Bytes
import Recurrence

/// Writes JSON objects, appending to bytes; commas come by themselves.
///
/// Field names are ours and need no escapes; texts are escaped as RFC 8259, section 7 asks, and no further.
struct JSONWriter: ~Copyable {
  private var output: ByteWriter
  private var isFirstField = true

  init(capacity: Int) { output = ByteWriter(capacity: capacity) }

  /// Writes behind what is there; `finish` gives it back.
  init(appendingTo output: consuming ByteWriter) { self.output = output }

  consuming func finish() -> ByteWriter { output }

  /// What was written.
  var bytes: [UInt8] { output.array }

  /// Writes an object with the fields that `content` writes.
  mutating func object(_ content: (inout JSONWriter) -> Void) {
    output.append(UInt8(ascii: "{"))
    isFirstField = true
    content(&self)
    output.append(UInt8(ascii: "}"))
    isFirstField = false
  }

  mutating func field(_ name: StaticString, object content: (inout JSONWriter) -> Void) {
    key(name)
    object(content)
  }

  mutating func field(_ name: StaticString, _ text: String) {
    key(name)
    string(text)
  }

  /// A text given as UTF-8.
  mutating func field(_ name: StaticString, _ text: [UInt8]) {
    key(name)
    output.append(UInt8(ascii: "\""))
    text.withUnsafeBytes { escape($0) }
    output.append(UInt8(ascii: "\""))
  }

  mutating func field(_ name: StaticString, _ number: Int64) {
    key(name)
    output.append(String(number))
  }

  /// An instant, as RFC 3339 in UTC.
  mutating func field(_ name: StaticString, _ instant: Instant) {
    key(name)
    output.append(UInt8(ascii: "\""))
    instant.withRFC3339 { output.append($0) }
    output.append(UInt8(ascii: "\""))
  }

  mutating func field(_ name: StaticString, texts: [String]) {
    key(name)
    output.append(UInt8(ascii: "["))
    for (index, text) in texts.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      string(text)
    }
    output.append(UInt8(ascii: "]"))
  }

  /// A value that is JSON already, written as it is.
  mutating func field(_ name: StaticString, json: [UInt8]) {
    key(name)
    output.append(json)
  }

  /// Writes `true` when it is so and nothing otherwise.
  mutating func flag(_ name: StaticString, _ value: Bool) {
    guard value else { return }
    key(name)
    output.append("true" as StaticString)
  }

  private mutating func key(_ name: StaticString) {
    if !isFirstField { output.append(UInt8(ascii: ",")) }
    isFirstField = false
    output.append(UInt8(ascii: "\""))
    output.append(name)
    output.append("\":" as StaticString)
  }

  private mutating func string(_ text: String) {
    var text = text
    output.append(UInt8(ascii: "\""))
    text.withUTF8 { escape(UnsafeRawBufferPointer($0)) }
    output.append(UInt8(ascii: "\""))
  }

  /// Appends the content of a string, whole runs of bytes that need no escape at once.
  private mutating func escape(_ text: UnsafeRawBufferPointer) {
    var runStart = 0
    var index = 0
    while index < text.count {
      if index + 8 <= text.count, !Self.needsEscape(text.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
        index += 8
        continue
      }
      let byte = text[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        output.append(UnsafeRawBufferPointer(rebasing: text[runStart..<index]))
        appendEscape(of: byte)
        runStart = index + 1
      }
      index += 1
    }
    output.append(UnsafeRawBufferPointer(rebasing: text[runStart...]))
  }

  /// Whether any of eight bytes does (Anderson, "Bit Twiddling Hacks": a word with a byte less than n).
  private static func needsEscape(_ bytes: UInt64) -> Bool {
    let each: UInt64 = 0x0101_0101_0101_0101
    func hasByte(below bound: UInt64, _ word: UInt64) -> UInt64 { (word &- bound &* each) & ~word & (0x80 &* each) }
    let quote = bytes ^ (UInt64(UInt8(ascii: "\"")) &* each)
    let backslash = bytes ^ (UInt64(UInt8(ascii: "\\")) &* each)
    return hasByte(below: 0x20, bytes) | hasByte(below: 1, quote) | hasByte(below: 1, backslash) != 0
  }

  private mutating func appendEscape(of byte: UInt8) {
    output.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    case ..<0x20:
      output.append("u00" as StaticString)
      output.append(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
      output.append(UInt8(hexDigit: byte & 0xF))
    default: output.append(byte)
    }
  }
}
