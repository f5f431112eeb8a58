/// Where the pages are served, and to whom.
package struct AdminSettings: Hashable, Sendable {
  package var host: String
  /// 0 lets the system choose.
  package var port: Int
  /// What a reader has to show: with it, every request but `/healthz` and `/readyz` needs it. Nil serves everyone who can
  /// connect, which is for loopback only.
  package var token: AdminToken?
  /// Whether schedules can be stopped and started again. Wants a token.
  package var allowsChanges: Bool
  /// The most connections at a time; more wait in the system's queue. Well below the 1024 files that a process may have
  /// open where nobody raised that, since the database and the broker need some.
  package var maximumConnections = 256
  /// The most connections in that queue. Beyond it the kernel drops what a client sends first, and the client tries again
  /// after 1, 3, 7 … seconds.
  package var maximumWaiting = 1024
  /// A connection without a whole request for so long is closed.
  package var idleSeconds = 15
  /// A connection that could not take what is written to it for so long is closed.
  package var stalledSeconds = 30

  package init(host: String = "127.0.0.1", port: Int = 8472, token: AdminToken? = nil, allowsChanges: Bool = false) {
    self.host = host
    self.port = port
    self.token = token
    self.allowsChanges = allowsChanges
  }

  /// Whether only this machine can connect.
  package var isLoopback: Bool { Self.isLoopback(host) }

  /// `localhost`, 127.0.0.0/8 and ::1. A name that merely leads there today is none.
  package static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

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
