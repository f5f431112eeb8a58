/// Input as it is shown in messages for people, who may not be those who sent it: never more than its first 64 bytes.
extension ArraySlice<UInt8> {
  private static let longestEcho = 64

  /// In double quotes, and cut.
  var quoted: String { "\"\(clipped)\"" }

  /// Cut between characters; bytes that are no UTF-8 are replaced.
  var clipped: String {
    guard count > Self.longestEcho else { return String(decoding: self, as: UTF8.self) }
    var end = startIndex + Self.longestEcho
    // Step back to the start of the character that the limit would cut.
    while end > startIndex, self[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: self[..<end], as: UTF8.self) + "…"
  }
}
