import Foundation
import Synchronization
import Testing

@testable import AdminHTTP

@Suite("Access to the pages")
struct AccessTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// A manual clock.
  private final class Clock: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    func now() -> ContinuousClock.Instant { instant.withLock { $0 } }
    func advance(_ duration: Duration) { instant.withLock { $0 += duration } }
  }

  private func own() -> (Access, TokenFile) {
    let file = TokenFile.beside(database: folder.path("p.sqlite"))
    return (Access(.file(file), logger: quietLogger), file)
  }

  private func text() throws -> String {
    try folder.read("p.sqlite.token").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test("the service creates one token file that only its user can read")
  func made() throws {
    let (access, file) = own()
    #expect(throws: TokenFileError.self) { try file.read() }
    access.prepare()
    #expect(try folder.mode("p.sqlite.token") == 0o600)
    let token = try text()
    #expect(token.utf8.count == 43 && access.accepts(token: token) && !access.accepts(token: token + "x"))
    #expect(try file.read().matches(token))
    let again = Access(.file(file), logger: quietLogger)
    again.prepare()
    #expect(try text() == token && again.accepts(token: token))
    #expect(folder.names == ["p.sqlite.token"])
  }

  @Test("its own token is replaced when others could read it or it is invalid", arguments: [0o644, 0o640, 0o660, 0])
  func replaced(mode: Int) throws {
    let planted = mode == 0 ? "short" : "planted-token-0123456789"
    try folder.write("p.sqlite.token", planted, mode: mode == 0 ? 0o600 : mode)
    let (access, _) = own()
    #expect(!access.accepts(token: planted))
    #expect(try folder.mode("p.sqlite.token") == 0o600 && text() != planted && access.accepts(token: text()))
  }

  @Test("a symbolic link in the place of its token file is not followed")
  func link() throws {
    try folder.write("elsewhere", "planted-token-0123456789")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("p.sqlite.token"), withDestinationPath: folder.path("elsewhere"))
    let (access, _) = own()
    #expect(!access.accepts(token: "planted-token-0123456789"))
    #expect(try access.accepts(token: text()))
    #expect(try folder.read("elsewhere") == "planted-token-0123456789")
  }

  @Test("without a writable folder there is no access; it is retried")
  func noFolder() throws {
    let access = Access(.file(.beside(database: folder.path("later/p.sqlite"))), logger: quietLogger)
    access.prepare()
    #expect(!access.accepts(token: ""))
    try FileManager.default.createDirectory(atPath: folder.path("later"), withIntermediateDirectories: true)
    let made = { try folder.read("later/p.sqlite.token").trimmingCharacters(in: .whitespacesAndNewlines) }
    access.prepare()
    #expect(try access.accepts(token: made()))
  }

  @Test("a configured token file is re-read when it changes; without it there is no access")
  func changed() throws {
    try folder.write("token", "first-token-0123456789\n", mode: 0o644)
    let access = Access(.file(TokenFile(path: folder.path("token"))), logger: quietLogger)
    #expect(access.accepts(token: "first-token-0123456789"))
    try folder.write("token", "other-token-0123456789\n")
    #expect(!access.accepts(token: "first-token-0123456789") && access.accepts(token: "other-token-0123456789"))
    try folder.write("token", "short\n")
    #expect(!access.accepts(token: "other-token-0123456789") && !access.accepts(token: "short"))
    try folder.remove("token")
    #expect(!access.accepts(token: "other-token-0123456789") && !access.accepts(token: ""))
    #expect(folder.names.isEmpty, "only the service's own file is created")
    try folder.write("token", "third-token-0123456789\n")
    #expect(access.accepts(token: "third-token-0123456789"))
  }

  @Test("a code works once, for ten minutes; a session lasts while it is used")
  func sessions() throws {
    let clock = Clock()
    let access = Access(fixedToken, logger: quietLogger, now: clock.now)
    let code = access.makeCode()
    let session = try #require(access.session(for: code))
    #expect(access.session(for: code) == nil && access.session(for: "") == nil)
    #expect(access.accepts(session: session) && !access.accepts(session: code) && !access.accepts(session: ""))
    #expect(session != code && session.utf8.count == 43)
    let late = access.makeCode()
    clock.advance(.seconds(601))
    #expect(access.session(for: late) == nil)
    for _ in 1...3 {
      clock.advance(.seconds(11 * 3600))
      #expect(access.accepts(session: session))
    }
    clock.advance(.seconds(12 * 3600 + 1))
    #expect(!access.accepts(session: session))
  }

  @Test("codes and sessions are bounded: the one that expires first is removed")
  func bounded() throws {
    let clock = Clock()
    let access = Access(fixedToken, logger: quietLogger, now: clock.now)
    let codes = (0..<17).map { _ in
      clock.advance(.milliseconds(1))
      return access.makeCode()
    }
    #expect(access.session(for: codes[0]) == nil && access.session(for: codes[1]) != nil)
    let sessions = try (0..<64).map { _ in
      clock.advance(.milliseconds(1))
      return try #require(access.session(for: access.makeCode()))
    }
    #expect(access.accepts(session: sessions[0]))
    clock.advance(.milliseconds(1))
    _ = access.session(for: access.makeCode())
    #expect(access.accepts(session: sessions[0]) && !access.accepts(session: sessions[1]))
  }

  @Test("a new token ends all codes and sessions")
  func revoked() throws {
    try folder.write("token", "first-token-0123456789")
    let access = Access(.file(TokenFile(path: folder.path("token"))), logger: quietLogger)
    let session = try #require(access.session(for: access.makeCode()))
    let code = access.makeCode()
    #expect(access.accepts(session: session))
    try folder.write("token", "other-token-0123456789")
    #expect(!access.accepts(session: session) && access.session(for: code) == nil)
    let next = try #require(access.session(for: access.makeCode()))
    try folder.remove("token")
    #expect(!access.accepts(session: next))
  }

  private static let nothing = ["Authorization": ""]

  @Test("a one-time link sets a session cookie that scripts and other sites cannot read")
  func pageLink() async throws {
    let site = TestSite()
    try await site.together { site in
      #expect(try await site.post("/api/v1/page-link", "", Self.nothing).status == 401)
      let link = try await site.post("/api/v1/page-link", "").body
      #expect(link.contains(#""expiresInSeconds":600"#))
      let path = String(try #require(link.firstMatch(of: /"path":"(\/enter\?code=[\w-]{43})"/)).output.1)
      #expect(try await site.head(path, Self.nothing).status != 200, "link previews")
      let entered = try await site.get(path, Self.nothing)
      #expect(entered.status == 200 && entered.body.contains(#"content="0;url=/""#))
      let set = try #require(entered.header("Set-Cookie"))
      #expect(set.wholeMatch(of: /pocketwatch=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict/) != nil, "\(set)")
      let again = try await site.get(path, Self.nothing.merging(["Accept": "text/html"]) { $1 })
      #expect(again.status == 403 && again.header("Set-Cookie") == nil && again.body.contains("was used already"))
      let cookie = String(set.prefix { $0 != ";" })
      for text in [cookie, "a=b; \(cookie)", "\(cookie); c=d"] {
        #expect(try await site.get("/recent", ["Authorization": "", "Cookie": text]).status == 200)
      }
      for text in ["", cookie + "x", "x" + cookie, "pocketwatch=", String(cookie.dropLast())] {
        #expect(try await site.get("/recent", ["Authorization": "", "Cookie": text]).status == 401, "\(text)")
      }
    }
  }

  @Test("with a session, only same-origin requests change something")
  func sessionWrites() async throws {
    let source = FakeSource([try .fake("a")])
    var site = TestSite(settings: AdminSettings(token: fixedToken, allowsChanges: true), source: source)
    site.settings.origin = WebOrigin("https://pw.example")
    try await site.together { site in
      let link = try await site.post("/api/v1/page-link", "").body
      let path = String(try #require(link.firstMatch(of: /"path":"(\/enter\?code=[\w-]{43})"/)).output.1)
      let set = try #require(try await site.get(path, Self.nothing).header("Set-Cookie"))
      #expect(set.hasSuffix("; Secure"))
      let headers = ["Authorization": "", "Cookie": String(set.prefix { $0 != ";" })]
      for (origin, status) in [
        ("", 403), ("https://pw.example", 303), ("http://localhost:9999", 403), ("https://pw.example:444", 403),
      ] {
        let answer = try await site.post("/schedule/stop", "id=a", headers.merging(["Origin": origin]) { $1 })
        #expect(answer.status == status, "\(origin)")
      }
      #expect(try await site.post("/api/v1/backup", "", headers).status == 403)
    }
  }

  @Test("a 401 says how to get access; browsers ask for a password only when one is configured")
  func unauthorized() async throws {
    let file = TokenFile.beside(database: folder.path("p.sqlite"))
    let made = TestSite(settings: AdminSettings(token: .file(file)))
    let page = try await made.get("/", ["Authorization": "", "Accept": "text/html"])
    #expect(page.status == 401 && page.body.contains("Run `pocketwatch page`") && page.body.contains("Sign in"))
    #expect(page.header("WWW-Authenticate")?.hasPrefix("Bearer ") == true)
    let configured = try await TestSite().get("/", ["Authorization": "", "Accept": "text/html"])
    #expect(configured.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
    #expect(try await made.get("/assets/style.css", Self.nothing).status == 200)
    #expect(try await made.get("/recent", ["Authorization": "Bearer x"]).status == 401)
    let token = try text()
    #expect(try await made.get("/recent", ["Authorization": "Bearer \(token)"]).status == 200)
    #expect(!page.body.contains(folder.path("p.sqlite")), "the path is not disclosed")
  }
}
