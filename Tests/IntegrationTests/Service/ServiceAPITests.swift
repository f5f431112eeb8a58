import Foundation
import Scheduling
import Testing

/// Answers of the real service under `/api/v1`, validated against ops/openapi.yaml.
@Suite(
  "The service: API", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: OpenAPICheck.isThere, OpenAPICheck.isNeeded))
struct ServiceAPITests {
  @Test("every answer matches the description, and every path of it is answered")
  func answers() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      try await bus.start(
        #""id": "a/b", "cron": "30 2 * * *", "timezone": "Europe/Rome", "jitter": "10s", "limit": 9, "#
          + #""misfirePolicy": "skip", "catchupWindow": "1h", "ifExists": "keep", "startDate": "2026-01-01T00:00:00Z", "#
          + #""endDate": "2099-01-01T00:00:00Z", "payload": {"x": 1}"#)
      try await bus.start(#""id": "beat", "every": "1s", "limit": 2"#)
      try await bus.start(#""id": "once", "duration": "1h""#)
      try await bus.start(#""id": "then", "at": "2099-01-01T00:00:00Z""#)
      try await bus.start(
        #""id": "quiet", "every": "1h", "paused": true, "group": "g & é", "tags": ["x"], "description": "why""#)
      try await bus.command(.pause, #""id": "quiet", "for": "2h", "reason": "night""#)
      _ = try await bus.next("Schedule Paused")
      try await bus.command(.resume, #""id": "once""#)
      try await bus.command(.trigger, #""id": "once""#, messageID: "trigger")
      try await bus.command(.update, #""id": "once", "description": "soon""#)
      _ = try await bus.next("Schedule Updated")
      try await bus.start(#""id": "bad", "cron": "61 * * * *""#)
      _ = try await bus.next("Schedule Rejected")
      _ = try await bus.next("Schedule Stopped", of: "beat")
      let check = try await OpenAPICheck(service)
      for (template, path) in Self.questions {
        try await check.ask("GET", template, path)
      }
      let next = try await check.ask("GET", "/api/v1/schedules", "/api/v1/schedules?limit=1")
      let link = try #require(next.firstMatch(of: /"nextLink":"([^"]+)"/)).output.1
      #expect(try await check.ask("GET", "/api/v1/schedules", String(link)).contains(#""id":"beat""#))
      for filter in ["state=paused", "group=g+%26+%C3%A9", "tag=x"] {
        let body = try await check.ask("GET", "/api/v1/schedules", "/api/v1/schedules?\(filter)")
        #expect(body.matches(of: /"id":/).count == 1 && body.contains(#""id":"quiet""#), "\(filter): \(body)")
      }
      try await check.ask("POST", "/api/v1/page-link", "/api/v1/page-link")
      for path in check.paths where path.hasPrefix("/api/") && !path.contains("{") {
        let method = ["backup", "page-link"].contains { path.hasSuffix($0) } ? "POST" : "GET"
        try await check.ask(method, path, path, isAuthorized: false)
      }
      try await check.judge()
      #expect(check.asked.isSuperset(of: check.paths.subtracting(["/api/v1/events"])))
      #expect(try await service.stop() == 0)
    }
  }

  /// Each path template with a path to request.
  private static let questions = [
    ("/healthz", "/healthz"), ("/readyz", "/readyz"), ("/metrics", "/metrics"),
    ("/api/v1/overview", "/api/v1/overview"), ("/api/v1/overview", "/api/v1/overview?x=1"),
    ("/api/v1/schedules", "/api/v1/schedules"), ("/api/v1/schedules", "/api/v1/schedules?state=ended"),
    ("/api/v1/schedules", "/api/v1/schedules?limit=0"), ("/api/v1/schedules/{id}", "/api/v1/schedules/a%2Fb"),
    ("/api/v1/schedules/{id}", "/api/v1/schedules/beat"), ("/api/v1/schedules/{id}", "/api/v1/schedules/none"),
    ("/api/v1/schedules/{id}", "/api/v1/schedules/%00"), ("/api/v1/schedule", "/api/v1/schedule?id=once"),
    ("/api/v1/schedule", "/api/v1/schedule?id=then"), ("/api/v1/schedule", "/api/v1/schedule?id=quiet"),
    ("/api/v1/schedule", "/api/v1/schedule?id=none"),
    ("/api/v1/recent", "/api/v1/recent"), ("/api/v1/recent", "/api/v1/recent?after=x"),
    ("/api/v1/preview", "/api/v1/preview?expression=30+2+*+*+*&timezone=Europe/Rome"),
    ("/api/v1/preview", "/api/v1/preview?expression=x"),
  ]
}

/// Answers of a service, stored for `ops/check-openapi`.
final class OpenAPICheck {
  static let isThere = Python.has("jsonschema, yaml")
  static let isNeeded: Comment = "the description is checked with: apt-get install python3-jsonschema python3-yaml"

  private static let root = PrivateBroker.root
  private let address: String
  private let authorization: String
  private let folder: URL
  private var count = 0
  /// The path templates that were requested.
  private(set) var asked: Set<String> = []
  /// The path templates of the description.
  let paths: Set<String>

  init(_ service: ServiceProcess) async throws {
    address = "http://" + (try await service.httpAddress())
    authorization = try service.authorization()
    folder = service.folder.appending(path: "answers")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let text = try String(contentsOf: Self.root.appending(path: "ops/openapi.yaml"), encoding: .utf8)
    paths = Set(text.matches(of: /\n  (\/[^\n:]*):/).map { String($0.output.1) })
  }

  /// Sends a request, stores the answer, and returns its body.
  @discardableResult
  func ask(_ method: String, _ template: String, _ path: String, isAuthorized: Bool = true) async throws -> String {
    let header = isAuthorized ? authorization : "X-None: x"
    let file = folder.appending(path: "body").path()
    let status = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--max-time", "50", "--retry", "5", "--request", method, "--header", header, "--output", file,
        "--write-out", "%{http_code}", address + path,
      ]
    ).output
    let body = try String(contentsOfFile: file, encoding: .utf8)
    try FileManager.default.removeItem(atPath: file)
    count += 1
    try Data("\(method) \(template) \(status)\n\(body)".utf8).write(to: folder.appending(path: "\(count)"))
    asked.insert(template)
    return body
  }

  /// Validates all answers.
  func judge() async throws {
    let answer = try await Python.run(Self.root.appending(path: "ops/check-openapi"), [folder.path()])
    #expect(answer.code == 0 && answer.output.contains("\(count) responses, 0 problems"), "\(answer)")
  }
}
