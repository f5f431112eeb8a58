import Foundation
import PocketwatchService
import Testing

@testable import PocketwatchCLI

@Suite("Doctor: policies")
struct DoctorPolicyTests {
  private let commands = Topology(names: TopologyNames()).policies[0]
  private let dead = Topology(names: TopologyNames()).policies[1]

  private func policy(
    _ name: String, _ definition: [String: BrokerValue], priority: Int = 0, pattern: String = ".*", to: String = "all"
  ) -> BrokerPolicy {
    BrokerPolicy(name: name, pattern: pattern, appliesTo: to, priority: priority, definition: definition)
  }

  /// Our policy of definitions.json.
  private var ours: [String: BrokerValue] {
    Dictionary(uniqueKeysWithValues: commands.definition.map { ($0.key, .number($0.value)) })
  }

  private func findings(
    _ policy: BrokerPolicy?, operator operatorPolicy: BrokerPolicy? = nil, dead isDead: Bool = false, nodes: Int = 1
  ) -> [Finding] {
    let topology = Topology(names: TopologyNames())
    let arguments = isDead ? topology.deadQueueArguments : topology.commandQueueArguments
    return PolicyCheck(
      wanted: isDead ? dead : commands,
      arguments: Dictionary(uniqueKeysWithValues: arguments.map { ($0.name, BrokerValue($0.value)) }),
      isCommandQueue: !isDead, nodes: nodes, virtualHost: "v 1", policy: policy, operatorPolicy: operatorPolicy
    ).findings
  }

  @Test("of the policies that match a quorum queue, the one with the highest priority applies")
  func applied() throws {
    let catchAll = policy("all", ["expires": .number(1)])
    let higher = policy("higher", [:], priority: 20, pattern: "^pocketwatch")
    let others = [
      policy("exchanges", [:], priority: 30, to: "exchanges"),
      policy("classic", [:], priority: 30, to: "classic_queues"),
      policy("mirrored", ["ha-mode": .text("all")], priority: 30), policy("foreign", [:], priority: 30, pattern: "^x"),
      policy("broken", [:], priority: 30, pattern: "("),
    ]
    func name(_ policies: [BrokerPolicy], shown: String? = nil) -> String? {
      BrokerPolicy.applied(of: policies, to: "pocketwatch.commands", shown: shown)?.name
    }
    #expect(name([catchAll, higher] + others) == "higher")
    #expect(name(others) == nil)
    let twin = policy("twin", [:], priority: 20)
    #expect(name([higher, twin], shown: "twin") == "twin" && name([higher, twin], shown: "gone") == "higher")
    let json = #"[{"vhost":"/","name":"p","pattern":"a","apply-to":"quorum_queues","definition":{"x":1},"priority":3}]"#
    let read = try JSONDecoder().decode([BrokerPolicy].self, from: Data(json.utf8))
    #expect(read == [policy("p", ["x": .number(1)], priority: 3, pattern: "a", to: "quorum_queues")])
  }

  @Test(
    "a key that loses or refuses commands is an error that names policy and key",
    arguments: [
      ("overflow", BrokerValue.text("drop-head")), ("message-ttl", .number(60_000)), ("expires", .number(60_000)),
      ("max-length", .number(999_999)), ("max-length-bytes", .number(1)), ("delivery-limit", .number(19)),
      ("delivery-limit", .number(-1)), ("dead-letter-routing-key", .text("x")),
    ])
  func errors(key: String, value: BrokerValue) {
    let setting = ours.merging([key: value]) { $1 }
    let found = findings(policy("mine", setting, priority: 20))
    #expect(found.map(\.level) == [.error] && found.first?.message.contains("policy mine") == true, "\(found)")
    let effects = [": ", ", less than "].map { "\(key) \(value.text)\($0)" }
    #expect(effects.contains { found.first?.message.contains($0) == true }, "\(found)")
    #expect(
      found.first?.remedy == "rabbitmqctl set_policy -p 'v 1' pocketwatch.commands '^pocketwatch\\.commands$'"
        + #" '{"max-length":1000000,"max-length-bytes":1073741824}' --priority 21 --apply-to queues"#)
    let operators = findings(
      policy(commands.queue, ours, priority: 10), operator: policy("op", [key: value]))
    #expect(operators.map(\.level) == [.error] && operators.first?.message.contains("operator policy op ") == true)
    #expect(operators.first?.remedy?.hasPrefix("rabbitmqctl clear_operator_policy -p 'v 1' op  # ") == true)
  }

  @Test(
    "a key that arguments override, or that is harmless, is not reported",
    arguments: [
      ("overflow", BrokerValue.text("reject-publish")), ("max-length", .number(1_000_000)),
      ("delivery-limit", .number(20)), ("dead-letter-exchange", .text("x")),
      ("dead-letter-strategy", .text("at-most-once")), ("consumer-timeout", .number(1_800_000)),
      ("consumer-disconnected-timeout", .number(900_000)),
    ])
  func harmless(key: String, value: BrokerValue) {
    #expect(findings(policy("mine", ours.merging([key: value]) { $1 })) == [])
  }

  @Test("limits are required; those in our own policy are the operator's decision")
  func limits() {
    #expect(findings(nil).map(\.level) == [.warning])
    #expect(findings(nil).first?.remedy?.hasSuffix("--priority 10 --apply-to queues") == true)
    let hidden = findings(policy("mine", ["max-length": .number(2_000_000)], priority: 5))
    #expect(
      hidden.map(\.level) == [.warning] && hidden.first?.message.contains("the policy mine overrides ours") == true)
    #expect(findings(nil, operator: policy("op", ours)) == [])
    let smaller: [String: BrokerValue] = ["max-length": .number(100), "max-length-bytes": .number(100)]
    #expect(findings(policy(commands.queue, smaller, priority: 7)) == [])
    let spoilt = findings(policy(commands.queue, ours.merging(["expires": .number(1)]) { $1 }, priority: 70))
    #expect(spoilt.first?.remedy?.contains("--priority 70 ") == true)
  }

  @Test("timeouts that delay commands are warnings")
  func delays() {
    let short = findings(policy("mine", ours.merging(["consumer-timeout": .number(60_000)]) { $1 }))
    #expect(short.map(\.level) == [.warning] && short.first?.message.contains("consumer-timeout 60000") == true)
    let long = policy("mine", ours.merging(["consumer-disconnected-timeout": .number(900_000)]) { $1 })
    #expect(findings(long, nodes: 3).map(\.level) == [.warning])
  }

  @Test("the dead-letter queue may drop its oldest messages, but not by age")
  func deadQueue() {
    var definition = Dictionary(uniqueKeysWithValues: dead.definition.map { ($0.key, BrokerValue.number($0.value)) })
    definition["overflow"] = .text("drop-head")
    definition["delivery-limit"] = .number(1)
    #expect(findings(policy("mine", definition), dead: true) == [])
    definition["message-ttl"] = .number(1)
    #expect(findings(policy("mine", definition), dead: true).map(\.level) == [.error])
  }

  @Test(
    "without TLS, a password is sent to this machine only",
    arguments: [
      ("localhost", true), ("127.0.0.1", true), ("127.9.8.7", true), ("[::1]", true), ("LOCALHOST", true),
      ("127.0.0.1.example.com", false), ("127.example.com", false), ("localhost.example.com", false),
      ("10.0.0.1", false), ("::2", false), ("128.0.0.1", false), ("127.0.0.999", false),
    ])
  func loopback(host: String, isLoopback: Bool) {
    #expect(ManagementOptions.isLoopback(host) == isLoopback)
  }
}
