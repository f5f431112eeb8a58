/// Writes JSON objects, appending to bytes; commas come by themselves.
///
/// Field names are ours and need no escapes; texts are escaped as RFC 8259, section 7 asks, and no further.
struct JSONWriter {
  private(set) var bytes: [UInt8] = []
  private var isFirstField = true

  init(capacity: Int) {
    bytes.reserveCapacity(capacity)
  }

  /// Writes an object with the fields that `content` writes.
  mutating func object(_ content: (inout JSONWriter) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    isFirstField = true
    content(&self)
    bytes.append(UInt8(ascii: "}"))
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
    bytes.append(UInt8(ascii: "\""))
    text.withUnsafeBufferPointer { escape($0) }
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func field(_ name: StaticString, _ number: Int64) {
    key(name)
    var digits = String(number)
    digits.withUTF8 { bytes.append(contentsOf: $0) }
  }

  mutating func field(_ name: StaticString, texts: [String]) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    for (index, text) in texts.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      string(text)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// A value that is JSON already, written as it is.
  mutating func field(_ name: StaticString, json: [UInt8]) {
    key(name)
    bytes.append(contentsOf: json)
  }

  /// Writes `true` when it is so and nothing otherwise.
  mutating func flag(_ name: StaticString, _ value: Bool) {
    if value { field(name, json: Array("true".utf8)) }
  }

  private mutating func key(_ name: StaticString) {
    if !isFirstField { bytes.append(UInt8(ascii: ",")) }
    isFirstField = false
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func string(_ text: String) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { escape($0) }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Appends the content of a string, whole runs of bytes that need no escape at once.
  private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
    var runStart = 0
    for (index, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    {
      bytes.append(contentsOf: text[runStart..<index])
      appendEscape(of: byte)
      runStart = index + 1
    }
    bytes.append(contentsOf: text[runStart...])
  }

  private mutating func appendEscape(of byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case ..<0x20:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
      bytes.append(UInt8(hexDigit: byte & 0xF))
    default: bytes.append(byte)
    }
  }
}
