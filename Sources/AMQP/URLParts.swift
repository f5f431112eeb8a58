import Bytes

/// A broker URL split at its delimiters, not yet decoded.
struct URLParts {
  var usesTLS: Bool
  /// The part before the "@"; nil without one.
  var userInfo: Substring.UTF8View?
  /// Host and port.
  var address: Substring.UTF8View
  /// Empty, or the rest from the first "/".
  var path: Substring.UTF8View

  init(_ text: String) throws(AMQPError) {
    let url = text[...].utf8
    guard let colon = url.firstIndex(of: UInt8(ascii: ":")), url[colon...].starts(with: "://".utf8) else {
      throw .malformedURL("it does not begin with amqp:// or amqps://")
    }
    switch Substring(url[..<colon]).lowercased() {
    case "amqp": usesTLS = false
    case "amqps": usesTLS = true
    default: throw .malformedURL("it does not begin with amqp:// or amqps://")
    }
    let rest = url[url.index(colon, offsetBy: 3)...]
    let delimiters: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")]
    let authority = rest.prefix { !delimiters.contains($0) }
    path = rest[authority.endIndex...]
    try Self.requireNoQuery(in: path)
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      userInfo = authority[..<at]
      address = authority[authority.index(after: at)...]
    } else {
      address = authority
    }
  }

  /// Throws for a query or a fragment. If it may be part of a password that was not percent-encoded, the error says how to
  /// encode it. The error names query parameters, never their values, which may be secret.
  private static func requireNoQuery(in path: Substring.UTF8View) throws(AMQPError) {
    if path.contains(UInt8(ascii: "@")) {
      throw .malformedURL("in user name and password write \"/\" as %2F, \"?\" as %3F, \"#\" as %23 and \"@\" as %40")
    }
    if let mark = path.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
      throw .malformedURL("\(named(path[mark...])) is not supported; remove it")
    }
  }

  private static func named(_ query: Substring.UTF8View) -> String {
    if query.first == UInt8(ascii: "#") { return "a fragment (\"#…\")" }
    let parameters = query.dropFirst().prefix { $0 != UInt8(ascii: "#") }.split(separator: UInt8(ascii: "&"))
    let names = parameters.compactMap { parameter in
      parameter.firstIndex(of: UInt8(ascii: "=")).map { "\"\(Substring(parameter[..<$0]))\"" }
    }
    return names.isEmpty ? "a query (\"?…\")" : "the query parameter \(names.joined(separator: ", "))"
  }
}

/// Decodes percent-encoding (RFC 3986, 2.1); nil when a "%" is not followed by two hex digits.
func percentDecoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
  var bytes: [UInt8] = []
  var iterator = text.makeIterator()
  while let byte = iterator.next() {
    guard byte == UInt8(ascii: "%") else {
      bytes.append(byte)
      continue
    }
    guard let high = iterator.next().flatMap(\.hexDigitValue), let low = iterator.next().flatMap(\.hexDigitValue) else {
      return nil
    }
    bytes.append(high << 4 | low)
  }
  return bytes
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, 2.3.
func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case _ where byte.isLetter || byte.isDigit, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      bytes.append(byte)
    default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
