/// `host` or `host:port`, as in a Host header or an origin. Anything else is invalid.
struct Authority: Hashable {
  /// Lower case; an IPv6 address without brackets.
  var host: String
  var port: UInt16?

  init?(_ text: String) {
    var rest: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end].lowercased()
      guard !host.isEmpty, host.utf8.allSatisfy({ "0123456789abcdef:.".utf8.contains($0) }) else { return nil }
      rest = text[text.index(after: end)...]
    } else {
      let name = text.prefix { $0 != ":" }
      let letters = "abcdefghijklmnopqrstuvwxyz0123456789-._".utf8
      host = name.lowercased()
      guard !name.isEmpty, host.utf8.allSatisfy(letters.contains) else { return nil }
      rest = text[name.endIndex...]
    }
    guard !rest.isEmpty else { return }
    rest = rest.dropFirst()
    guard text.utf8.count < 300, rest.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(rest) else {
      return nil
    }
    self.port = port
  }

  var isLoopback: Bool { AdminSettings.isLoopback(host) }
}

/// The origin of a page: scheme, host and port.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
  package enum Scheme: String, Sendable {
    case http, https
  }

  package var scheme: Scheme
  /// Without the default port of the scheme, which browsers omit.
  private let authority: Authority

  /// Nil when the text is not an origin; a trailing slash is invalid, too.
  package init?(_ text: String) {
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let scheme = Scheme(rawValue: parts[0].lowercased()),
      var authority = Authority(String(parts[1]))
    else { return nil }
    if authority.port == (scheme == .https ? 443 : 80) { authority.port = nil }
    self.scheme = scheme
    self.authority = authority
  }

  /// Whether this Host header names it.
  func isOf(_ host: Authority) -> Bool {
    var host = host
    if host.port == (scheme == .https ? 443 : 80) { host.port = nil }
    return host == authority
  }

  package var description: String {
    let host = authority.host.contains(":") ? "[\(authority.host)]" : authority.host
    return "\(scheme.rawValue)://\(host)\(authority.port.map { ":\($0)" } ?? "")"
  }
}
