/// A strict streaming JSON reader (RFC 8259). It builds no tree: a hostile document costs time in proportion to its length,
/// and almost no memory.
///
/// Stricter than most readers: UTF-8 only, no byte-order mark, no unpaired surrogates, nesting of at most `maximumDepth`. A
/// duplicate key in an object is noted in `duplicateKey` and reading continues, so that a rejection can name the schedule.
package struct JSONReader {
  /// The most nested objects and arrays.
  package static let maximumDepth = 32

  let bytes: ArraySlice<UInt8>
  /// The index of the next byte to read.
  var index: Int
  /// The number of open objects and arrays.
  private var depth: Int
  /// The first duplicate key in an object whose keys must be unique.
  package private(set) var duplicateKey: JSONError?
  /// Hashes of the keys read so far, each with its object.
  private var keyHashes = SeenHashes()

  /// - Parameter depth: The depth at which a document is nested, for one in a string of another document.
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

  /// The next byte; nil at the end. Before a value, its first byte.
  var next: UInt8? {
    assert(bytes.startIndex...bytes.endIndex ~= index, "the index is out of the document")
    return index < bytes.endIndex ? bytes[index] : nil
  }

  /// Throws unless the document ends here.
  package mutating func readEnd() throws(JSONError) {
    skipWhiteSpace()
    if next != nil { throw error("unexpected content after the end of the document") }
  }

  /// Reads a whole value of any kind.
  package mutating func readValue(uniqueKeys: Bool = true) throws(JSONError) -> JSONValue {
    let start = index
    let kind = try skipValue(uniqueKeys: uniqueKeys)
    assert(start < index, "a value without bytes")
    return JSONValue(kind: kind, bytes: bytes[start..<index])
  }

  /// Skips a whole value of any kind.
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
      return try skipLiteral()
    }
  }

  /// Reads an object whose keys must be unique. Calls `member` with each unescaped key; it must read exactly the value.
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

  /// Reads an array. Calls `element` before each value, which it must read exactly.
  mutating func readArray(_ element: (_ reader: inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
    try open(UInt8(ascii: "["))
    var isFirst = true
    while try !closes(with: UInt8(ascii: "]"), isFirst: isFirst) {
      isFirst = false
      try element(&self)
    }
  }

  private mutating func skipArray(uniqueKeys: Bool) throws(JSONError) {
    try readArray { (reader) throws(JSONError) in try reader.skipValue(uniqueKeys: uniqueKeys) }
  }

  /// Reads an object. Calls `member` with the range of each key between its quotes; it must read exactly the value.
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
      let depth = depth
      try member(&self, key)
      assert(self.depth == depth, "a value was not read to its end")
    }
  }

  private mutating func open(_ bracket: UInt8) throws(JSONError) {
    guard depth < Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth) levels") }
    guard skip(bracket) else { throw error("'\(Character(Unicode.Scalar(bracket)))' is expected") }
    depth += 1
    assert(1...Self.maximumDepth ~= depth, "the nesting depth is wrong")
  }

  /// Skips the closing bracket, or else moves to the next element.
  private mutating func closes(with bracket: UInt8, isFirst: Bool) throws(JSONError) -> Bool {
    skipWhiteSpace()
    if skip(bracket) {
      depth -= 1
      assert(depth >= 0, "more brackets were closed than opened")
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
  /// Notes a key that occurs again in its object.
  ///
  /// Only a hash of each key is kept, with a random seed per process, so that an object of 30,000 keys costs no allocation and
  /// no comparison per key. When two hashes are equal the object is read again, so the result is exact.
  private mutating func checkUnique(_ key: ArraySlice<UInt8>, at start: Int, in object: Int) {
    guard duplicateKey == nil else { return }
    var hasher = Hasher()
    hasher.combine(object)
    key.withUnsafeBytes { hasher.combine(bytes: $0) }
    guard !keyHashes.insert(hasher.finalize()), occurrences(of: key, in: object) > 1 else { return }
    duplicateKey = JSONError("the key \(key.quoted) occurs twice in one object", at: offset(of: start))
  }

  /// How often the object that begins at `object` has this key. It may be malformed after the current index.
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
