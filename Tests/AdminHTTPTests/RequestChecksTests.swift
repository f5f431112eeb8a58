import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Testing

@testable import AdminHTTP

@Suite("Request checks")
struct RequestChecksTests {
  /// The refusal of a request, which carries the token unless `headers` say otherwise.
  private func refusal(
    _ settings: AdminSettings = AdminSettings(token: fixedToken), _ method: HTTPRequest.Method = .get,
    host: String? = "localhost:8472", path: String = "/", headers: [String: String] = [:]
  ) -> Int? {
    let headers = ["Authorization": "Bearer \(tokenText)"].merging(headers) { $1 }.filter { !$0.value.isEmpty }
    let head = HTTPRequest(
      method: method, scheme: "http", authority: host, path: path, headerFields: HTTPFields(headers))
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    let access = Access(settings.token, logger: quietLogger)
    return RequestChecks(settings: settings, access: access).refusal(of: request)?.status.code
  }

  private static let nothing = ["Authorization": ""]

  @Test(
    "without a token, only metrics are served, on loopback and for loopback Host names",
    arguments: [
      ("localhost", nil), ("localhost:1", nil), ("LOCALHOST:8472", nil), ("127.0.0.1:8472", nil), ("127.1.2.3", nil),
      ("[::1]:8472", nil), ("evil.example", 421), ("evil.example:8472", 421), ("127.0.0.1.evil.example", 421),
      ("localhost.evil.example", 421), ("10.0.0.1", 421), ("127.0.0.256", 421), (nil, 421), ("", 400),
      ("[::1]evil.example", 400), ("localhost:x@evil.example", 400), ("localhost:1@evil.example", 400),
      ("localhost:99999", 400), ("localhost:", 400), ("[::1", 400), ("evil.example/localhost", 400), ("::1", 400),
    ] as [(String?, Int?)])
  func rebinding(host: String?, status: Int?) throws {
    let folder = try TestFolder()
    let settings = AdminSettings(token: .file(.beside(database: folder.path("p.sqlite"))))
    #expect(refusal(settings, host: host, path: "/metrics", headers: Self.nothing) == status)
    for path in ["/", "/api/v1/overview", "/recent", "/api/v1/backup"] {
      #expect(refusal(settings, host: host, path: path, headers: Self.nothing) == (status == 400 ? 400 : 401))
    }
    // With a token any Host is accepted: a proxy may pass on the public one.
    #expect(refusal(host: host) == (status == 400 ? 400 : nil))
    var proxied = settings
    proxied.origin = WebOrigin("https://evil.example")
    #expect(refusal(proxied, host: host, path: "/metrics", headers: Self.nothing) == (status == 400 ? 400 : 401))
    var configured = settings
    configured.token = fixedToken
    #expect(refusal(configured, host: host, path: "/metrics", headers: Self.nothing) == (status == 400 ? 400 : 401))
  }

  @Test("a second Host header is refused")
  func secondHost() {
    for host in ["localhost:8472", "evil.example"] {
      #expect(refusal(headers: ["Host": host]) == 400)
      #expect(refusal(path: "/healthz", headers: ["Host": host]) == 400)
    }
  }

  @Test(
    "a configured token is required, as Bearer or as a password",
    arguments: [
      ("Bearer \(tokenText)", nil), ("bearer  \(tokenText)", nil), ("Bearer \(tokenText)x", 401),
      ("Bearer \(tokenText.dropLast())", 401), ("Bearer ", 401), ("Bearer", 401), ("", 401), (nil, 401),
      ("Basic " + Data("me:\(tokenText)".utf8).base64EncodedString(), nil),
      ("Basic " + Data(":\(tokenText)".utf8).base64EncodedString(), nil),
      ("Basic " + Data(tokenText.utf8).base64EncodedString(), 401),
      ("Basic " + Data("\(tokenText):me".utf8).base64EncodedString(), 401), ("Basic ***", 401),
      ("Digest \(tokenText)", 401), ("Bearer \(String(repeating: tokenText, count: 2))", 401),
    ] as [(String?, Int?)])
  func token(header: String?, status: Int?) {
    let headers = ["Authorization": header ?? ""]
    let guarded = AdminSettings(host: "0.0.0.0", token: fixedToken)
    #expect(refusal(guarded, headers: headers) == status)
    #expect(refusal(guarded, path: "/metrics", headers: headers) == status)
    #expect(refusal(guarded, path: "/healthz", headers: headers) == nil)
    #expect(refusal(guarded, path: "/readyz", headers: headers) == nil)
    #expect(refusal(guarded, path: "/healthz/", headers: headers) == status)
  }

