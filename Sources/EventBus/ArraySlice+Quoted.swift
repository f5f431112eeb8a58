/// Input in error messages, limited to 64 bytes: its reader may not be its sender.
extension ArraySlice<UInt8> {
  private static let longestEcho = 64

  /// The clipped text in double quotes.
  var quoted: String { "\"\(clipped)\"" }

  /// The first 64 bytes, cut between characters. Invalid UTF-8 becomes U+FFFD.
  var clipped: String {
    guard count > Self.longestEcho else { return String(decoding: self, as: UTF8.self) }
    var end = startIndex + Self.longestEcho
    // Back to the start of the character that the limit would cut.
    while end > startIndex, self[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: self[..<end], as: UTF8.self) + "…"
  }
}
