import AMQP
import Foundation
import Glibc
import PocketwatchService
import Testing

/// P22: exit codes, log, systemd, and that no secret is in any of them.
@Suite(
  "The service: exit codes, log, systemd", .serialized,
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceSurroundingsTests {
  /// An invalid setting, and what the message must contain.
  struct BadSetting: Sendable, CustomTestStringConvertible {
    var environment: [String: String?] = [:]
    var arguments: [String] = []
    /// Content of a --config file.
    var file: String?
    let mentions: [String]

    var testDescription: String { "\(environment) \(arguments) \(file ?? "")" }
  }

  private static let badSettings: [BadSetting] = [
    .init(environment: ["POCKETWATCH_AMQP_URL": nil], mentions: ["POCKETWATCH_AMQP_URL", "amqp.url", "missing"]),
    .init(environment: ["POCKETWATCH_AMQP_URL": "http://u:secret@h"], mentions: ["POCKETWATCH_AMQP_URL"]),
    .init(
      environment: ["POCKETWATCH_AMQP_URL": "amqp://u:secret@h/?heartbeat=1"],
      mentions: ["POCKETWATCH_AMQP_URL", "heartbeat"]),
    .init(
      environment: ["POCKETWATCH_AMQP_URL": "amqp://u:secret@h amqp://u:secret@h:x"],
      mentions: ["POCKETWATCH_AMQP_URL", "port"]),
    .init(
      environment: ["POCKETWATCH_AMQP_URL_FILE": "/nowhere"],
      mentions: ["POCKETWATCH_AMQP_URL_FILE", "POCKETWATCH_AMQP_URL"]),
    .init(
      environment: ["POCKETWATCH_AMQP_URL": nil, "POCKETWATCH_AMQP_URL_FILE": "/nowhere"],
      mentions: ["POCKETWATCH_AMQP_URL_FILE", "/nowhere"]),
    .init(
      environment: ["POCKETWATCH_AMQP_URL": "amqps://u:secret@h"], mentions: ["POCKETWATCH_AMQP_CA_FILE", "missing"]),
    .init(environment: ["POCKETWATCH_AMQP_CA_FILE": "/nowhere"], mentions: ["POCKETWATCH_AMQP_CA_FILE", "/nowhere"]),
    .init(arguments: ["--ca-file", "/nowhere"], mentions: ["POCKETWATCH_AMQP_CA_FILE", "/nowhere"]),
    .init(environment: ["POCKETWATCH_STACK": "No Good"], mentions: ["POCKETWATCH_STACK", "a-z"]),
    .init(arguments: ["--stack", "x.y"], mentions: ["POCKETWATCH_STACK", "a-z"]),
    .init(environment: ["POCKETWATCH_EVENT_BUS": "amq.topic"], mentions: ["POCKETWATCH_EVENT_BUS", "amq."]),
    .init(environment: ["POCKETWATCH_USER_ID": "maybe"], mentions: ["POCKETWATCH_USER_ID", "on or off"]),
    .init(environment: ["POCKETWATCH_MISFIRE_THRESHOLD": "soon"], mentions: ["POCKETWATCH_MISFIRE_THRESHOLD"]),
    .init(
      environment: ["POCKETWATCH_MISFIRE_THRESHOLD": "2d"], mentions: ["POCKETWATCH_MISFIRE_THRESHOLD", "1s to 1d"]),
    .init(environment: ["POCKETWATCH_PUBLISH_WINDOW": "0"], mentions: ["POCKETWATCH_PUBLISH_WINDOW", "1-4096"]),
    .init(environment: ["POCKETWATCH_PUBLISH_WINDOW": "many"], mentions: ["POCKETWATCH_PUBLISH_WINDOW", "1-4096"]),
    .init(environment: ["POCKETWATCH_LOG_LEVEL": "loud"], mentions: ["POCKETWATCH_LOG_LEVEL", "debug"]),
    .init(arguments: ["--log-format", "xml"], mentions: ["POCKETWATCH_LOG_FORMAT", "json"]),
    .init(environment: ["POCKETWATCH_STAK": "x"], mentions: ["POCKETWATCH_STAK", "unknown setting"]),
    .init(arguments: ["--config", "/nowhere"], mentions: ["/nowhere", "cannot be read"]),
    .init(file: "[]", mentions: ["JSON object"]),
    .init(file: #"{"amqp": {"ulr": "x"}}"#, mentions: ["amqp.ulr", "unknown setting"]),
    .init(file: #"{"publishWindow": 1.5}"#, mentions: ["publishWindow"]),
    .init(file: #"{"publishWindow": true}"#, mentions: ["publishWindow"]),
    .init(file: #"{"misfireThreshold": "1h", "publishWindow": 5000}"#, mentions: ["publishWindow", "1-4096"]),
  ]

  @Test("an invalid setting ends it with code 78 and the setting's name, without a secret", arguments: badSettings)
  func badSetting(_ bad: BadSetting) async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:secret@127.0.0.1:1")
    for (name, value) in bad.environment { service.environment[name] = value }
    service.arguments = bad.arguments
    if let file = bad.file {
      let path = service.folder.appending(path: "config.json")
      try Data(file.utf8).write(to: path)
      service.arguments += ["--config", path.path()]
    }
    try service.launch()
    let program = try #require(service.program)
    #expect(try await service.end() == 78)
    let complaint = program.complaints.all.joined(separator: "\n")
    for mention in bad.mentions { #expect(complaint.contains(mention), "\(complaint)") }
    #expect(!complaint.contains("secret"))
    #expect(!FileManager.default.fileExists(atPath: service.database), "nothing has started")
    await service.dispose()
  }

  @Test("options override the environment, which overrides the file; the URL may be in a file")
  func precedence() async throws {
    try await ServiceProcess.prepared { service, bus in
      let (url, config) = (service.folder.appending(path: "url"), service.folder.appending(path: "config.json"))
      try Data("\n \(TestEnvironment.brokerURL)\n".utf8).write(to: url)
      try Data(
        #"{"stack": "not-this", "eventBus": "nor-this", "amqp": {"urlFile": "\#(url.path())"}, "log": {"level": "debug"}}"#
          .utf8
      ).write(to: config)
      service.environment = [
        "POCKETWATCH_EVENT_BUS": service.names.eventBus, "POCKETWATCH_STACK": "not-this-either",
        "POCKETWATCH_DATABASE": service.database,
      ]
      service.arguments = ["--declare", "--config", config.path(), "--stack", service.names.stack]
      try await service.start()
      try await bus.start(#""id": "p", "duration": "1h""#)
      #expect(try await bus.next("Schedule Started").source == "com.\(service.names.stack)")
      try await service.logs("schedule started")
    }
  }

  @Test("no secret in log and command line; each line of the log is a JSON object")
  func secrets() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_LOG_LEVEL"] = "trace"
      try await service.start()
      try await bus.start(#""id": "line\n\u001b[31m", "duration": "1h""#)
      try await bus.start(#""id": "ok \u200b\u2028 \u202e", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick")
      let process = try #require(service.program).processID
      let commandLine = try String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
      let password = try BrokerURL(TestEnvironment.brokerURL).password
      #expect(!commandLine.contains(password))
      let program = service.program
      #expect(try await service.stop() == 0)
      let log = program?.complaints.all ?? []
      #expect(log.count > 5)
      for line in log {
        #expect(!line.contains(password))
        #expect(throws: Never.self, "\(line)") {
          try JSONDecoder().decode(ServiceProcess.Entry.self, from: Data(line.utf8))
        }
        #expect(
          line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x2028 && $0.value != 0x202e }, "\(line)")
      }
      #expect(program?.output.all == [])
    }
  }

  @Test("systemd gets READY=1 once, WATCHDOG=1 regularly, and STOPPING=1")
  func notifications() async throws {
    try await ServiceProcess.prepared { service, bus in
      let socket = try DatagramSocket(path: service.folder.appending(path: "notify").path())
      service.environment["NOTIFY_SOCKET"] = socket.path
      service.environment["WATCHDOG_USEC"] = "1000000"
      try await service.start()
      for _ in 1...3 { _ = try await socket.messages.next("WATCHDOG=1") { $0 == "WATCHDOG=1" } }
      #expect(try await service.stop() == 0)
      _ = try await socket.messages.next("STOPPING=1") { $0 == "STOPPING=1" }
      let messages = socket.messages.all
      #expect(messages.filter { $0.contains("READY=1") } == ["READY=1\nSTATUS=ready"])
      let beforeReady = messages.prefix { !$0.contains("READY=1") }
      #expect(beforeReady.contains { $0.hasPrefix("STATUS=not ready: connecting to the broker") }, "\(messages)")
      socket.close()
    }
  }

  @Test("without time zone data a start warns and names the package")
  func noTimeZones() async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    service.environment["TZDIR"] = service.folder.appending(path: "no-zones").path()
    try service.launch()
    let entry = try await service.logs("no time zone data")
    #expect(entry.level == "warning" && entry.message.contains("tzdata"), "\(entry)")
    #expect(try await service.stop() == 0)
    await service.dispose()
  }

  @Test("SIGINT stops it like SIGTERM, also while it waits for a broker")
  func interrupt() async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    try service.launch()
    try await service.logs("not ready: cannot reach")
    service.program?.send(signal: SIGINT)
    let asked = MachineDelay()
    #expect(try await service.end() == 0)
    #expect(asked.undelayed < .seconds(10))
    await service.dispose()
  }

  @Test("a foreign database is refused with code 5 and not changed")
  func foreignDatabase() async throws {
    let service = try ServiceProcess.make(broker: "amqp://u:p@127.0.0.1:1")
    let content = Data("this is my diary".utf8)
    try content.write(to: URL(filePath: service.database))
    try service.launch()
    let program = service.program
    #expect(try await service.end() == 5)
    #expect(program?.complaints.all.last?.contains(service.database) == true)
    #expect(try Data(contentsOf: URL(filePath: service.database)) == content)
    await service.dispose()
  }
}