  @Test("cross-site requests are refused, links are not")
  func crossSite() {
    let navigation = ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"]
    #expect(refusal(headers: navigation) == nil)
    #expect(post(navigation) == 403)
    for site in ["cross-site", "same-site"] {
      #expect(refusal(headers: ["Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"]) == 403)
      #expect(post(["Sec-Fetch-Site": site]) == 403)
    }
    for site in ["same-origin", "none"] { #expect(refusal(headers: ["Sec-Fetch-Site": site]) == nil) }
    for (origin, status) in [
      ("http://localhost:8472", nil), ("https://localhost:8472", nil), ("http://localhost:9", 403), ("null", 403),
      ("http://evil.example", 403), ("http://localhost", 403), ("http://localhost:84720", 403),
      ("http://x@localhost:8472", 403), ("http://evil.example/localhost:8472", 403), ("localhost:8472", 403),
      ("ftp://localhost:8472", 403),
    ] as [(String, Int?)] {
      #expect(post(["Origin": origin]) == status, "\(origin)")
      #expect(refusal(headers: ["Origin": origin]) == nil, "reading is allowed from any origin")
    }
    #expect(post([:]) == nil, "not a browser: it sends the token")
  }

  private func post(
    _ headers: [String: String], host: String = "localhost:8472", origin: String? = nil
  ) -> Int? {
    let settings = AdminSettings(token: fixedToken, origin: origin.flatMap(WebOrigin.init))
    return refusal(settings, .post, host: host, headers: headers)
  }

  @Test(
    "behind a proxy, forms are accepted from the configured origin, with either Host",
    arguments: ["pw.example", "127.0.0.1:8472", "localhost"])
  func proxy(host: String) {
    #expect(post(["Origin": "https://pw.example"], host: host, origin: "https://pw.example") == nil)
    #expect(post(["Origin": "https://pw.example:443"], host: host, origin: "https://PW.example:443") == nil)
    for origin in ["http://pw.example", "https://pw.example:8443", "https://evil.example", "null"] {
      #expect(post(["Origin": origin], host: host, origin: "https://pw.example") == 403, "\(origin)")
    }
    // Without a configured origin, origin and Host must agree.
    #expect(post(["Origin": "https://pw.example"], host: host) == (host == "pw.example" ? nil : 403))
    // Direct access on loopback still works.
    let direct = post(["Origin": "http://\(host)"], host: host, origin: "https://pw.example")
    #expect(direct == (host == "pw.example" ? 403 : nil))
  }

  @Test(
    "an origin is a scheme, a host and an optional port",
    arguments: [
      ("https://pw.example", "https://pw.example"), ("HTTPS://PW.example:443", "https://pw.example"),
      ("http://[::1]:80", "http://[::1]"), ("http://h:8080", "http://h:8080"), ("https://h:80", "https://h:80"),
      ("https://h/", nil), ("https://h/path", nil), ("https://", nil), ("h", nil), ("ftp://h", nil),
      ("https://u@h", nil), ("https://h:x", nil), ("null", nil), ("", nil),
    ] as [(String, String?)])
  func origins(text: String, normal: String?) {
    #expect(WebOrigin(text)?.description == normal)
  }

  @Test("a token is long, fits a header, and is never printed")
  func tokens() {
    #expect(AdminToken("short") == nil)
    #expect(AdminToken("a line end and spaces\n") == nil)
    #expect(AdminToken(String(repeating: "é", count: 20)) == nil)
    var text = ""
    dump(AdminSettings(token: fixedToken), to: &text)
    let shown = "\(AdminSettings(token: fixedToken))"
    #expect(!shown.contains(tokenText) && !text.contains("token-") && !text.contains("48"))
  }

  @Test(
    "loopback addresses",
    arguments: [
      ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false), ("::", false),
      ("192.168.1.1", false), ("127.0.0", false), ("127.example.com", false), ("", false),
    ])
  func loopback(host: String, isLoopback: Bool) {
    #expect(AdminSettings(host: host, token: fixedToken).isLoopback == isLoopback)
  }
}
