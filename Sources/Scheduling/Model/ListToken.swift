/// Where the next page of a listing begins, as a text that clients hand back unread.
///
/// It is bound to the filter and to the database by a keyed hash, so that nobody continues another listing by mistake, or
/// one of another scheduler.
package struct ListToken {
  private static let hashBytes = 16

  /// The last id of the page.
  package var last: ScheduleID

  package init(after last: ScheduleID) { self.last = last }

  /// Nil for a text that is not a token of this listing.
  package init?(_ text: some Collection<UInt8>, of search: ScheduleSearch, secret: SipHash.Key) {
    guard text.count <= 2 * (Self.hashBytes + ScheduleID.maximumLength), let bytes = Self.bytes(ofHex: text),
      bytes.count > Self.hashBytes
    else { return nil }
    last = ScheduleID(stored: Array(bytes[Self.hashBytes...]))
    guard hash(search, secret) == Array(bytes[..<Self.hashBytes]) else { return nil }
  }

  package func text(of search: ScheduleSearch, secret: SipHash.Key) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: (hash(search, secret) + last.bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  private func hash(_ search: ScheduleSearch, _ secret: SipHash.Key) -> [UInt8] {
    var hash = SipHash(key: secret)
    // Each part with its length, so that no two filters give the same bytes.
    func append(_ part: [UInt8]?) {
      hash.append([part == nil ? 0 : 1])
      withUnsafeBytes(of: UInt32(clamping: part?.count ?? 0).littleEndian) { hash.append($0) }
      hash.append(part ?? [])
    }
    append(Array("list".utf8))
    append(search.prefix)
    append(search.group)
    append(search.tag)
    append(Array(search.lifecycle.rawValue.utf8))
    append(last.bytes)
    let (first, second) = hash.finish()
    return [first, second].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }

  private static func bytes(ofHex text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
