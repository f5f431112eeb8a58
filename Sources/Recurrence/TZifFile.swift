/// Why a zone file cannot be used.
package struct TZifError: Error, Hashable, Sendable, CustomStringConvertible {
  package let reason: String

  package var description: String { reason }
}

/// The offsets of a zone in a TZif file (RFC 9636): a list of transitions, and a rule for later ones.
struct TZifFile {
  /// The offset before the first transition, in seconds ahead of UTC.
  let initialOffset: Int

  /// In order of time; `start` in seconds since 1970 UTC, `offset` in seconds ahead of UTC.
  let transitions: [(start: Int, offset: Int)]

  /// The rule after the last transition; `nil` if the last offset stays.
  let rule: PosixZoneRule?

  init(_ bytes: [UInt8]) throws(TZifError) {
    var reader = TZifReader(bytes[...])
    let header = try reader.header()
    guard header.version != 0 else {
      (initialOffset, transitions) = try reader.block(header, timeWidth: 4)
      rule = nil
      return
    }
    // From version 2 the first block is for old readers. A second one has 64-bit times.
    try reader.skip(header.blockLength(timeWidth: 4))
    (initialOffset, transitions) = try reader.block(try reader.header(), timeWidth: 8)
    rule = try reader.footer()
  }
}

/// Parses the parts of a TZif file in order.
private struct TZifReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
  }

  mutating func header() throws(TZifError) -> TZifHeader {
    guard try take(4).elementsEqual("TZif".utf8) else { throw TZifError(reason: "it is not a TZif file") }
    let version = try integer(width: 1)
    try skip(15)
    var counts: [Int] = []
    for _ in 0..<6 { counts.append(Int(UInt32(truncatingIfNeeded: try integer(width: 4)))) }
    return TZifHeader(
      version: version, utcIndicators: counts[0], standardIndicators: counts[1], leapSeconds: counts[2],
      transitions: counts[3], types: counts[4], designationBytes: counts[5])
  }

  /// Parses a data block: times, the type of each, and the types. The rest of the block is skipped.
  mutating func block(
    _ header: TZifHeader, timeWidth: Int
  ) throws(TZifError) -> (initialOffset: Int, transitions: [(start: Int, offset: Int)]) {
    guard header.leapSeconds == 0 else { throw TZifError(reason: "it has leap seconds") }
    var block = TZifReader(try take(header.blockLength(timeWidth: timeWidth)))
    var starts: [Int] = []
    for _ in 0..<header.transitions {
      let start = try block.integer(width: timeWidth)
      if let last = starts.last, last >= start { throw TZifError(reason: "its transitions are out of order") }
      starts.append(start)
    }
    let types = try block.take(header.transitions)
    var offsets: [Int] = []
    for _ in 0..<header.types {
      offsets.append(try block.offset())
      // The daylight saving flag and the abbreviation.
      try block.skip(2)
    }
    guard let initialOffset = offsets.first, types.allSatisfy({ $0 < offsets.count }) else {
      throw TZifError(reason: "it refers to a missing offset")
    }
    return (initialOffset, zip(starts, types).map { ($0, offsets[Int($1)]) })
  }

  /// Parses the TZ string between two line feeds; `nil` if it is empty.
  mutating func footer() throws(TZifError) -> PosixZoneRule? {
    guard rest.first == 0x0A, rest.count >= 2, let end = rest.dropFirst().firstIndex(of: 0x0A) else {
      throw TZifError(reason: "its footer is missing")
    }
    let text = rest[(rest.startIndex + 1)..<end]
    guard !text.isEmpty else { return nil }
    guard let rule = PosixZoneRule(text) else { throw TZifError(reason: "its footer cannot be read") }
    return rule
  }

  mutating func skip(_ count: Int) throws(TZifError) {
    _ = try take(count)
  }

  private mutating func offset() throws(TZifError) -> Int {
    let offset = try integer(width: 4)
    guard PosixZoneRule.offsets ~= offset else { throw TZifError(reason: "it has an offset of more than a day") }
    return offset
  }

  /// A big-endian two's complement integer.
  private mutating func integer(width: Int) throws(TZifError) -> Int {
    let bits = try take(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(Int64(bitPattern: bits << (64 - 8 * width)) >> (64 - 8 * width))
  }

  private mutating func take(_ count: Int) throws(TZifError) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw TZifError(reason: "it is truncated") }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}

/// The header of a TZif file or of its second part: the counts of the data block.
private struct TZifHeader {
  let version: Int
  let utcIndicators: Int
  let standardIndicators: Int
  let leapSeconds: Int
  let transitions: Int
  let types: Int
  let designationBytes: Int

  /// The number of bytes after the header. Cannot overflow, because the counts have 32 bits.
  func blockLength(timeWidth: Int) -> Int {
    transitions * (timeWidth + 1) + types * 6 + designationBytes + leapSeconds * (timeWidth + 4)
      + standardIndicators + utcIndicators
  }
}
