/// The secret that opens the pages. Shows itself to nobody.
package struct AdminToken: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// Shorter ones could be guessed.
  package static let minimumLength = 16

  private let bytes: [UInt8]

  /// Nil when it is too short, or holds anything but visible ASCII, which no header could carry.
  package init?(_ text: String) {
    guard text.utf8.count >= Self.minimumLength, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
    bytes = Array(text.utf8)
  }

  /// Takes as long for a guess that is nearly right as for any other of its length.
  func matches(_ guess: String) -> Bool {
    let guess = Array(guess.utf8)
    var difference = guess.count ^ bytes.count
    for index in guess.indices { difference |= Int(guess[index] ^ bytes[index % bytes.count]) }
    return difference == 0
  }

  /// The header that shows it, for a client.
  package var authorization: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }

  package var description: String { "(secret)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// 256 bits that nobody can guess, as 43 letters, digits, `-` and `_`: fit for a header, a cookie and an address.
func randomSecret() -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  var generator = SystemRandomNumberGenerator()  // getrandom(2)
  return String(decoding: (0..<43).map { _ in alphabet[Int(generator.next() & 63)] }, as: UTF8.self)
}
