/// Input as it is shown in a message for people: quoted, and no more than its first 64 bytes.
func quote(_ text: ArraySlice<UInt8>) -> String {
  "\"\(clipped(text))\""
}

/// The first 64 bytes of input, cut between characters; bytes that are no UTF-8 are replaced.
func clipped(_ text: ArraySlice<UInt8>) -> String {
  let limit = 64
  guard text.count > limit else { return String(decoding: text, as: UTF8.self) }
  var end = text.startIndex + limit
  // Step back to the start of the character that the limit would cut.
  while end > text.startIndex, text[end] & 0xC0 == 0x80 { end -= 1 }
  return String(decoding: text[..<end], as: UTF8.self) + "…"
}
