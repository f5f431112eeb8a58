import Bytes

/// A well-formed JSON value, not yet decoded.
package struct JSONValue: Hashable, Sendable {
  /// The JSON types. The raw values are used in error messages.
  package enum Kind: String, Sendable {
    case object = "an object"
    case array = "an array"
    case string = "a string"
    case number = "a number"
    case boolean = "a boolean"
    case null
  }

  package var kind: Kind
  /// The bytes of the value as received; shares the document's memory.
  package var bytes: ArraySlice<UInt8>

  /// The UTF-8 of a string without its escapes; nil for any other value.
  package var text: ArraySlice<UInt8>? {
    guard kind == .string else { return nil }
    return Self.unescaped(bytes.dropFirst().dropLast())
  }

  /// The elements of an array; nil for any other value.
  package var elements: [JSONValue]? {
    guard kind == .array, var reader = try? JSONReader(bytes) else { return nil }
    var elements: [JSONValue] = []
    try? reader.readArray { (reader) throws(JSONError) in elements.append(try reader.readValue()) }
    return elements
  }

  /// Decodes the escapes of a well-formed string, given without its quotes.
  static func unescaped(_ content: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard content.contains(UInt8(ascii: "\\")) else { return content }
    var text: [UInt8] = []
    text.reserveCapacity(content.count)
    var rest = content
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        text.append(byte)
        continue
      }
      if escape == UInt8(ascii: "u") {
        text.append(contentsOf: Self.scalar(ofDigitsIn: &rest).utf8)
      } else {
        text.append(Self.meaning(ofEscape: escape))
      }
    }
    assert(text.count < content.count, "text is longer than its escaped form")
    return text[...]
  }

  private static func meaning(ofEscape letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter  // quote, solidus and reverse solidus
    }
  }

  /// Reads the digits after `\u`, and for a surrogate pair the second escape.
  private static func scalar(ofDigitsIn rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
    var code = UInt32(codeUnit(ofDigitsIn: &rest))
    if UTF16.isLeadSurrogate(UInt16(code)) {
      rest = rest.dropFirst(2)
      let trail = UInt32(codeUnit(ofDigitsIn: &rest))
      code = 0x10000 + (code & 0x3FF) << 10 + trail & 0x3FF
    }
    assert(Unicode.Scalar(code) != nil, "an unpaired surrogate in a well-formed string")
    return Unicode.Scalar(code) ?? "\u{FFFD}"
  }

  private static func codeUnit(ofDigitsIn rest: inout ArraySlice<UInt8>) -> UInt16 {
    defer { rest = rest.dropFirst(4) }
    return rest.prefix(4).reduce(0) { $0 << 4 | UInt16($1.hexDigitValue ?? 0) }
  }
}
