import AMQP
import Foundation
import PocketwatchService
import Testing

/// A run of `pocketwatch doctor`: settings, and options besides `--json`.
struct DoctorRun {
  struct Finding: Decodable, Sendable {
    var part, level, words: String
    var remedy: String?
  }

  var environment: [String: String]
  var options: [String] = []

  /// All warnings and errors but those of the clock, since this machine's may not be synchronised, and its broker may be slow
  /// to tell the time.
  func complaints() async throws -> [Finding] {
    let (code, output, complaint) = try await Program.run(
      TestEnvironment.binary, ["doctor", "--json"] + options, environment: environment)
    let all = try output.split(separator: "\n").map { try JSONDecoder().decode(Finding.self, from: Data($0.utf8)) }
    let levels = all.map(\.level)
    let worst: Int32 = levels.contains("error") ? 2 : levels.contains("warning") ? 1 : 0
    #expect(code == worst && complaint.isEmpty && !all.isEmpty, "\(code) \(complaint)")
    let mute = all.filter { $0.level != "ok" && ($0.remedy ?? "").isEmpty }
    #expect(mute.isEmpty, "each has a remedy")
    return all.filter { $0.level != "ok" && $0.part != "clock" }
  }

  /// Expects a single warning or error, and returns its remedy.
  @discardableResult
  func finds(
    _ level: String, _ part: String, _ words: String, location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let found = try await complaints()
    let isIt = found.count == 1 && found[0].level == level && found[0].part == part && found[0].words.contains(words)
    #expect(isIt, "\(found)", sourceLocation: location)
    return found.first?.remedy ?? ""
  }

  func findsNothing(location: SourceLocation = #_sourceLocation) async throws {
    let found = try await complaints()
    #expect(found.isEmpty, "\(found)", sourceLocation: location)
  }

  /// As above, once the broker has applied its last change.
  func findsNothingSoon(location: SourceLocation = #_sourceLocation) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      if try await complaints().isEmpty { return }
    }
    try await findsNothing(location: location)
  }
}

/// A broker with definitions.json and users.json, and the doctor as the service's user.
struct DoctoredBroker {
  static let password = "correct-horse"
  /// With a blank, so that remedies have to quote it.
  static let virtualHost = "a b"

  let broker: PrivateBroker
  let administrator: URLComponents
  /// As the service's user, with management.
  let seen: DoctorRun
  /// A part of rabbitmq.conf that the broker reads at each start.
  let configuration: URL

  /// - Parameter change: What to change in the definitions before they are imported.
  static func running(
    _ configuration: String = "", definitions change: (String) throws -> String = { $0 },
    _ body: (DoctoredBroker) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "more.conf")
    try Data(configuration.utf8).write(to: file)
    try await PrivateBroker.running(["--plugins", "management", "--config", file.path()]) { broker in
      let names = [broker.folder.appending(path: "definitions.json"), broker.folder.appending(path: "users.json")]
      let definitions = try await Program.run(TestEnvironment.binary, ["definitions", "--vhost", virtualHost]).output
      let users = try String(contentsOf: PrivateBroker.root.appending(path: "ops/users.json"), encoding: .utf8)
      for (name, text) in zip(
        names, [try change(definitions), users.replacing(#""vhost": "/""#, with: #""vhost": "a b""#)])
      {
        try Data(text.utf8).write(to: name)
        try await broker.command("import", [name.path()])
      }
      try await broker.command("import", [PrivateBroker.root.appending(path: "definitions.json").path()])
      for user in ["pocketwatch", "client"] { try await broker.ctl("change_password", user, password) }
      let administrator = try await broker.url("management")
      try await broker.ctl("set_permissions", "-p", virtualHost, administrator.user ?? "", ".*", ".*", ".*")
      let environment = [
        "POCKETWATCH_AMQP_URL": try await url(of: "pocketwatch", password, broker), "POCKETWATCH_HTTP": "off",
        "POCKETWATCH_DATABASE": folder.appending(path: "pocketwatch.sqlite").path(),
        "POCKETWATCH_MANAGEMENT_PASSWORD": administrator.password ?? "",
      ]
      let management = "http://\(administrator.user ?? "")@127.0.0.1:\(administrator.port ?? 0)"
      try await body(
        DoctoredBroker(
          broker: broker, administrator: administrator,
          seen: DoctorRun(environment: environment, options: ["--management", management]), configuration: file))
    }
  }

  private static func url(of user: String, _ password: String, _ broker: PrivateBroker) async throws -> String {
    var url = try await broker.url()
    (url.user, url.password, url.path) = (user, password, "/" + virtualHost)
    return url.string ?? ""
  }

  func url(of user: String, _ password: String = password) async throws -> String {
    try await Self.url(of: user, password, broker)
  }

  /// The URL of an administrator.
  func administratorURL() async throws -> String {
    try await url(of: administrator.user ?? "", administrator.password ?? "")
  }

  func ctl(_ command: String, _ arguments: String...) async throws {
    try await broker.ctl([command, "-p", Self.virtualHost] + arguments)
  }

  /// Runs a remedy as printed, with this test's broker and program.
  func fix(_ remedy: String) async throws {
    let script = #"rabbitmqctl() { "$SCRIPT" ctl "$DIR" --quiet "$@"; }; pocketwatch() { "$BINARY" "$@"; }"#
    let values = ["SCRIPT": PrivateBroker.script ?? "", "DIR": broker.folder.path(), "BINARY": TestEnvironment.binary]
    let settings = values.map { "\($0.key)='\($0.value)'" }.joined(separator: "; ")
    // File names are relative to the broker's folder.
    _ = try await PrivateBroker.run(
      "/bin/bash", ["-c", "set -e; \(settings); cd \"$DIR\"; \(script)\n\(remedy)"])
  }
}
