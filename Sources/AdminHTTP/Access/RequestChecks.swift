import Foundation
import HTTPTypes
import Hummingbird

/// What a request has to be before anything is done for it.
struct RequestChecks: Sendable {
  let settings: AdminSettings
  let access: Access

  /// Nil when the request may go on; else what it is answered.
  func refusal(of request: Request) -> Refusal? {
    if hasBadHost(request) { return Refusal(.badRequest, "Host: exactly one is needed, as host or host:port") }
    if comesFromElsewhere(request) { return Refusal(.forbidden, elsewhere) }
    if Self.isOpen(request.uri.path) { return nil }
    switch proof(of: request) {
    case .token: return nil
    // Browsers name the origin of whatever changes something. A page on another port has our cookie sent, too.
    case .session: return isRead(request) || request.headers[.origin] != nil ? nil : Refusal(.forbidden, elsewhere)
    case nil: break
    }
    if request.uri.path == "/metrics", settings.isOpenOnLoopback {
      if isForLoopback(request) { return nil }
      return Refusal(.misdirectedRequest, "without a token /metrics is served to localhost and 127.0.0.1 only")
    }
    return unauthorized
  }

  struct Refusal: Error {
    var status: HTTPResponse.Status
    /// A sentence for the person who asked.
    var message: String
    var challenge: String?

    init(_ status: HTTPResponse.Status, _ message: String) {
      self.status = status
      self.message = message
    }
  }

  /// What a supervisor asks, with no secret at hand; what a page without access looks like; and where a link leads.
  private static func isOpen(_ path: String) -> Bool {
    ["/healthz", "/readyz", "/enter"].contains(path) || path.hasPrefix("/assets/")
  }

  private var elsewhere: String {
    "a request from another site; behind a proxy set POCKETWATCH_HTTP_ORIGIN to the origin that browsers see"
  }

  private var unauthorized: Refusal {
    let isMade = settings.token.isMade
    let programs =
      isMade
      ? "the token of the file beside the database, whose name ends with .token, as Bearer"
      : "the token as Bearer, or as the password where a browser asks"
    var refusal = Refusal(
      .unauthorized,
      "Not signed in. Run `pocketwatch page` as the user of the service: it prints a link that opens this page."
        + " Programs show \(programs).")
    // With `Basic` a browser asks for a password, which nobody has where the service made the token.
    refusal.challenge = isMade ? #"Bearer realm="Pocketwatch""# : #"Basic realm="Pocketwatch", charset="UTF-8""#
    return refusal
  }
}

// MARK: - Who asks

extension RequestChecks {
  private enum Proof {
    case token, session
  }

  /// Whether the token or a session is shown.
  func isAuthorized(_ request: Request) -> Bool { proof(of: request) != nil }

  /// Whether reasons may be given, which name hosts.
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

  /// The token of `Bearer`, or the password of `Basic`: a browser asks for user and password and keeps them. Any user
  /// will do.
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

  /// What starts a session in a browser.
  func cookie(_ session: String, for request: Request) -> String {
    let name = Self.cookieName(for: request)
    let isSecure = settings.origin?.scheme == .https
    return "\(name)=\(session); Path=/; HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
  }

  /// With the port, since cookies know none, and two services may run on one machine.
  private static func cookieName(for request: Request) -> String {
    let port = request.head.authority.flatMap(Authority.init)?.port
    return "pocketwatch" + (port.map { "-\($0)" } ?? "")
  }
}

// MARK: - Where it comes from, and whom it is for

extension RequestChecks {
  private func isRead(_ request: Request) -> Bool { request.method == .get || request.method == .head }

  /// The first Host is the request's authority; any other is left among its headers.
  private func hasBadHost(_ request: Request) -> Bool {
    if request.headers.value("Host") != nil { return true }
    guard let authority = request.head.authority else { return false }
    return Authority(authority) == nil
  }

  /// A page of a foreign name that was made to lead to 127.0.0.1 (DNS rebinding) bears that name. It has neither token
  /// nor session, so this guards only what needs none.
  private func isForLoopback(_ request: Request) -> Bool {
    request.head.authority.flatMap(Authority.init)?.isLoopback ?? false
  }

  /// Whether another site made the browser send it. A link that someone follows is allowed; a form that is sent from
  /// elsewhere is not, since the browser would add the password to it. Other clients send neither header.
  private func comesFromElsewhere(_ request: Request) -> Bool {
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
    // Where no origin is set, a proxy that keeps the Host may speak TLS to the browser: any scheme will do.
    return settings.origin == nil || (origin.scheme == .http && host.isLoopback)
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
