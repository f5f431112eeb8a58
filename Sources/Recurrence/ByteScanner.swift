import Bytes

/// Reads text byte by byte, from left to right.
struct ByteScanner {
  private let bytes: ArraySlice<UInt8>
  private(set) var index: Int

  /// Positions are relative to the array of the slice, so that errors refer to the whole text.
  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  var isAtEnd: Bool { index == bytes.endIndex }

  /// The next byte to read; `nil` at the end.
  var next: UInt8? { isAtEnd ? nil : bytes[index] }

  /// The number of the next byte, counted from 1.
  var position: Int { index + 1 }

  /// The byte `distance` after the next one; `nil` beyond the end.
  func peek(_ distance: Int) -> UInt8? {
    distance < bytes.endIndex - index ? bytes[index + distance] : nil
  }

  /// Skips `count` bytes, at most to the end.
  mutating func advance(by count: Int = 1) {
    index = min(index + count, bytes.endIndex)
  }

  /// Whether the next byte is `character`, an ASCII character (letters in either case).
  func isNext(_ character: Unicode.Scalar) -> Bool {
    next?.lowercased == UInt8(ascii: character).lowercased
  }

  /// Skips the next byte if it is `character`.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard isNext(character) else { return false }
    index += 1
    return true
  }

  /// Reads the bytes up to the first that does not satisfy `condition`.
  mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = index
    while let next, condition(next) { index += 1 }
    return bytes[start..<index]
  }
}
