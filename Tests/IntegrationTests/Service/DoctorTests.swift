import AMQP
import Foundation
import GRDB
import Testing

/// `pocketwatch doctor` on a set-up that is broken in one way after another: it has to find that, and that alone.
@Suite(
  "The doctor", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct DoctorTests {
  private struct Finding: Decodable, Sendable {
    var part, level, words: String
    var remedy: String?
  }

  /// What the doctor sees: settings, and options beside `--json`.
  private struct Surroundings {
    var environment: [String: String]
    var options: [String] = []

    /// All that is not well. Whether anybody keeps this machine's clock right is not the test's to say.
    func complaints() async throws -> [Finding] {
      let (code, output, complaint) = try await Program.run(
        TestEnvironment.binary, ["doctor", "--json"] + options, environment: environment)
      let all = try output.split(separator: "\n").map { try JSONDecoder().decode(Finding.self, from: Data($0.utf8)) }
      let levels = all.map(\.level)
      let worst: Int32 = levels.contains("error") ? 2 : levels.contains("warning") ? 1 : 0
      #expect(code == worst && complaint.isEmpty && !all.isEmpty, "\(code) \(complaint)")
      let mute = all.filter { $0.level != "ok" && ($0.remedy ?? "").isEmpty }
      #expect(mute.isEmpty, "each says how to mend it")
      return all.filter { $0.level != "ok" && !($0.part == "clock" && $0.words.contains("kernel")) }
    }

    /// Expects just one complaint, and returns its remedy.
    @discardableResult
    func finds(
      _ level: String, _ part: String, _ words: String, location: SourceLocation = #_sourceLocation
    ) async throws -> String {
      let found = try await complaints()
      let isIt = found.count == 1 && found[0].level == level && found[0].part == part && found[0].words.contains(words)
      #expect(isIt, "\(found)", sourceLocation: location)
      return found.first?.remedy ?? ""
    }

    /// Waits until there is something to complain of, or nothing any more.
    func waitForComplaint(none: Bool = false) async throws {
      let end = ContinuousClock.now + .seconds(120)
      while case let found = try await complaints(), found.isEmpty != none {
        guard ContinuousClock.now < end else { throw Unexpected("the doctor still finds \(found)") }
      }
    }

    func findsNothing(location: SourceLocation = #_sourceLocation) async throws {
      let found = try await complaints()
      #expect(found.isEmpty, "\(found)", sourceLocation: location)
    }
  }

  private static let password = "correct-horse"

  /// Runs `body` with a broker as definitions.json and users.json make it, and what the service's user sees of it.
  private func withBroker(_ body: (PrivateBroker, Surroundings) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await PrivateBroker.running(["--plugins", "management"]) { broker in
      for file in ["definitions.json", "ops/users.json"] {
        try await broker.command("import", [PrivateBroker.root.appending(path: file).path()])
      }
      try await broker.ctl("change_password", "pocketwatch", Self.password)
      let administrator = try await broker.url("management")
      var url = try await broker.url()
      (url.user, url.password) = ("pocketwatch", Self.password)
      let environment = [
        "POCKETWATCH_AMQP_URL": url.string ?? "", "POCKETWATCH_HTTP": "127.0.0.1:1",
        "POCKETWATCH_DATABASE": folder.appending(path: "pocketwatch.sqlite").path(),
        "POCKETWATCH_MANAGEMENT_PASSWORD": administrator.password ?? "",
      ]
      let management = "http://\(administrator.user ?? "")@127.0.0.1:\(administrator.port ?? 0)"
      try await body(broker, Surroundings(environment: environment, options: ["--management", management]))
    }
  }

  /// Runs a remedy as it is printed, with this test's broker.
  private func mend(_ remedy: String, _ broker: PrivateBroker) async throws {
    let script = #"rabbitmqctl() { "$1" ctl "$2" --quiet "${@:3}"; }"#
    let bash = script.replacing("$1", with: PrivateBroker.script ?? "").replacing("$2", with: broker.folder.path())
      .replacing("${@:3}", with: "$@")
    _ = try await PrivateBroker.run("/bin/bash", ["-c", "set -e; \(bash); \(remedy)"])
  }

  @Test("rights, one after the other, are given back by the command that it names")
  func rights() async throws {
    try await withBroker { broker, seen in
      try await seen.findsNothing()
      var wrong = seen
      wrong.environment["POCKETWATCH_AMQP_URL"]?.replace(Self.password, with: "wrong")
      try await wrong.finds("error", "broker", "refuses the login")
      wrong.environment["POCKETWATCH_AMQP_URL"] = "amqp://127.0.0.1:1"
      try await wrong.finds("error", "broker", "cannot be reached")

      let write = #"^(events|pocketwatch\.dead)$"#
      try await broker.ctl("set_permissions", "pocketwatch", "^$", "^other$", #"^pocketwatch\.commands$"#)
      try await mend(seen.finds("error", "rights", "may not publish Schedule Tick, Schedule Started"), broker)
      try await seen.findsNothing()
      try await broker.ctl("set_permissions", "pocketwatch", "^$", write, "^$")
      try await mend(seen.finds("error", "rights", "may not consume pocketwatch.commands"), broker)
      try await seen.findsNothing()
      try await broker.ctl("set_topic_permissions", "pocketwatch", "events", "^Schedule (Tick|Started)$", "^$")
      try await mend(seen.finds("error", "rights", "may not publish Schedule Stopped, Schedule Rejected to"), broker)
      try await seen.findsNothing()
    }
  }

  @Test("exchanges, queues, bindings and policies that are missing or otherwise")
  func topology() async throws {
    try await withBroker { broker, seen in
      let url = try BrokerURL(try await broker.url().string ?? "")
      let admin = try Connection(to: url, options: ConnectionOptions(brokers: [url], connectionName: "doctor test"))
      defer { admin.close() }
      var everything = seen  // with the right to declare, and without management
      everything.environment["POCKETWATCH_AMQP_URL"] = try await broker.url().string
      everything.options = []
      try await everything.findsNothing()

      try await broker.ctl("clear_policy", "pocketwatch.commands")
      try await seen.waitForComplaint()  // the management learns of policies every few seconds
      try await seen.finds("warning", "policies", "limits the length of pocketwatch.commands")
      try await everything.findsNothing()
      try await restore(broker)
      try await seen.waitForComplaint(none: true)
      try admin.bindQueue("pocketwatch.commands", to: "events", routingKey: "#")
      try await seen.finds("warning", "topology", "bound to events with '#' too")
      try recreate(on: admin, "pocketwatch.commands")
      try await seen.finds("error", "topology", "missing on the broker: the queue pocketwatch.commands")
      try await restore(broker)
      try await seen.findsNothing()

      try recreate(on: admin, "pocketwatch.commands", ["x-queue-type": "quorum", "x-single-active-consumer": true])
      let found = try await seen.complaints().filter { $0.part == "topology" }
      #expect(
        found.first?.words.contains("x-dead-letter-exchange is missing, not pocketwatch.dead") == true, "\(found)")
      let bound = found.filter { $0.words.contains("is not bound to events with Schedule St") }
      #expect(found.count == 3 && bound.count == 2, "the bindings went with the old queue: \(found)")
      try await everything.finds("error", "topology", "inequivalent arg 'x-dead-letter-exchange'")
      try recreate(on: admin, "pocketwatch.commands", [:])
      let classic = try await everything.complaints().map(\.words)
      #expect(
        classic.count == 2 && classic.last?.contains("no quorum queue with a single active") == true, "\(classic)")
    }
  }

  private func recreate(on admin: Connection, _ queue: String, _ arguments: AMQP.Table? = nil) throws {
    try admin.deleteQueue(queue)
    if let arguments { try admin.declareQueue(queue, arguments: arguments) }
  }

  private func restore(_ broker: PrivateBroker) async throws {
    try await broker.command("import", [PrivateBroker.root.appending(path: "definitions.json").path()])
  }

  @Test("a service that runs is not disturbed, and is told from one elsewhere")
  func running() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      try await bus.start(#""id": "a", "every": "1s""#)
      var seen = Surroundings(environment: service.environment)
      seen.environment["POCKETWATCH_HTTP"] = try service.httpAddress()
      for _ in 0..<3 { try await seen.findsNothing() }
      var other = seen
      other.environment["POCKETWATCH_DATABASE"] = service.folder.appending(path: "other.sqlite").path()
      try await other.finds("warning", "service", "works on another database")
      other.environment["POCKETWATCH_HTTP"] = "off"
      try await other.finds("warning", "topology", "is consumed, and not by a service with this database")
      try await bus.settle()
      let known = ["Schedule Started", "Schedule Tick"]
      let strangers = bus.events.all.filter { !known.contains($0.name) }
      #expect(strangers.isEmpty)
      #expect(try await service.stop() == 0)
      try await seen.findsNothing()
      #expect(try service.databaseComplaints() == [])
    }
  }

  @Test("databases that cannot be used")
  func databases() async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = Surroundings(environment: service.environment)
    // The names of definitions.json, which the shared broker has.
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    try await seen.findsNothing()
    let file = URL(filePath: service.database)
    try Data(repeating: 0x61, count: 9_000).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
    try await seen.finds("error", "database", "is no SQLite database")
    try FileManager.default.removeItem(at: file)
    let foreign = try DatabaseQueue(path: file.path())
    try await foreign.write { try $0.execute(sql: "CREATE TABLE player (name TEXT)") }
    try foreign.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
    try await seen.finds("error", "database", "is a database of another application")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path())
    #expect(try await seen.complaints().count == 2, "and open to others")
    seen.environment["POCKETWATCH_DATABASE"] = "/nowhere/pocketwatch.sqlite"
    try await seen.finds("error", "database", "the folder /nowhere")
    await service.dispose()
  }

  @Test("a disk that cannot be written", .enabled(if: SmallDisk.canBeMade, SmallDisk.needsRoot))
  func readOnly() async throws {
    let disk = try SmallDisk(megabytes: 64)
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = Surroundings(environment: service.environment)
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    seen.environment["POCKETWATCH_DATABASE"] = disk.folder.appending(path: "p.sqlite").path()
    try await seen.finds("warning", "database", "is on tmpfs, in memory")
    try disk.set(isReadOnly: true)
    let words = try await seen.complaints().map(\.words)
    #expect(words.count == 2 && words.first?.contains("cannot be written: Read-only file system") == true, "\(words)")
    await service.dispose()
  }

  @Test("settings that are wrong are told, and the rest is looked at all the same")
  func settings() async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = Surroundings(environment: service.environment)
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    seen.environment["POCKETWATCH_PUBLISH_WINDOW"] = "0"
    try await seen.finds("error", "configuration", "POCKETWATCH_PUBLISH_WINDOW")
    seen.environment["POCKETWATCH_PUBLISH_WINDOW"] = nil
    seen.environment["POCKETWATCH_HTTP"] = "0.0.0.0:8472"
    try await seen.finds("error", "configuration", "POCKETWATCH_HTTP_TOKEN_FILE")
    for address in ["https://h:1", "http://u:secret@h:1", "h:1"] {
      let refused = try await Program.run(TestEnvironment.binary, ["doctor", "--management", address])
      #expect(refused.code == 64 && refused.complaint.contains("--management"), "\(refused)")
    }
    await service.dispose()
  }
}
