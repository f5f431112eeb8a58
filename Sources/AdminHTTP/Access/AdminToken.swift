/// The secret for pages and API. Never printed.
package struct AdminToken: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// Shorter tokens could be guessed.
  package static let minimumLength = 16

  private let bytes: [UInt8]

  /// Nil when it is too short, or has other characters than visible ASCII, which headers cannot carry.
  package init?(_ text: String) {
    guard text.utf8.count >= Self.minimumLength, text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
    bytes = Array(text.utf8)
  }

  /// Constant-time comparison.
  func matches(_ guess: String) -> Bool {
    let guess = Array(guess.utf8)
    var difference = guess.count ^ bytes.count
    for index in guess.indices { difference |= Int(guess[index] ^ bytes[index % bytes.count]) }
    return difference == 0
  }

  /// The Authorization header of a client.
  package var authorization: String { "Bearer " + String(decoding: bytes, as: UTF8.self) }

  package var description: String { "(secret)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// 258 random bits as 43 letters, digits, `-` and `_`: safe in a header, a cookie and a URL.
func randomSecret() -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  var generator = SystemRandomNumberGenerator()  // getrandom(2)
  return String(decoding: (0..<43).map { _ in alphabet[Int(generator.next() & 63)] }, as: UTF8.self)
}
