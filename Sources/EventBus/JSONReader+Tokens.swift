import Bytes

/// Tokens: strings, numbers, literals and white space.
extension JSONReader {
  mutating func skipString() throws(JSONError) {
    let start = index
    index += 1
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return
      case UInt8(ascii: "\\"):
        try skipEscape()
      case ..<0x20:
        throw error("a control character in a string must be escaped")
      default:
        index += 1
      }
    }
    throw JSONError("a string is not closed", at: offset(of: start))
  }

  private mutating func skipEscape() throws(JSONError) {
    let start = index
    index += 1
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 1
    case UInt8(ascii: "u"):
      index += 1
      let unit = try readCodeUnit()
      guard UTF16.isLeadSurrogate(unit) || UTF16.isTrailSurrogate(unit) else { return }
      guard UTF16.isLeadSurrogate(unit), skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")),
        UTF16.isTrailSurrogate(try readCodeUnit())
      else { throw JSONError("an unpaired surrogate", at: offset(of: start)) }
    default:
      throw JSONError("an unknown escape in a string", at: offset(of: start))
    }
  }

  private mutating func readCodeUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next?.hexDigitValue else { throw error("four hexadecimal digits are expected after \\u") }
      unit = unit << 4 | UInt16(digit)
      index += 1
    }
    return unit
  }

  mutating func skipNumber() throws(JSONError) {
    _ = skip(UInt8(ascii: "-"))
    // No digit may follow a leading zero.
    if !skip(UInt8(ascii: "0")) { try skipDigits() }
    if skip(UInt8(ascii: ".")) { try skipDigits() }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      try skipDigits()
    }
  }

  private mutating func skipDigits() throws(JSONError) {
    guard next?.isDigit == true else { throw error("a digit is expected") }
    while next?.isDigit == true { index += 1 }
  }

  mutating func skipLiteral() throws(JSONError) -> JSONValue.Kind {
    for (text, kind) in Self.literals where bytes[index...].starts(with: text) {
      index += text.count
      return kind
    }
    throw error(next == nil ? "the document ends too early" : "a value is expected")
  }

  private static let literals: [([UInt8], JSONValue.Kind)] = [
    (Array("null".utf8), .null), (Array("true".utf8), .boolean), (Array("false".utf8), .boolean),
  ]

  /// Skips the four characters that JSON allows between tokens.
  mutating func skipWhiteSpace() {
    while next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { index += 1 }
  }

  mutating func skip(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  func offset(of index: Int) -> Int { index - bytes.startIndex }

  func error(_ reason: String) -> JSONError { JSONError(reason, at: offset(of: index)) }
}
