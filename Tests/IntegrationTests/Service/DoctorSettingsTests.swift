import Foundation
import Scheduling
import Testing

/// Settings of the broker that lose, refuse or delay commands. Each is set on a broker, found, and fixed by the command that
/// the doctor prints.
@Suite(
  "The doctor: settings of the broker", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct DoctorSettingsTests {
  /// Keys of policies with harmful values, as JSON. Those unknown to a version are left out for it.
  private static let errors = [
    ("overflow", #""drop-head""#), ("overflow", #""reject-publish-dlx""#), ("message-ttl", "600000"),
    ("expires", "600000"), ("max-length", "10"), ("max-length-bytes", "10"), ("delivery-limit", "5"),
    ("delivery-limit", "-1"), ("dead-letter-routing-key", #""x""#),
  ]
  private static let operatorErrors = [
    ("message-ttl", "600000"), ("expires", "600000"), ("max-length", "10"), ("max-length-bytes", "10"),
    ("delivery-limit", "5"), ("overflow", #""drop-head""#),
  ]
  private static let unknownSomewhere = ["delivery-limit -1", #"overflow "drop-head" by an operator"#]

  @Test("policies")
  func policies() async throws {
    try await DoctoredBroker.running { broker in
      try await broker.seen.findsNothing()
      var priority = 100
      for (key, value) in Self.errors {
        let isSet = await set("set_policy", key, value, priority: priority, on: broker)
        #expect(isSet || Self.unknownSomewhere.contains("\(key) \(value)"), "\(key) \(value)")
        guard isSet else { continue }
        let remedy = try await broker.seen.finds("error", "policies", "the policy all (priority \(priority)) sets")
        #expect(remedy.hasPrefix("rabbitmqctl set_policy -p 'a b' pocketwatch.commands "))
        try await broker.fix(remedy)
        try await broker.seen.findsNothing()
        priority += 100
      }
      // Our own policy, changed.
      try await broker.ctl("set_policy", "pocketwatch.commands", "commands", #"{"expires": 600000}"#)
      try await broker.ctl("clear_policy", "all")
      try await broker.fix(broker.seen.finds("error", "policies", "expires 600000"))
      try await broker.seen.findsNothing()
      for (key, value) in [("dead-letter-exchange", #""x""#), ("dead-letter-strategy", #""at-most-once""#)] {
        let definition = #"{"max-length": 2000000, "max-length-bytes": 2000000000, "\#(key)": \#(value)}"#
        try await broker.ctl("set_policy", "all", "commands$", definition, "--priority", "5000")
        try await broker.seen.findsNothing()  // the arguments overrule them
      }
    }
  }

  @Test("definitions of release 0.2.0: what has been added since is missing, and nothing else")
  func earlierDefinitions() async throws {
    try await DoctoredBroker.running(definitions: Self.ofRelease020) { broker in
      let found = try await broker.seen.complaints()
      let added = EventName.requests.filter { ![.start, .stop].contains($0) }
      #expect(
        found.map { "\($0.level) \($0.part): \($0.words)" } == [
          "warning topology: missing on the broker: the exchange pocketwatch.replies; clients get no replies"
        ] + added.map { "error topology: pocketwatch.commands is not bound to events with \($0.rawValue)" })
      let remedies = Set(found.compactMap(\.remedy))
      #expect(remedies.count == 1, "\(remedies)")
      try await broker.fix(try #require(remedies.first))
      try await broker.seen.findsNothingSoon()
    }
  }

  /// The definitions as `pocketwatch definitions` of release 0.2.0 printed them.
  private static func ofRelease020(_ definitions: String) throws -> String {
    var document = try #require(
      try JSONSerialization.jsonObject(with: Data(definitions.utf8)) as? [String: [[String: Any]]])
    document["exchanges"]?.removeAll { $0["name"] as? String == "pocketwatch.replies" }
    document["bindings"]?.removeAll {
      !["Schedule Start", "Schedule Stop", ""].contains($0["routing_key"] as? String)
    }
    return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
  }

  @Test("operator policies")
  func operatorPolicies() async throws {
    try await DoctoredBroker.running { broker in
      for (key, value) in Self.operatorErrors {
        let isSet = await set("set_operator_policy", key, value, priority: 1, on: broker)
        #expect(isSet || Self.unknownSomewhere.contains("\(key) \(value) by an operator"), "\(key)")
        guard isSet else { continue }
        let remedy = try await broker.seen.finds("error", "policies", "the operator policy all sets")
        #expect(remedy.hasPrefix("rabbitmqctl clear_operator_policy -p 'a b' all "))
        try await broker.fix(remedy)
        try await broker.seen.findsNothing()
      }
    }
  }

  @Test("a consumer timeout shorter than the service supports, where policies have it")
  func consumerTimeout() async throws {
    try await DoctoredBroker.running { broker in
      guard await set("set_policy", "consumer-timeout", "60000", priority: 50, on: broker) else { return }
      try await broker.fix(broker.seen.finds("warning", "policies", "consumer-timeout 60000"))
      try await broker.seen.findsNothing()
    }
  }

  @Test("a maximum message size that is smaller than an event")
  func messageSize() async throws {
    try await DoctoredBroker.running("max_message_size = 262144\n") { broker in
      let remedy = try await broker.seen.finds("error", "broker", "262144")
      let line = try #require(remedy.firstMatch(of: /max_message_size = [0-9]+/)?.output)
      try Data(String(line).utf8).write(to: broker.configuration)
      try await broker.broker.command("restart")
      try await broker.seen.findsNothingSoon()
    }
  }

  @Test("frames that are too small")
  func frameMax() async throws {
    try await DoctoredBroker.running("frame_max = 4096\n") { broker in
      let found = try await broker.seen.complaints()
      // From RabbitMQ 4.1 on, the broker ends the connection without a reason.
      let text = found.map { $0.words + ($0.remedy ?? "") }.joined()
      #expect(text.contains("frame_max is 4096 bytes") || text.contains("a frame_max below 8192"), "\(found)")
      try Data().write(to: broker.configuration)
      try await broker.broker.command("restart")
      try await broker.seen.findsNothingSoon()
    }
  }

  /// Sets a policy for the command queue alone. False if this version does not know the key or the value.
  private func set(
    _ command: String, _ key: String, _ value: String, priority: Int, on broker: DoctoredBroker
  ) async -> Bool {
    do {
      try await broker.ctl(command, "all", "commands$", #"{"\#(key)": \#(value)}"#, "--priority", "\(priority)")
      return true
    } catch {
      return false
    }
  }
}
