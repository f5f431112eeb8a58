import Foundation
import Scheduling
import Testing

/// Each way to import `definitions.json` creates the topology of the contract.
@Suite(
  .serialized,
  .enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct TopologyTests {
  /// The ways to import into a running broker.
  enum Way: String, CaseIterable {
    case rabbitmqctl = "rabbitmqctl import_definitions"
    case management = "the management API"
    case managementOfVhost = "the management API, scoped to the vhost"
  }

  @Test func importsIntoARunningBroker() async throws {
    try await PrivateBroker.running(["--plugins", "management"]) { broker in
      for way in Way.allCases {
        try await recreateVhost(of: broker)
        try await importDefinitions(into: broker, way)
        try await expectTopology(in: broker, after: way.rawValue)
      }
      try await recreateVhost(of: broker)
      try await expectRefusalOfAQueueOfAnotherType(in: broker)
    }
  }

  @Test func importsAtBootWithTheSampleUsers() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "boot-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let definitions = folder.appending(path: "definitions")
    try FileManager.default.createDirectory(at: definitions, withIntermediateDirectories: true)
    for file in ["definitions.json", "ops/users.json"] {
      let source = PrivateBroker.root.appending(path: file)
      try FileManager.default.copyItem(at: source, to: definitions.appending(path: source.lastPathComponent))
    }
    // Outside that folder: a file in it that does not hold definitions would end the loading without an error.
    let configuration = folder.appending(path: "load.conf")
    try Data("load_definitions = \(definitions.path())\n".utf8).write(to: configuration)
    try await PrivateBroker.running(["--config", configuration.path()]) { broker in
      try await expectTopology(in: broker, after: "load_definitions")
      let users = try await rows(of: broker, "list_users", "user", "tags")
      #expect(users == ["client []", "pocketwatch []", "sender []"])
    }
  }

  /// Importing over a queue of another type reports success and changes nothing, so `ops/broker import` verifies.
  private func expectRefusalOfAQueueOfAnotherType(in broker: PrivateBroker) async throws {
    let file = broker.folder.appending(path: "classic.json")
    let classic = #"{"name":"pocketwatch.commands","vhost":"/","durable":true,"auto_delete":false,"arguments":{}}"#
    try Data(#"{"queues": [\#(classic)]}"#.utf8).write(to: file)
    try await broker.command("import", [file.path()])
    await #expect {
      try await importDefinitions(into: broker, .rabbitmqctl)
    } throws: { error in
      "\(error)".contains(#"exists, but differs (queues): {"name":"pocketwatch.commands""#)
    }
  }

  private func recreateVhost(of broker: PrivateBroker) async throws {
    try await broker.ctl("delete_vhost", "/")
    try await broker.ctl("add_vhost", "/")
    try await broker.ctl("set_permissions", "-p", "/", "admin", ".*", ".*", ".*")
  }

  private func importDefinitions(into broker: PrivateBroker, _ way: Way) async throws {
    let file = PrivateBroker.root.appending(path: "definitions.json").path()
    guard way != .rabbitmqctl else {
      try await broker.command("import", [file])
      return
    }
    var url = try await broker.url("management")
    url.percentEncodedPath = "/api/definitions" + (way == .managementOfVhost ? "/%2F" : "")
    let upload = ["-H", "content-type: application/json", "--data-binary", "@\(file)", url.string ?? ""]
    _ = try await PrivateBroker.run("/usr/bin/curl", ["--silent", "--fail-with-body"] + upload)
  }

  /// Compares the whole topology of the broker, with types and arguments, with the contract.
  private func expectTopology(in broker: PrivateBroker, after way: String) async throws {
    let exchanges = try await rows(of: broker, "list_exchanges", "name", "type", "durable", "auto_delete", "arguments")
    #expect(exchanges.filter { !$0.hasPrefix("amq.") && !$0.hasPrefix(" ") } == Self.exchanges, "\(way)")
    let queues = try await rows(of: broker, "list_queues", "name", "type", "durable", "policy", "arguments")
    #expect(queues == Self.queues, "\(way)")
    let bindings = try await rows(of: broker, "list_bindings", "source_name", "routing_key", "destination_name")
    #expect(bindings.filter { !$0.hasPrefix(" ") } == Self.bindings, "\(way)")
    let policies = try await rows(of: broker, "list_policies", "name", "pattern", "apply-to", "definition", "priority")
    #expect(policies == Self.policies, "\(way)")
  }

  private static let exchanges = [
    "events topic true false []",
    "pocketwatch.dead fanout true false []",
    "pocketwatch.replies direct true false []",
  ]

  private static let queues = [
    "pocketwatch.commands quorum true pocketwatch.commands "
      + "[[x-dead-letter-exchange longstr pocketwatch.dead] [x-dead-letter-strategy longstr at-least-once] "
      + "[x-delivery-limit long 20] [x-overflow longstr reject-publish] [x-queue-type longstr quorum] "
      + "[x-single-active-consumer bool true]]",
    "pocketwatch.dead quorum true pocketwatch.dead [[x-queue-type longstr quorum]]",
  ]

  private static let bindings =
    EventName.requests.map { "events \($0.rawValue) pocketwatch.commands" }.sorted() + [
      "pocketwatch.dead  pocketwatch.dead"
    ]

  private static let policies = [
    #"pocketwatch.commands ^pocketwatch\.commands$ queues {"max-length":1000000,"max-length-bytes":1073741824} 10"#,
    #"pocketwatch.dead ^pocketwatch\.dead$ queues {"max-length":100000,"max-length-bytes":1073741824} 10"#,
  ]

  /// The output of a list command of `rabbitmqctl`, one sorted line per entry.
  private func rows(of broker: PrivateBroker, _ command: String, _ columns: String...) async throws -> [String] {
    let takesColumns = command != "list_policies" && command != "list_users"
    let output = try await broker.command(
      "ctl", ["--quiet", "--formatter", "json", command] + (takesColumns ? columns : []))
    return try JSONDecoder().decode([[String: Cell]].self, from: output)
      .map { row in columns.map { row[$0]?.description ?? "absent" }.joined(separator: " ") }
      .sorted()
  }
}

/// A value in the JSON of `rabbitmqctl`, with a text to compare.
private enum Cell: Decodable, CustomStringConvertible {
  case flag(Bool)
  case number(Int)
  case text(String)
  case list([Cell])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? value.decode(Int.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else {
      self = .list(try value.decode([Cell].self))
    }
  }

  var description: String {
    switch self {
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): text
    case .list(let cells): "[" + cells.map(\.description).joined(separator: " ") + "]"
    }
  }
}
