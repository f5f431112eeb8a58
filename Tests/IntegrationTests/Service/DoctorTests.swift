import AMQP
import Foundation
import GRDB
import PocketwatchService
import Scheduling
import Testing

/// `pocketwatch doctor` on set-ups with a single fault each: it has to find that one and no other.
@Suite(
  "The doctor", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct DoctorTests {
  @Test("each missing right is granted by the command that it prints")
  func rights() async throws {
    try await DoctoredBroker.running { broker in
      let seen = broker.seen
      try await seen.findsNothing()
      var wrong = seen
      wrong.environment["POCKETWATCH_AMQP_URL"] = "amqp://127.0.0.1:1"
      try await wrong.finds("error", "broker", "cannot be reached")

      let write = #"^(events|pocketwatch\.(dead|replies))$"#
      try await broker.ctl("set_permissions", "pocketwatch", "^$", "^other$", #"^pocketwatch\.commands$"#)
      for complaint in try await seen.complaints().prefix(1) {
        #expect(complaint.part == "rights" && complaint.level == "error", "\(complaint)")
        try await broker.fix(complaint.remedy ?? "")
      }
      try await seen.findsNothing()
      try await broker.ctl("set_permissions", "pocketwatch", "^$", write, "^$")
      for complaint in try await seen.complaints().prefix(1) {
        #expect(complaint.words.contains("pocketwatch.commands") && complaint.level == "error", "\(complaint)")
        try await broker.fix(complaint.remedy ?? "")
      }
      try await seen.findsNothing()
      let rights: [(right: String, granted: [EventName])] = [
        ("^Schedule (Tick|Started)$", [.tick, .started]), ("^Schedule (Start|Stop)", [.started, .stopped]),
        ("^Schedule Start$", []),
      ]
      for (right, granted) in rights {
        let missing = EventName.published.filter { !granted.contains($0) }.map(\.rawValue).joined(separator: ", ")
        try await broker.ctl("set_topic_permissions", "pocketwatch", "events", right, "^$")
        try await broker.fix(seen.finds("error", "rights", "may not publish \(missing) to"))
        try await seen.findsNothing()
      }
    }
  }

  @Test("each exchange of the list of targets exists, and the login may write to it")
  func targets() async throws {
    try await DoctoredBroker.running { broker in
      var seen = broker.seen
      seen.environment["POCKETWATCH_TARGETS"] =
        #"[{"user": "*", "exchange": "alarms", "routingKey": ".*"}, {"user": "a", "exchange": "events", "routingKey": "A"}]"#
      _ = try await seen.finds("error", "topology", "the exchange alarms, which targets lists")
      let url = try BrokerURL(try await broker.administratorURL())
      let connection = try Connection(to: url, options: ConnectionOptions(brokers: [url], connectionName: "test"))
      defer { connection.close() }
      try connection.declareExchange("alarms", type: "topic")
      try await broker.fix(seen.finds("error", "rights", "may not publish to alarms"))
      try await seen.findsNothing()
    }
  }

  @Test("the login of a client is recognised, and keeps its rights")
  func client() async throws {
    try await DoctoredBroker.running { broker in
      var seen = broker.seen
      seen.environment["POCKETWATCH_AMQP_URL"] = try await broker.url(of: "client")
      let remedy = try await seen.finds("error", "rights", "the login of a client")
      #expect(!remedy.contains("rabbitmqctl") && remedy.contains("POCKETWATCH_AMQP_URL"))
    }
  }

  @Test("a password is set by the command that it prints, without exposing it")
  func password() async throws {
    try await DoctoredBroker.running { broker in
      let other = #"the "other" ü"#
      var seen = broker.seen
      seen.environment["POCKETWATCH_AMQP_URL"] = try await broker.url(of: "pocketwatch", other)
      let remedy = try await seen.finds("error", "broker", "refuses the login")
      #expect(remedy.contains("rabbitmqctl import_definitions FILE"))
      let definitions = try #require(remedy.firstMatch(of: /\{"users".*\]\}/)?.output)
      let quoted = #"the \"other\" ü"#
      let file = broker.broker.folder.appending(path: "FILE")
      try Data(definitions.replacing("…", with: quoted).utf8).write(to: file)
      try await broker.fix("rabbitmqctl import_definitions FILE")
      try await seen.findsNothingSoon()
    }
  }

  @Test("exchanges, queues, bindings and policies that are missing or different")
  func topology() async throws {
    try await DoctoredBroker.running { broker in
      let seen = broker.seen
      let url = try BrokerURL(try await broker.administratorURL())
      let admin = try Connection(to: url, options: ConnectionOptions(brokers: [url], connectionName: "doctor test"))
      defer { admin.close() }
      var everything = seen  // with the right to declare and without management
      everything.environment["POCKETWATCH_AMQP_URL"] = try await broker.administratorURL()
      everything.options = []
      try await everything.findsNothing()

      try await broker.ctl("clear_policy", "pocketwatch.commands")
      let unlimited = try await seen.finds("warning", "policies", "limits the length of pocketwatch.commands")
      try await everything.findsNothing()
      try await broker.fix(unlimited)
      try await seen.findsNothing()
      try admin.bindQueue("pocketwatch.commands", to: "events", routingKey: "#")
      try await seen.finds("warning", "topology", "also bound to events with '#'")
      try admin.deleteQueue("pocketwatch.commands")
      try await broker.fix(seen.finds("error", "topology", "missing on the broker: the queue pocketwatch.commands"))
      try await seen.findsNothingSoon()

      try recreate(on: admin, ["x-queue-type": "quorum", "x-single-active-consumer": true])
      let found = try await seen.complaints().filter { $0.part == "topology" }
      let words = "x-dead-letter-exchange is missing, not pocketwatch.dead"
      let different = try #require(found.first { $0.words.contains(words) })
      let bound = found.filter { $0.words.contains("is not bound to events with Schedule ") }
      let commands = TopologyNames.commandKeys.count
      #expect(found.count == 1 + commands && bound.count == commands, "the bindings went with the old queue: \(found)")
      try await everything.finds("error", "topology", "inequivalent arg 'x-dead-letter-exchange'")
      try await broker.fix(try #require(different.remedy))
      try await seen.findsNothingSoon()
      try recreate(on: admin, [:])
      let classic = try await everything.complaints()
      #expect(
        classic.count == 2 && classic.last?.words.contains("not a quorum queue with a single active") == true,
        "\(classic)")
      try await broker.fix(classic.last?.remedy ?? "")
      try await seen.findsNothingSoon()
      let queues = try await broker.broker.ctl("list_queues", "-p", "/", "name")
      #expect(
        String(decoding: queues, as: UTF8.self).contains("pocketwatch.commands"), "the other virtual host's is kept")
    }
  }

  private func recreate(on admin: Connection, _ arguments: AMQP.Table) throws {
    try admin.deleteQueue("pocketwatch.commands")
    try admin.declareQueue("pocketwatch.commands", arguments: arguments)
  }

  @Test("a running service is not disturbed, and is distinguished from one elsewhere")
  func running() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      try await bus.start(#""id": "a", "every": "1s""#)
      var seen = DoctorRun(environment: service.environment)
      seen.environment["POCKETWATCH_HTTP"] = try await service.httpAddress()
      for _ in 0..<3 { try await seen.findsNothing() }
      var other = seen
      other.environment["POCKETWATCH_DATABASE"] = service.folder.appending(path: "other.sqlite").path()
      try await other.finds("warning", "service", "uses another database")
      other.environment["POCKETWATCH_HTTP"] = "off"
      try await other.finds("warning", "topology", "has a consumer that is not a service with this database")
      try await bus.settle()
      let known = ["Schedule Started", "Schedule Tick"]
      let strangers = bus.events.all.filter { !known.contains($0.name) }
      #expect(strangers.isEmpty)
      #expect(try await service.stop() == 0)
      try await seen.findsNothingSoon()
      #expect(try service.databaseComplaints() == [])
    }
  }

  @Test("databases that cannot be used")
  func databases() async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = DoctorRun(environment: service.environment)
    // The shared broker has the names of definitions.json.
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    try await seen.findsNothing()
    let file = URL(filePath: service.database)
    try Data(repeating: 0x61, count: 9_000).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
    try await seen.finds("error", "database", "is not an SQLite database")
    try FileManager.default.removeItem(at: file)
    let foreign = try DatabaseQueue(path: file.path())
    try await foreign.write { try $0.execute(sql: "CREATE TABLE player (name TEXT)") }
    try foreign.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
    try await seen.finds("error", "database", "is a database of another application")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path())
    #expect(try await seen.complaints().count == 2, "and its permissions")
    seen.environment["POCKETWATCH_DATABASE"] = "/nowhere/pocketwatch.sqlite"
    try await seen.finds("error", "database", "the folder /nowhere")
    await service.dispose()
  }

  @Test("a disk that cannot be written", .enabled(if: SmallDisk.canBeMade, SmallDisk.needsRoot))
  func readOnly() async throws {
    let disk = try SmallDisk(megabytes: 64)
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = DoctorRun(environment: service.environment)
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    seen.environment["POCKETWATCH_DATABASE"] = disk.folder.appending(path: "p.sqlite").path()
    try await seen.finds("warning", "database", "is on tmpfs, in memory")
    try disk.set(isReadOnly: true)
    let words = try await seen.complaints().map(\.words)
    #expect(words.count == 2 && words.first?.contains("cannot be written: Read-only file system") == true, "\(words)")
    await service.dispose()
  }

  @Test("over https, the certificate of the management API is verified")
  func managementOverTLS() async throws {
    let (good, other) = (try await TestCertificates.make(), try await TestCertificates.make())
    defer { [good, other].forEach { $0.remove() } }
    try await DoctoredBroker.running { broker in
      let port = try #require(try await broker.broker.url().port) + 1
      let folder = good.folder.path()
      let settings = [
        "ip = 127.0.0.1", "port = \(port)", "cacertfile = \(folder)/ca.pem", "certfile = \(folder)/cert.pem",
        "keyfile = \(folder)/key.pem",
      ]
      try Data(settings.map { "management.ssl.\($0)\n" }.joined().utf8).write(to: broker.configuration)
      try await broker.broker.command("restart")
      let user = broker.administrator.user ?? ""
      func seen(_ address: String, ca: String? = good.ca) -> DoctorRun {
        var seen = broker.seen
        seen.environment["POCKETWATCH_AMQP_CA_FILE"] = ca
        seen.options = ["--management", address]
        return seen
      }
      let address = "https://\(user)@localhost:\(port)"
      try await seen(address).findsNothingSoon()
      for ca in [other.ca, nil] {
        try await seen(address, ca: ca).finds("error", "policies", "not signed by a trusted CA")
      }
      try await seen("https://\(user)@127.0.0.1:\(port)").finds("error", "policies", "is for another host")
      let withoutTLS = "https://\(user)@localhost:\(broker.administrator.port ?? 0)"
      try await seen(withoutTLS).finds("error", "policies", "does not use TLS")
      try await seen("http://\(user)@localhost:\(port)").finds("error", "policies", "http://localhost:\(port): ")
    }
  }

  @Test("wrong settings are reported, and the rest is checked all the same")
  func settings() async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    var seen = DoctorRun(environment: service.environment)
    (seen.environment["POCKETWATCH_STACK"], seen.environment["POCKETWATCH_EVENT_BUS"]) = (nil, nil)
    seen.environment["POCKETWATCH_PUBLISH_WINDOW"] = "0"
    try await seen.finds("error", "configuration", "POCKETWATCH_PUBLISH_WINDOW")
    seen.environment["POCKETWATCH_PUBLISH_WINDOW"] = nil
    seen.environment["POCKETWATCH_HTTP"] = "0.0.0.0:8472"
    try await seen.finds("error", "configuration", "POCKETWATCH_HTTP_TOKEN_FILE")
    for address in ["ftp://h:1", "https://u:secret@localhost:1", "h:1", "http://10.0.0.1:1", "http://h:1"] {
      let refused = try await Program.run(TestEnvironment.binary, ["doctor", "--management", address])
      #expect(refused.code == 64 && refused.complaint.contains("--management"), "\(refused)")
    }
    let password = service.folder.appending(path: "password")
    try Data("not our broker's\n".utf8).write(to: password)
    seen.environment["POCKETWATCH_HTTP"] = nil
    seen.options = ["--management", "http://pocketwatch.invalid:1", "--management-password-file", password.path()]
    try await seen.finds("error", "policies", "http://pocketwatch.invalid:1: ")
    await service.dispose()
  }
}
