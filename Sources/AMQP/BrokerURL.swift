/// The address of one broker with its credentials: `amqp://user:password@host:port/vhost`, or `amqps://` for TLS.
///
/// No description, dump or error contains the password.
package struct BrokerURL: Sendable, Hashable {
  package var usesTLS: Bool
  package var user: String
  package var password: String
  /// A DNS name or an IP address; an IPv6 address without its brackets.
  package var host: String
  package var port: UInt16
  package var virtualHost: String

  /// Parses one URL (RFC 3986, and RabbitMQ's AMQP URI specification without its query parameters).
  ///
  /// User, password and virtual host are percent-decoded. An empty path and `/` both mean the virtual host `/`. Defaults:
  /// user and password `guest`; port 5672, or 5671 for `amqps`.
  package init(_ text: String) throws(AMQPError) {
    let parts = try URLParts(text)
    usesTLS = parts.usesTLS
    (user, password) = try Self.credentials(parts.userInfo)
    (host, port) = try Self.address(parts.address, defaultPort: parts.usesTLS ? 5671 : 5672)
    virtualHost = try Self.virtualHost(parts.path)
  }

  /// Parses several URLs separated by spaces or line ends. Throws when there is none.
  package static func list(_ text: String) throws(AMQPError) -> [BrokerURL] {
    var urls: [BrokerURL] = []
    let parts = text.utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
    // A password with a space would be split, and its rest taken for another URL.
    if parts.count > 1, parts.contains(where: { !Substring($0).contains("://") }) {
      throw .malformedURL("a part after a space is not a URL; in user name and password write a space as %20")
    }
    for part in parts {
      urls.append(try BrokerURL(String(decoding: part, as: UTF8.self)))
    }
    if urls.isEmpty { throw .malformedURL("no URL is given") }
    return urls
  }

  private static func credentials(_ userInfo: Substring.UTF8View?) throws(AMQPError) -> (String, String) {
    guard let userInfo else { return ("guest", "guest") }
    guard let colon = userInfo.firstIndex(of: UInt8(ascii: ":")) else {
      return (try decoded(userInfo, "the user name"), "")
    }
    let user = try decoded(userInfo[..<colon], "the user name")
    return (user, try decoded(userInfo[userInfo.index(after: colon)...], "the password"))
  }

  private static func address(_ text: Substring.UTF8View, defaultPort: UInt16) throws(AMQPError) -> (String, UInt16) {
    var host = text
    var rest: Substring.UTF8View?
    if text.first == UInt8(ascii: "[") {
      guard let end = text.firstIndex(of: UInt8(ascii: "]")) else {
        throw .malformedURL("the host has no closing \"]\"")
      }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
      if rest?.isEmpty == true { rest = nil }
    } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
      host = text[..<colon]
      rest = text[colon...]
    }
    if host.isEmpty { throw .malformedURL("the host is missing") }
    if host.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "%") }) {
      throw .malformedURL("the host has a character that is not allowed in host names")
    }
    guard let rest else { return (String(Substring(host)), defaultPort) }
    // Not echoed: in a URL without its "@" this is the password.
    let digits = rest.dropFirst()
    guard rest.first == UInt8(ascii: ":"), digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = UInt16(Substring(digits)), port > 0
    else {
      throw .malformedURL("the port is not a number within 1-65535")
    }
    return (String(Substring(host)), port)
  }

  private static func virtualHost(_ path: Substring.UTF8View) throws(AMQPError) -> String {
    let name = path.dropFirst()
    if name.isEmpty { return "/" }
    if name.contains(UInt8(ascii: "/")) {
      throw .malformedURL("the path has a second \"/\"; write a \"/\" inside a virtual host's name as %2F")
    }
    let decodedName = try decoded(name, "the virtual host")
    if decodedName.utf8.count > 255 { throw .malformedURL("the virtual host is over 255 bytes") }
    return decodedName
  }

  /// Percent-decodes one part. Zero bytes are not allowed, because the C library takes zero-terminated strings.
  private static func decoded(_ text: Substring.UTF8View, _ part: String) throws(AMQPError) -> String {
    guard let bytes = percentDecoded(text) else {
      throw .malformedURL("\(part) has a \"%\" that two hex digits do not follow; write \"%\" as %25")
    }
    guard !bytes.contains(0), let string = String(validating: bytes, as: UTF8.self) else {
      throw .malformedURL("\(part) is not valid UTF-8")
    }
    return string
  }
}

extension BrokerURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The URL without the password, for logs and errors.
  package var description: String {
    let address = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return "\(usesTLS ? "amqps" : "amqp")://\(percentEncoded(user))@\(address):\(port)/"
      + (virtualHost == "/" ? "" : percentEncoded(virtualHost))
  }

  package var debugDescription: String { description }

  /// Hides the password from `dump` and failed test expectations.
  package var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

extension AMQPError {
  static func malformedURL(_ reason: String) -> AMQPError {
    AMQPError(
      .invalidConfiguration, "\(reason) (a broker URL is amqp://user:password@host:port/vhost, or amqps://…)")
  }
}
