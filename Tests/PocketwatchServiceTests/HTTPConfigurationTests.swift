import AdminHTTP
import Foundation
import PocketwatchService
import Testing

@Suite("HTTP configuration")
struct HTTPConfigurationTests {
  private static let token = "0123456789abcdef-token"

  private static let made = TokenSource.file(TokenFile(path: "/data/p.sqlite.token", isMade: true))

  private func read(_ environment: [String: String], tokenFile: String? = nil) async throws -> AdminSettings? {
    var environment = environment.merging(
      ["POCKETWATCH_AMQP_URL": "amqp://broker", "POCKETWATCH_DATABASE": "/data/p.sqlite"]) { $1 }
    let path = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID().uuidString)").path()
    if let tokenFile {
      try Data(tokenFile.utf8).write(to: URL(filePath: path))
      environment["POCKETWATCH_HTTP_TOKEN_FILE"] = path
    }
    defer { try? FileManager.default.removeItem(atPath: path) }
    let reader = try SettingReader(environment: environment, file: nil)
    return try await Configuration.read(from: reader, declaresTopology: false).admin
  }

  @Test(
    "an address",
    arguments: [
      (nil, "127.0.0.1", 8472), ("localhost:1", "localhost", 1), ("[::1]:65535", "::1", 65535),
      ("127.0.0.1:0", "127.0.0.1", 0),
    ] as [(String?, String, Int)])
  func address(text: String?, host: String, port: Int) async throws {
    let settings = try await read(text.map { ["POCKETWATCH_HTTP": $0] } ?? [:])
    #expect(settings == AdminSettings(host: host, port: port, token: Self.made))
  }

  @Test("off disables it, whatever else is set")
  func off() async throws {
    #expect(try await read(["POCKETWATCH_HTTP": "off"]) == nil)
    #expect(try await read(["POCKETWATCH_HTTP": "off", "POCKETWATCH_HTTP_WRITE": "on"]) == nil)
  }

  @Test("a token allows other machines; its file may end with a line feed")
  func token() async throws {
    let settings = try await read(["POCKETWATCH_HTTP": "0.0.0.0:80"], tokenFile: Self.token + "\n")
    #expect(settings?.host == "0.0.0.0" && settings?.port == 80 && settings?.token.isMade == false)
    guard case .file(let file) = settings?.token else { throw ConfigurationError("", "no file") }
    #expect(!FileManager.default.fileExists(atPath: file.path), "the test has removed it")
  }

  @Test("on loopback the service creates a token next to its database, also if changes are allowed")
  func made() async throws {
    #expect(
      try await read(["POCKETWATCH_HTTP_WRITE": "on"]) == AdminSettings(token: Self.made, allowsChanges: true))
    #expect(!FileManager.default.fileExists(atPath: "/data/p.sqlite.token"), "reading settings makes nothing")
  }

  @Test("the origin of a proxy")
  func origin() async throws {
    let settings = try await read(["POCKETWATCH_HTTP_ORIGIN": "https://PW.example:443"])
    #expect(settings?.origin?.description == "https://pw.example")
  }

  @Test(
    "what cannot be is named",
    arguments: [
      (["POCKETWATCH_HTTP": "8472"], nil, "POCKETWATCH_HTTP "),
      (["POCKETWATCH_HTTP": ":8472"], nil, "POCKETWATCH_HTTP "),
      (["POCKETWATCH_HTTP": "::1:8472"], nil, "POCKETWATCH_HTTP "),
      (["POCKETWATCH_HTTP": "localhost:99999"], nil, "POCKETWATCH_HTTP "),
      (["POCKETWATCH_HTTP": "http://localhost:1"], nil, "POCKETWATCH_HTTP "),
      (["POCKETWATCH_HTTP": "0.0.0.0:8472"], nil, "POCKETWATCH_HTTP_TOKEN_FILE"),
      (["POCKETWATCH_HTTP": "[::]:8472"], nil, "POCKETWATCH_HTTP_TOKEN_FILE"),
      (["POCKETWATCH_HTTP": "example.com:8472"], nil, "POCKETWATCH_HTTP_TOKEN_FILE"),
      (["POCKETWATCH_HTTP_ORIGIN": "pw.example"], nil, "POCKETWATCH_HTTP_ORIGIN"),
      (["POCKETWATCH_HTTP_ORIGIN": "https://pw.example/path"], nil, "POCKETWATCH_HTTP_ORIGIN"),
      (["POCKETWATCH_HTTP_WRITE": "yes"], nil, "POCKETWATCH_HTTP_WRITE"),
      ([:], "short", "POCKETWATCH_HTTP_TOKEN_FILE"), ([:], "two tokens of some length", "POCKETWATCH_HTTP_TOKEN_FILE"),
      (["POCKETWATCH_HTTP_TOKEN_FILE": "/nowhere"], nil, "/nowhere"),
    ] as [([String: String], String?, String)])
  func wrong(environment: [String: String], tokenFile: String?, name: String) async {
    await #expect {
      try await read(environment, tokenFile: tokenFile)
    } throws: {
      $0 is ConfigurationError && "\($0)".contains(name) && !"\($0)".contains("two tokens")
    }
  }
}
