import Foundation
import HTTPTypes
import Hummingbird

/// What a request has to be before anything is done for it.
struct RequestChecks: Sendable {
  let settings: AdminSettings

  /// Nil when the request may go on; else what it is answered.
  func refusal(of request: Request) -> Refusal? {
    if settings.isLoopback, !isForLoopback(request) {
      return Refusal(.misdirectedRequest, "this address is served to localhost and 127.0.0.1 only")
    }
    if comesFromElsewhere(request) {
      return Refusal(.forbidden, "a request from another site")
    }
    if Self.open.contains(request.uri.path) || isAuthorized(request) { return nil }
    var refusal = Refusal(.unauthorized, "a token is needed: as Bearer, or as the password where a browser asks")
    refusal.challenge = #"Basic realm="Pocketwatch", charset="UTF-8""#
    return refusal
  }

  struct Refusal: Error {
    var status: HTTPResponse.Status
    var words: String
    var challenge: String?

    init(_ status: HTTPResponse.Status, _ words: String) {
      self.status = status
      self.words = words
    }
  }

  /// What a supervisor asks, with no secret at hand; it is told no reasons.
  private static let open: Set<String> = ["/healthz", "/readyz"]

  /// Whether all may be told: everyone, where no token is set.
  func isAuthorized(_ request: Request) -> Bool {
    guard let token = settings.token else { return true }
    guard let header = request.headers[.authorization],
      let space = header.firstIndex(of: " ")
    else { return false }
    let credentials = header[space...].trimmingCharacters(in: .whitespaces)
    switch header[..<space].lowercased() {
    case "bearer": return token.matches(credentials)
    case "basic": return Self.password(credentials).map(token.matches) ?? false
    default: return false
    }
  }

  /// A browser asks for user and password by itself, and keeps them without a cookie. Any user will do.
  private static func password(_ credentials: String) -> String? {
    guard let data = Data(base64Encoded: credentials), let text = String(data: data, encoding: .utf8),
      let colon = text.firstIndex(of: ":")
    else { return nil }
    return String(text[text.index(after: colon)...])
  }

  /// A page of a foreign name that was made to lead to 127.0.0.1 (DNS rebinding) bears that name.
  private func isForLoopback(_ request: Request) -> Bool {
    guard let authority = request.head.authority else { return false }
    return AdminSettings.isLoopback(Self.host(of: authority))
  }

  /// `[::1]:8472` is `::1`.
  private static func host(of authority: String) -> String {
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    return String(authority.prefix { $0 != ":" })
  }

  /// Whether another site made the browser send it. A link that someone follows is none of that; a form that is sent from
  /// elsewhere is, since the browser would add the password to it. What is no browser sends neither header.
  private func comesFromElsewhere(_ request: Request) -> Bool {
    let isRead = request.method == .get || request.method == .head
    switch request.headers.value("Sec-Fetch-Site") {
    case nil, "same-origin", "none": break
    default: if !isRead || request.headers.value("Sec-Fetch-Mode") != "navigate" { return true }
    }
    guard !isRead, let origin = request.headers[.origin] else { return false }
    // Without its scheme: a proxy in front may speak TLS.
    return origin.split(separator: "/").last.map(String.init) != request.head.authority
  }
}

extension HTTPFields {
  /// A header without a name of its own in HTTPTypes.
  func value(_ name: String) -> String? {
    HTTPField.Name(name).flatMap { self[$0] }
  }

  mutating func set(_ name: String, _ value: String) {
    if let name = HTTPField.Name(name) { self[name] = value }
  }
}
