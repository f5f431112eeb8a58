/// Reads a text byte by byte, from left to right, and knows where it stands.
struct ByteScanner {
  private let bytes: ArraySlice<UInt8>
  private(set) var index: Int

  /// Positions are those of the array the slice was cut from, so that errors point into the whole text.
  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  var isAtEnd: Bool { index == bytes.endIndex }

  /// The byte to be read next; `nil` at the end.
  var next: UInt8? { isAtEnd ? nil : bytes[index] }

  /// The number of the next byte as people count, from 1.
  var position: Int { index + 1 }

  /// The byte `distance` after the next one; `nil` beyond the end.
  func peek(_ distance: Int) -> UInt8? {
    distance < bytes.endIndex - index ? bytes[index + distance] : nil
  }

  /// Steps over so many bytes, at most to the end.
  mutating func advance(by count: Int = 1) {
    index = min(index + count, bytes.endIndex)
  }

  /// Whether the next byte is `character`, an ASCII character (letters in either case).
  func isNext(_ character: Unicode.Scalar) -> Bool {
    next?.lowercased == UInt8(ascii: character).lowercased
  }

  /// Steps over the next byte if it is `character`.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard isNext(character) else { return false }
    index += 1
    return true
  }

  /// Reads on for as long as bytes satisfy `condition`.
  mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = index
    while let next, condition(next) { index += 1 }
    return bytes[start..<index]
  }
}
