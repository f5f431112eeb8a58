import AMQP
import AdminHTTP
import EventBus
import Foundation
import Logging
import PocketwatchService
import Testing

@Suite("Configuration")
struct ConfigurationTests {
  private static let url = "amqp://user:secret@broker"

  /// Reads settings like `serve`, from these sources. Sets a broker unless the sources do.
  private func read(
    _ environment: [String: String] = [:], file: String? = nil, options: [Setting: String] = [:], url: String? = url
  ) async throws -> (configuration: Configuration, log: LogSettings) {
    let path = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString).json")
    if let file { try Data(file.utf8).write(to: path) }
    defer { try? FileManager.default.removeItem(at: path) }
    var environment = environment
    if let url { environment["POCKETWATCH_AMQP_URL"] = environment["POCKETWATCH_AMQP_URL"] ?? url }
    let reader = try SettingReader(environment: environment, file: file.map { _ in path.path() }, options: options)
    let configuration = try await Configuration.read(from: reader, declaresTopology: false)
    return (configuration, try await LogSettings.read(from: reader))
  }

  @Test("the defaults, with only the broker set")
  func defaults() async throws {
    let (configuration, log) = try await read()
    #expect(configuration.broker.urls == [try BrokerURL(Self.url)])
    #expect(configuration.broker.names == TopologyNames())
    #expect(configuration.broker.sendsUserID && !configuration.broker.answersDirectly)
    #expect(configuration.broker.tls == nil)
    #expect(configuration.operators == .everyone)
    #expect(configuration.database == "./pocketwatch.sqlite")
    #expect(configuration.misfireThresholdMilliseconds == 60_000)
    #expect(configuration.publishWindow == 512)
    #expect(configuration.endedRetentionMilliseconds == 30 * 86_400_000)
    #expect(log.level == .info && log.format == .auto)
    let underSystemd = try await read(["STATE_DIRECTORY": "/var/lib/pocketwatch"]).configuration
    #expect(underSystemd.database == "/var/lib/pocketwatch/pocketwatch.sqlite")
  }

  /// Every setting but the broker's, with two values and its result.
  private static let settings: [(Setting, String, String, @Sendable (Configuration, LogSettings) -> String)] = [
    (.eventBus, "bus-a", "bus b", { configuration, _ in configuration.broker.names.eventBus }),
    (.stack, "stack-a", "stack-b", { configuration, _ in configuration.broker.names.stack }),
    (.database, "/a.sqlite", "/b c.sqlite", { configuration, _ in configuration.database }),
    (.userID, "on", "off", { configuration, _ in configuration.broker.sendsUserID ? "on" : "off" }),
    (.directReply, "on", "off", { configuration, _ in configuration.broker.answersDirectly ? "on" : "off" }),
    (
      .operators, "ops", "ops, billing",
      { configuration, _ in configuration.operators == Operators(["ops"]) ? "ops" : "ops, billing" }
    ),
    (
      .misfireThreshold, "1s", "24h",
      { configuration, _ in configuration.misfireThresholdMilliseconds == 1000 ? "1s" : "24h" }
    ),
    (.publishWindow, "1", "4096", { configuration, _ in String(configuration.publishWindow) }),
    (
      .endedRetention, "1h", "366d",
      { configuration, _ in configuration.endedRetentionMilliseconds == 3_600_000 ? "1h" : "366d" }
    ),
    (
      .http, "127.0.0.1:1", "[::1]:65535",
      { configuration, _ in
        configuration.admin.map { $0.port == 1 ? "127.0.0.1:1" : "[\($0.host)]:\($0.port)" } ?? "off"
      }
    ),
    (.logLevel, "trace", "critical", { _, log in log.level.rawValue }),
    (.logFormat, "text", "json", { _, log in log.format.rawValue }),
  ]

  @Test("options override the environment, which overrides the file")
  func precedence() async throws {
    #expect(
      Self.settings.map(\.0)
        == Setting.allCases.filter {
          !$0.key.hasPrefix("amqp.") && ![.targets, .httpTokenFile, .httpWrite, .httpOrigin].contains($0)
        })
    for (setting, first, second, value) in Self.settings {
      let environment = [setting.environmentVariable: first]
      let other = [setting.environmentVariable: second]
      let file = Self.file(setting, second)
      for (result, expected) in [
        (try await read(environment), first), (try await read(other), second), (try await read(file: file), second),
        (try await read(environment, file: file), first),
        // An empty value means not set.
        (try await read([setting.environmentVariable: ""], file: file), second),
      ] {
        #expect(value(result.configuration, result.log) == expected, "\(setting)")
      }
    }
    for (setting, first, second, value) in Self.settings where Self.isOption(setting) {
      let result = try await read(
        [setting.environmentVariable: second], file: Self.file(setting, second), options: [setting: first])
      #expect(value(result.configuration, result.log) == first, "\(setting)")
    }
  }

  @Test("the URL's file is read each time; an invalid one is logged once, and the previous URL stays")
  func rotatedURL() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "url-\(UUID().uuidString)")
    func write(_ text: String) throws { try Data(text.utf8).write(to: file) }
    try write("amqp://a:old-secret@one")
    defer { try? FileManager.default.removeItem(at: file) }
    let settings = try await read(["POCKETWATCH_AMQP_URL_FILE": file.path()], url: nil).configuration.broker
    let urls = try #require(settings.urlFile)
    let log = RecordingLog()
    urls.log(to: log.logger)
    let old = [try BrokerURL("amqp://a:old-secret@one")]
    #expect(urls.current() == old && log.take() == [])

    // amqps requires a CA file, and none is set.
    for bad in ["", "amqp://a:new-secret@one:port", "amqps://a:new-secret@one"] {
      try write(bad)
      for _ in 1...3 { #expect(urls.current() == old, "\(bad)") }
      let entries = log.take()
      #expect(entries.map(\.level) == [.error] && !entries.description.contains("secret"), "\(entries)")
    }
    try FileManager.default.removeItem(at: file)
    #expect(urls.current() == old)
    #expect(log.take().first?.message.contains("cannot be read") == true)
    try write("amqp://a:old-secret@one")
    #expect(urls.current() == old)
    #expect(log.take().map(\.level) == [.notice])

    // A password alone is a change.
    try write("amqp://a:new-secret@one\n")
    #expect(settings.connectionOptions(name: "x").source?() == [try BrokerURL("amqp://a:new-secret@one")])
    let entries = log.take()
    #expect(entries.map(\.level) == [.notice] && !entries.description.contains("secret"), "\(entries)")
    #expect(urls.current().first?.password == "new-secret" && log.take() == [])
  }

  /// Whether the command line has an option for it.
  private static func isOption(_ setting: Setting) -> Bool {
    [.stack, .eventBus, .database, .logLevel, .logFormat].contains(setting)
  }

  private static func file(_ setting: Setting, _ value: String) -> String {
    let json = Int(value).map(String.init) ?? "\"\(value)\""
    let parts = setting.key.split(separator: ".")
    return parts.count == 1 ? "{\"\(parts[0])\": \(json)}" : "{\"\(parts[0])\": {\"\(parts[1])\": \(json)}}"
  }

  @Test("the broker's URL: in the environment, in the file, in a separate file; several are tried in order")
  func brokerURL() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "url-\(UUID().uuidString)")
    try Data("\n amqp://a:b@one:1/v\n amqp://two \n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let both = [try BrokerURL("amqp://a:b@one:1/v"), try BrokerURL("amqp://two")]
    for result in [
      try await read(["POCKETWATCH_AMQP_URL": "amqp://a:b@one:1/v  amqp://two"]),
      try await read(["POCKETWATCH_AMQP_URL_FILE": file.path()], url: nil),
      try await read(file: #"{"amqp": {"url": "amqp://a:b@one:1/v amqp://two"}}"#, url: nil),
      try await read(file: #"{"amqp": {"urlFile": "\#(file.path())"}}"#, url: nil),
    ] {
      #expect(result.configuration.broker.urls == both)
    }
  }

  @Test("amqps requires a CA file")
  func tls() async throws {
    let authorities = #filePath  // any file that can be read: what is in it is the connection's matter
    let result = try await read(["POCKETWATCH_AMQP_CA_FILE": authorities], url: "amqps://broker")
    #expect(result.configuration.broker.tls == TLSOptions(caFile: authorities))
    await #expect(throws: ConfigurationError.self) { try await read(url: "amqps://broker") }
    await #expect(throws: ConfigurationError.self) { try await read(url: "amqp://one amqps://two") }
  }

  @Test(
    "a value out of range is rejected with the setting's name",
    arguments: [
      (Setting.stack, "A"), (.stack, "a.b"), (.eventBus, "amq.topic"), (.eventBus, String(repeating: "x", count: 256)),
      (.userID, "yes"), (.operators, "a,"), (.operators, "a,*"), (.operators, " "), (.misfireThreshold, "999"),
      (.misfireThreshold, "86400001"), (.misfireThreshold, "later"),
      (.endedRetention, "59m"), (.endedRetention, "367d"), (.publishWindow, "0"), (.publishWindow, "4097"),
      (.publishWindow, "-1"),
      (.publishWindow, "9999999999999999999999"),
      (.publishWindow, "1.0"), (.logLevel, "verbose"), (.logFormat, "xml"), (.amqpURL, "nonsense"), (.amqpURL, " "),
      (.amqpCAFile, "/nowhere"),
    ])
  func range(setting: Setting, value: String) async throws {
    for source in ["environment", "file"] {
      await #expect("\(setting) = \(value) in the \(source)") {
        _ =
          source == "file"
          ? try await read(file: Self.file(setting, value), url: setting == .amqpURL ? nil : Self.url)
          : try await read([setting.environmentVariable: value])
      } throws: { error in
        let name = (error as? ConfigurationError)?.name ?? ""
        return name.contains(setting.environmentVariable) && name.contains(setting.key)
      }
    }
  }

  @Test(
    "in the file a setting is a string or an integer, and nothing that resembles one",
    arguments: ["true", "1.5", "null", "[1]"])
  func otherJSON(value: String) async throws {
    await #expect {
      try await read(file: "{\"publishWindow\": \(value)}")
    } throws: { "\($0)".contains("publishWindow") }
    #expect(try await read(file: #"{"publishWindow": 1}"#).configuration.publishWindow == 1)
  }

  @Test("targets: a list in the file, as JSON in the environment, none by default")
  func targets() async throws {
    #expect(try await read().configuration.targets.entries.isEmpty)
    let list = #"[{"user": "alice", "exchange": "alarms", "routingKey": "a\\.[0-9]+", "source": "shop"}]"#
    for result in [
      try await read(file: #"{"targets": \#(list)}"#), try await read(["POCKETWATCH_TARGETS": list]),
      try await read(["POCKETWATCH_TARGETS": list], file: #"{"targets": []}"#),
    ] {
      let entry = try #require(result.configuration.targets.entries.first)
      #expect(entry.user == "alice" && entry.exchange == "alarms" && entry.source == "shop")
      #expect(entry.routingKey.text == #"a\.[0-9]+"# && entry.routingKey.matches("a.17"))
    }
    for file in [
      #"{"targets": "x"}"#, #"{"targets": [{"user": "a", "exchange": "x", "routingKey": 1}]}"#,
      #"{"targets": [{"user": "a", "exchange": "x", "routingKey": "["}]}"#, #"{"targets": true}"#,
    ] {
      await #expect("\(file)") {
        try await read(file: file)
      } throws: { "\($0)".contains("POCKETWATCH_TARGETS (targets in the file)") }
    }
  }

  @Test("an unknown setting is rejected and named")
  func unknown() async throws {
    for (environment, file, name) in [
      (["POCKETWATCH_STAK": "x"], nil, "POCKETWATCH_STAK"), ([:], #"{"stak": "x"}"#, "stak"),
      ([:], #"{"amqp": {"ulr": "x"}}"#, "amqp.ulr"), ([:], #"{"stack": {"name": "x"}}"#, "stack.name"),
      ([:], #"{"log.level": "info", "logs": {}, "x": 1}"#, "unknown setting x"),
    ] as [([String: String], String?, String)] {
      await #expect("\(name)") {
        try await read(environment, file: file)
      } throws: { "\($0)".contains(name) }
    }
    _ = try await read(["POCKETWATCHER": "x", "POCKETWATCH": "y", "OTHER": "z"])
  }

  @Test("no error contains the password")
  func secrets() async throws {
    for url in [
      "amqp://user:secret@broker:port", "http://user:secret@broker", "amqp://user:secret@broker/?heartbeat=10",
      "user:secret", "amqp://user:very secret@broker", "amqp://user:a secret@broker:5672/x",
    ] {
      await #expect("\(url)") {
        try await read(["POCKETWATCH_AMQP_URL": url])
      } throws: { !"\($0)".contains("secret") && !String(reflecting: $0).contains("secret") }
    }
    let configuration = try await read().configuration
    var text = ""
    dump(configuration, to: &text)
    #expect(!text.contains("secret") && !"\(configuration)".contains("secret"))
  }
}
