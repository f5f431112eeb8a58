/// Reads JSON strictly (RFC 8259), front to back, as a stream of values: no tree is built, so a hostile document costs
/// time in proportion to its length and next to no memory.
///
/// Stricter than most: UTF-8 only, without byte-order mark; no unpaired surrogates; nesting of at most
/// `maximumDepth`. A key that comes twice in one object is noted in `duplicateKey` and reading goes on, so that the rest
/// of the document can still be understood when it is refused.
package struct JSONReader {
  /// The most objects and arrays inside each other.
  package static let maximumDepth = 32

  private let bytes: ArraySlice<UInt8>
  private var index: Int
  /// Objects and arrays that are open.
  private var depth: Int
  /// The first key found twice in an object whose keys were to be unique.
  package private(set) var duplicateKey: JSONError?
  /// Hashes of the keys read so far, each together with its object.
  private var keyHashes = SeenHashes()

  /// - Parameter depth: the nesting the document itself stands in, for one that came inside a string of another.
  package init(_ bytes: ArraySlice<UInt8>, depth: Int = 0) throws(JSONError) {
    self.bytes = bytes
    self.depth = depth
    index = bytes.startIndex
    if bytes.first == 0xEF, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw JSONError("a byte-order mark is not allowed", at: 0)
    }
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw JSONError("not UTF-8", at: error.byteOffsets.lowerBound)
    }
    skipWhiteSpace()
  }

  /// The byte to be read next, the first of a value wherever one is due; nil at the end.
  private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  /// Requires that nothing follows.
  package mutating func readEnd() throws(JSONError) {
    skipWhiteSpace()
    if next != nil { throw error("something follows after the end of the document") }
  }

  /// Reads a value of any kind with all that is in it.
  package mutating func readValue(uniqueKeys: Bool = true) throws(JSONError) -> JSONValue {
    let start = index
    let kind = try skipValue(uniqueKeys: uniqueKeys)
    return JSONValue(kind: kind, bytes: bytes[start..<index])
  }

  /// Reads over a value of any kind with all that is in it.
  @discardableResult
  mutating func skipValue(uniqueKeys: Bool = true) throws(JSONError) -> JSONValue.Kind {
    switch next {
    case UInt8(ascii: "{"):
      try skipObject(uniqueKeys: uniqueKeys)
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

  /// Reads an object whose keys are to be unique, handing each key, escapes resolved, to `member`, which must read exactly
  /// the value.
  package mutating func readObject(
    _ member: (_ reader: inout JSONReader, _ key: ArraySlice<UInt8>) throws(JSONError) -> Void
  ) throws(JSONError) {
    let object = index
    try readMembers { (reader, key) throws(JSONError) in
      let text = JSONValue.unescaped(reader.bytes[key])
      reader.checkUnique(text, at: key.lowerBound - 1, in: object)
      try member(&reader, text)
    }
  }

  private mutating func skipObject(uniqueKeys: Bool) throws(JSONError) {
    let object = index
    try readMembers { (reader, key) throws(JSONError) in
      if uniqueKeys { reader.checkUnique(JSONValue.unescaped(reader.bytes[key]), at: key.lowerBound - 1, in: object) }
      try reader.skipValue(uniqueKeys: uniqueKeys)
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

  /// Reads an object, handing the place of each key, between its quotes, to `member`, which must read exactly the value.
  private mutating func readMembers(
    _ member: (_ reader: inout JSONReader, _ key: Range<Int>) throws(JSONError) -> Void
  ) throws(JSONError) {
    try open(UInt8(ascii: "{"))
    var isFirst = true
    while try !closes(with: UInt8(ascii: "}"), isFirst: isFirst) {
      isFirst = false
      guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
      let start = index + 1
      try skipString()
      let key = start..<(index - 1)
      skipWhiteSpace()
      guard skip(UInt8(ascii: ":")) else { throw error("':' is expected after a key") }
      skipWhiteSpace()
      try member(&self, key)
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

// MARK: - Unique keys

extension JSONReader {
  /// Notes a key that its object had before.
  ///
  /// What is kept of a key is a hash, seeded anew in each process: an object of 30,000 keys costs no allocation for each
  /// and no comparison with each. When two hashes meet the object is read again, so the answer is exact.
  private mutating func checkUnique(_ key: ArraySlice<UInt8>, at start: Int, in object: Int) {
    guard duplicateKey == nil else { return }
    var hasher = Hasher()
    hasher.combine(object)
    key.withUnsafeBytes { hasher.combine(bytes: $0) }
    guard !keyHashes.insert(hasher.finalize()), occurrences(of: key, in: object) > 1 else { return }
    duplicateKey = JSONError("the key \(key.quoted) comes twice in one object", at: offset(of: start))
  }

  /// How often the object that begins at `object` has this key; it may be damaged beyond the place reached.
  private func occurrences(of key: ArraySlice<UInt8>, in object: Int) -> Int {
    var reader = self
    reader.index = object
    reader.depth = 0
    var count = 0
    try? reader.readMembers { (reader, other) throws(JSONError) in
      if JSONValue.unescaped(reader.bytes[other]) == key { count += 1 }
      try reader.skipValue(uniqueKeys: false)
    }
    return count
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
