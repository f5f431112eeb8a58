import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Testing

@testable import AdminHTTP

@Suite("What a request has to be")
struct RequestChecksTests {
  private func refusal(
    _ settings: AdminSettings = AdminSettings(), _ method: HTTPRequest.Method = .get, host: String? = "localhost:8472",
    path: String = "/", headers: [String: String] = [:]
  ) -> Int? {
    let head = HTTPRequest(
      method: method, scheme: "http", authority: host, path: path, headerFields: HTTPFields(headers))
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    return RequestChecks(settings: settings).refusal(of: request)?.status.code
  }

  private var guarded: AdminSettings { AdminSettings(host: "0.0.0.0", token: AdminToken(tokenText)) }

  @Test(
    "on loopback only names of loopback are served",
    arguments: [
      ("localhost", nil), ("localhost:1", nil), ("LOCALHOST:8472", nil), ("127.0.0.1:8472", nil), ("127.1.2.3", nil),
      ("[::1]:8472", nil), ("evil.example", 421), ("evil.example:8472", 421), ("127.0.0.1.evil.example", 421),
      ("localhost.evil.example", 421), ("10.0.0.1", 421), ("127.0.0.256", 421), ("", 421), (nil, 421),
    ] as [(String?, Int?)])
  func rebinding(host: String?, status: Int?) {
    #expect(refusal(host: host) == status)
    if host != nil { #expect(refusal(guarded, host: host, headers: ["Authorization": "Bearer \(tokenText)"]) == nil) }
  }

  @Test(
    "a token is needed where one is set, as Bearer or as a password",
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
    let headers = header.map { ["Authorization": $0] } ?? [:]
    #expect(refusal(guarded, headers: headers) == status)
    #expect(refusal(guarded, path: "/metrics", headers: headers) == status)
    #expect(refusal(guarded, path: "/healthz", headers: headers) == nil)
    #expect(refusal(guarded, path: "/readyz", headers: headers) == nil)
    #expect(refusal(guarded, path: "/healthz/", headers: headers) == status)
  }

  @Test("what another site has a browser send is refused, a link that someone follows is not")
  func crossSite() {
    let navigation = ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"]
    #expect(refusal(headers: navigation) == nil)
    #expect(refusal(AdminSettings(), .post, headers: navigation) == 403)
    for site in ["cross-site", "same-site"] {
      #expect(refusal(headers: ["Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"]) == 403)
      #expect(refusal(AdminSettings(), .post, headers: ["Sec-Fetch-Site": site]) == 403)
    }
    for site in ["same-origin", "none"] { #expect(refusal(headers: ["Sec-Fetch-Site": site]) == nil) }
    for (origin, status) in [
      ("http://localhost:8472", nil), ("https://localhost:8472", nil), ("http://localhost:9", 403), ("null", 403),
      ("http://evil.example", 403), ("", 403),
    ] as [(String, Int?)] {
      #expect(refusal(AdminSettings(), .post, headers: ["Origin": origin]) == status, "\(origin)")
      #expect(refusal(headers: ["Origin": origin]) == nil, "to read is the same for all")
    }
    #expect(refusal(AdminSettings(), .post) == nil, "no browser: it needs the token anyway")
  }

  @Test("a token is long, goes into a header, and shows itself to nobody")
  func tokens() {
    #expect(AdminToken("short") == nil)
    #expect(AdminToken("a line end and spaces\n") == nil)
    #expect(AdminToken(String(repeating: "é", count: 20)) == nil)
    let token = AdminToken(tokenText)
    var text = ""
    dump(AdminSettings(token: token), to: &text)
    #expect(!"\(AdminSettings(token: token))".contains(tokenText) && !text.contains("token-") && !text.contains("48"))
  }

  @Test(
    "loopback is known by its address",
    arguments: [
      ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("0.0.0.0", false), ("::", false),
      ("192.168.1.1", false), ("127.0.0", false), ("127.example.com", false), ("", false),
    ])
  func loopback(host: String, isLoopback: Bool) {
    #expect(AdminSettings(host: host).isLoopback == isLoopback)
  }
}
