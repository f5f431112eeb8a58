/// Reads JSON strictly (RFC 8259), front to back, as a stream of values: no tree is built, so a hostile document costs
/// time in proportion to its length and next to no memory.
///
/// Stricter than most: UTF-8 only, without byte-order mark; no unpaired surrogates; nesting of at most
/// `maximumDepth`. A key that comes twice in one object is noted in `duplicateKey` and reading goes on, so that the rest
/// of the document can still be understood when it is refused.
struct JSONReader {
  static let maximumDepth = 32

  private let bytes: ArraySlice<UInt8>
  private var index: Int
  /// Objects and arrays that are open.
  private var depth: Int
  /// The first key found twice in an object whose keys were to be unique.
  private(set) var duplicateKey: JSONError?

  /// - Parameter depth: the nesting the document itself stands in, for one that came inside a string of another.
  init(_ bytes: ArraySlice<UInt8>, depth: Int = 0) throws(JSONError) {
    self.bytes = bytes
    self.depth = depth
    index = bytes.startIndex
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw JSONError("a byte-order mark is not allowed", at: 0) }
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw JSONError("not UTF-8", at: error.byteOffsets.lowerBound)
    }
    skipWhiteSpace()
  }

  /// The byte to be read next, the first of a value wherever one is due; nil at the end.
  var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  /// Requires that nothing follows.
  mutating func readEnd() throws(JSONError) {
    skipWhiteSpace()
    if next != nil { throw error("something follows after the end of the document") }
  }

  /// Reads a value of any kind with all that is in it.
  mutating func readValue(uniqueKeys: Bool = true) throws(JSONError) -> JSONValue {
    let start = index
    let kind = try skipValue(uniqueKeys: uniqueKeys)
    return JSONValue(kind: kind, bytes: bytes[start..<index])
  }

  /// Reads over a value of any kind with all that is in it.
  @discardableResult
  mutating func skipValue(uniqueKeys: Bool = true) throws(JSONError) -> JSONValue.Kind {
    switch next {
    case UInt8(ascii: "{"):
      try readObject(uniqueKeys: uniqueKeys) { (reader, _) throws(JSONError) in
        try reader.skipValue(uniqueKeys: uniqueKeys)
      }
      return .object
    case UInt8(ascii: "["):
      try skipArray(uniqueKeys: uniqueKeys)
      return .array
    case UInt8(ascii: "\""):
      try skipString()
      return .string
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
      try skipNumber()
      return .number
    default:
      return try skipWord()
    }
  }

  /// Reads an object, handing each key, escapes resolved, to `member`, which must read exactly the value.
  mutating func readObject(
    uniqueKeys: Bool = true,
    _ member: (_ reader: inout JSONReader, _ key: ArraySlice<UInt8>) throws(JSONError) -> Void
  ) throws(JSONError) {
    try open(UInt8(ascii: "{"))
    var keys = JSONKeySet()
    var isFirst = true
    while try !closes(with: UInt8(ascii: "}"), isFirst: isFirst) {
      isFirst = false
      guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
      let start = index
      try skipString()
      let key = JSONValue.unescaped(bytes[(start + 1)..<(index - 1)])
      if uniqueKeys, duplicateKey == nil, !keys.insert(key) {
        duplicateKey = JSONError("the key \(quote(key)) comes twice in one object", at: offset(of: start))
      }
      skipWhiteSpace()
      guard skip(UInt8(ascii: ":")) else { throw error("':' is expected after a key") }
      skipWhiteSpace()
      try member(&self, key)
    }
  }

  private mutating func skipArray(uniqueKeys: Bool) throws(JSONError) {
    try open(UInt8(ascii: "["))
    var isFirst = true
    while try !closes(with: UInt8(ascii: "]"), isFirst: isFirst) {
      isFirst = false
      try skipValue(uniqueKeys: uniqueKeys)
    }
  }

  private mutating func open(_ bracket: UInt8) throws(JSONError) {
    guard depth < Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth) levels") }
    guard skip(bracket) else { throw error("'\(Character(Unicode.Scalar(bracket)))' is expected") }
    depth += 1
  }

  /// Steps over the closing bracket, or to the next element.
  private mutating func closes(with bracket: UInt8, isFirst: Bool) throws(JSONError) -> Bool {
    skipWhiteSpace()
    if skip(bracket) {
      depth -= 1
      return true
    }
    if isFirst { return false }
    guard skip(UInt8(ascii: ",")) else {
      throw error("',' or '\(Character(Unicode.Scalar(bracket)))' is expected")
    }
    skipWhiteSpace()
    return false
  }
}

// MARK: - Tokens

extension JSONReader {
  private mutating func skipString() throws(JSONError) {
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

  private mutating func skipNumber() throws(JSONError) {
    _ = skip(UInt8(ascii: "-"))
    // A leading zero stands alone.
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

  private mutating func skipWord() throws(JSONError) -> JSONValue.Kind {
    for (word, kind) in Self.words where bytes[index...].starts(with: word) {
      index += word.count
      return kind
    }
    throw error(next == nil ? "the document ends too early" : "a value is expected")
  }

  private static let words: [([UInt8], JSONValue.Kind)] = [
    (Array("null".utf8), .null), (Array("true".utf8), .boolean), (Array("false".utf8), .boolean),
  ]

  private mutating func skipWhiteSpace() {
    while next?.isJSONWhiteSpace == true { index += 1 }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  private func offset(of index: Int) -> Int { index - bytes.startIndex }

  private func error(_ reason: String) -> JSONError { JSONError(reason, at: offset(of: index)) }
}
