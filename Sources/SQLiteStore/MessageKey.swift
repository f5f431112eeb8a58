import Scheduling

/// The keys under which pending messages are found by their `message_id`.
///
/// The index is in order of arrival first, in stretches of 8,192 messages, and in order of a hash within a stretch. So new
/// entries go to a few pages at its end, however many messages are pending: in an index by hash alone, each would change a page
/// of its own. A look-up asks for the key in each stretch that has entries, which takes microseconds for each.
struct MessageKey {
  private static let stretchBits = 13
  private static let hashBits = 32
  /// Under the secret of the database, so that nobody can send many ids with one hash.
  private let hash: Int64

  init(_ messageID: [UInt8], secret: SipHash.Key) {
    var hasher = SipHash(key: secret)
    hasher.append(messageID)
    hash = Int64(hasher.finish().0 >> (64 - UInt64(Self.hashBits)))
  }

  /// The key of a message with this number.
  func key(at sequence: Int64) -> Int64 { key(in: sequence >> Self.stretchBits) }

  func key(in stretch: Int64) -> Int64 { stretch << Self.hashBits | hash }

  static func stretch(of key: Int64) -> Int64 { key >> hashBits }

  /// The first key after a stretch.
  static func end(of stretch: Int64) -> Int64 { (stretch + 1) << hashBits }
}
