import Foundation
import HTTPTypes
import Hummingbird

/// Host, origin and access checks, made before a request is routed.
struct RequestChecks: Sendable {
  let settings: AdminSettings
  let access: Access

  /// Nil when the request is allowed.
  func refusal(of request: Request) -> Refusal? {
    if hasBadHost(request) { return Refusal(.badRequest, "Host: exactly one is required, as host or host:port") }
    if isCrossSite(request) { return Refusal(.forbidden, crossSite) }
    if Self.isOpen(request.uri.path) { return nil }
    switch proof(of: request) {
    case .token: return nil
    // Browsers send Origin with every change. Cookies ignore ports, so a page on another port sends ours, too.
    case .session: return isRead(request) || request.headers[.origin] != nil ? nil : Refusal(.forbidden, crossSite)
    case nil: break
    }
    if request.uri.path == "/metrics", settings.isOpenOnLoopback {
      if isForLoopback(request) { return nil }
      return Refusal(.misdirectedRequest, "without a token, /metrics requires a loopback Host, such as localhost")
    }
    return unauthorized
  }

  struct Refusal: Error {
    var status: HTTPResponse.Status
    /// A sentence for the user.
    var message: String
    var challenge: String?

    init(_ status: HTTPResponse.Status, _ message: String) {
      self.status = status
      self.message = message
    }
  }

  /// Paths without access control: health for supervisors, assets for the sign-in page, and the one-time link.
  private static func isOpen(_ path: String) -> Bool {
    ["/healthz", "/readyz", "/enter"].contains(path) || path.hasPrefix("/assets/")
  }

  private var crossSite: String {
    "cross-site request refused; behind a proxy, set POCKETWATCH_HTTP_ORIGIN to the origin that browsers see"
  }

  private var unauthorized: Refusal {
    let isMade = settings.token.isMade
    let programs =
      isMade
      ? "Authorization: Bearer with the token from the .token file next to the database"
      : "Authorization: Bearer with the token; a browser sends it as the password"
    var refusal = Refusal(
      .unauthorized,
      "Not signed in. Run `pocketwatch page` as the user of the service and open the link that it prints."
        + " Programs send \(programs).")
    // `Basic` makes browsers ask for a password, which nobody knows when the service created the token.
    refusal.challenge = isMade ? #"Bearer realm="Pocketwatch""# : #"Basic realm="Pocketwatch", charset="UTF-8""#
    return refusal
  }
}

// MARK: - Authentication

extension RequestChecks {
  private enum Proof {
    case token, session
  }

  /// Whether the request carries the token or a session.
  func isAuthorized(_ request: Request) -> Bool { proof(of: request) != nil }

  /// Whether the response may name readiness reasons, which contain host names.
  func maySeeReasons(_ request: Request) -> Bool {
    settings.isOpenOnLoopback && isForLoopback(request) || isAuthorized(request)
  }

  private func proof(of request: Request) -> Proof? {
    if let header = request.headers[.authorization], let token = Self.token(header), access.accepts(token: token) {
      return .token
    }
    if let session = session(of: request), access.accepts(session: session) { return .session }
    return nil
  }

  /// The token of `Bearer`, or the password of `Basic` with any user.
  private static func token(_ header: String) -> String? {
    guard let space = header.firstIndex(of: " ") else { return nil }
    let credentials = header[space...].trimmingCharacters(in: .whitespaces)
    switch header[..<space].lowercased() {
    case "bearer": return credentials
    case "basic":
      guard let data = Data(base64Encoded: credentials), let text = String(data: data, encoding: .utf8),
        let colon = text.firstIndex(of: ":")
      else { return nil }
      return String(text[text.index(after: colon)...])
    default: return nil
    }
  }

  private func session(of request: Request) -> String? {
    let name = Self.cookieName(for: request) + "="
    for header in request.headers[values: .cookie] {
      for cookie in header.split(separator: ";") {
        let cookie = cookie.drop { $0 == " " }
        if cookie.hasPrefix(name) { return String(cookie.dropFirst(name.count)) }
      }
    }
    return nil
  }

  /// The Set-Cookie header of a new session.
  func cookie(_ session: String, for request: Request) -> String {
    let name = Self.cookieName(for: request)
    let isSecure = settings.origin?.scheme == .https
    return "\(name)=\(session); Path=/; HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
  }

  /// Includes the port: cookies ignore ports, and several services may run on one machine.
  private static func cookieName(for request: Request) -> String {
    let port = request.head.authority.flatMap(Authority.init)?.port
    return "pocketwatch" + (port.map { "-\($0)" } ?? "")
  }
}

// MARK: - Host and origin

extension RequestChecks {
  private func isRead(_ request: Request) -> Bool { request.method == .get || request.method == .head }

  /// Hummingbird takes the first Host as the authority; a second one remains among the headers.
  private func hasBadHost(_ request: Request) -> Bool {
    if request.headers.value("Host") != nil { return true }
    guard let authority = request.head.authority else { return false }
    return Authority(authority) == nil
  }

  /// Guards against DNS rebinding: a foreign name that resolves to 127.0.0.1. Only needed where neither token nor
  /// session is required.
  private func isForLoopback(_ request: Request) -> Bool {
    request.head.authority.flatMap(Authority.init)?.isLoopback ?? false
  }

  /// Whether another site made the browser send it. Links are allowed; forms are not, because the browser would add the
  /// credentials. Other clients send neither header.
  private func isCrossSite(_ request: Request) -> Bool {
    switch request.headers.value("Sec-Fetch-Site") {
    case nil, "same-origin", "none": break
    default: if !isRead(request) || request.headers.value("Sec-Fetch-Mode") != "navigate" { return true }
    }
    guard !isRead(request), let origin = request.headers[.origin] else { return false }
    return !isOurs(origin, request)
  }

  private func isOurs(_ text: String, _ request: Request) -> Bool {
    guard let origin = WebOrigin(text) else { return false }
    if origin == settings.origin { return true }
    guard let host = request.head.authority.flatMap(Authority.init), origin.isOf(host) else { return false }
    // Without a configured origin, a proxy that keeps the Host may terminate TLS: accept both schemes.
    return settings.origin == nil || (origin.scheme == .http && host.isLoopback)
  }
}

extension HTTPFields {
  /// A header that HTTPTypes has no constant for.
  func value(_ name: String) -> String? {
    HTTPField.Name(name).flatMap { self[$0] }
  }

  mutating func set(_ name: String, _ value: String) {
    if let name = HTTPField.Name(name) { self[name] = value }
  }
}
