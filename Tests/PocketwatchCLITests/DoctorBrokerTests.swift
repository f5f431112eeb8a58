import AMQP
import Foundation
import PocketwatchService
import Testing

@testable import PocketwatchCLI

@Suite("Doctor: broker findings")
struct DoctorBrokerTests {
  private let names = TopologyNames()
  private let rights = RightsCheck(names: TopologyNames(), user: "o'neil", virtualHost: "a/b c")

  @Test("refused test publications show which rights are missing")
  func publishing() {
    func noted(_ verdicts: [String: (UInt16, String)]) -> RightsCheck.Publishing {
      var publishing = RightsCheck.Publishing()
      for key in RightsCheck.eventKeys + RightsCheck.commandKeys {
        let refusal = verdicts[key].map { AMQPError(.channelClosed(code: $0.0), $0.1) }
        publishing.note(key, refusal.map { .refused($0) } ?? .allowed)
      }
      return publishing
    }
    let denied = (UInt16(403), "ACCESS_REFUSED - access to topic refused")
    #expect(noted([:]) == RightsCheck.Publishing())
    let service = noted(["Schedule Tick": denied, "Schedule Start": denied, "Schedule Stop": denied])
    #expect(service.denied == ["Schedule Tick", "Schedule Start", "Schedule Stop"] && !service.isOfClient)
    #expect(
      rights.findings(service, publishesCommands: false).map(\.message) == [
        "o'neil may not publish Schedule Tick to events"
      ])
    #expect(noted(Dictionary(uniqueKeysWithValues: RightsCheck.eventKeys.map { ($0, denied) })).isOfClient)
    let other = noted(["Schedule Tick": (406, "PRECONDITION_FAILED - user_id property set to 'x' but")])
    #expect(other.denied == [] && rights.findings(other, publishesCommands: false).map(\.level) == [.error, .ok])
    let small = noted([
      "Schedule Tick": (406, "PRECONDITION_FAILED - message size 278528 is larger than configured max size 9")
    ])
    let findings = rights.findings(small, publishesCommands: false)
    #expect(findings.first?.remedy?.contains("max_message_size = ") == true && findings.count == 2)
    var blocked = RightsCheck.Publishing()
    blocked.note("Schedule Tick", .blocked)
    #expect(blocked.isBlocked)
  }

  @Test("the command that grants rights quotes user and virtual host for the shell, and escapes names in patterns")
  func permissions() {
    let patterns = #"'^$' '^(events|pocketwatch\.dead|pocketwatch\.replies)$' '^pocketwatch\.commands$'"#
    #expect(
      rights.permissions.hasPrefix(#"rabbitmqctl set_permissions -p 'a/b c' 'o'\''neil' "# + patterns + "  # this"))
    let finding = rights.publishing(denied: ["Schedule Tick"], publishesCommands: true)
    #expect(finding.level == .error && finding.message == "o'neil may not publish Schedule Tick to events")
    let events = "Tick|Started|Stopped|Paused|Resumed|Triggered|Updated|Batch Done|Rejected"
    let commands = "Start|Stop|Pause|Resume|Trigger|Update"
    #expect(finding.remedy?.contains("events '^Schedule (\(events)|\(commands))$' '^$'  # ") == true)
    #expect(rights.mayNotReply(to: "x").level == .warning)
    var direct = rights
    direct.answersDirectly = true
    #expect(direct.permissions.contains(#"|pocketwatch\.replies|amq\.default)$'"#))
    #expect(rights.publishing(denied: [], publishesCommands: false).level == .ok)
  }

  @Test("a refusal of basic.get shows the right to read and the type of queue")
  func reading() {
    func levels(_ kind: AMQPError.Kind?) -> [String] {
      rights.reading(kind.map { AMQPError($0, "reason") }, remake: "again").map { "\($0.part) \($0.level)" }
    }
    #expect(levels(.channelClosed(code: 405)) == ["rights ok", "topology ok"])
    #expect(levels(.channelClosed(code: 403)) == ["rights error"])
    #expect(levels(nil) == ["rights ok", "topology error"])
    #expect(levels(.channelClosed(code: 404)) == ["rights warning"])
  }

  @Test("the number of consumers is compared with the local service")
  func consumers() {
    func level(_ consumers: Int, _ isServiceHere: Bool) -> Finding.Level {
      TopologyCheck.consuming(consumers, queue: "q", isServiceHere: isServiceHere).level
    }
    #expect(level(0, false) == .ok && level(1, true) == .ok)
    #expect(level(0, true) == .error && level(1, false) == .warning)
  }

  @Test(
    "each connection error has its own remedy",
    arguments: [
      (AMQPError.Kind.unreachable, "cannot be reached", "start the broker"),
      (.refusedLogin, "refuses the login", #"{"users": [{"name": "u", "password": "…", "tags": []}]}"#),
      (.tls, "no TLS", "openssl s_client -connect h:1 "), (.topology, "why", "run doctor again"),
      (.protocolViolation, "violated the AMQP protocol", "the log"),
    ])
  func connecting(kind: AMQPError.Kind, text: String, remedy: String) throws {
    let error = AMQPError(kind, "why", endpoint: "amqp://u@h:1/")
    let finding = BrokerCheck.finding(of: error, nil, try BrokerURL("amqp://u@h:1"))
    #expect(finding.level == .error && finding.message.contains(text) && finding.message.contains("why"))
    #expect(finding.remedy?.contains(remedy) == true)
  }

  /// The findings for a queue with these arguments.
  private func findings(arguments: String) throws -> [Finding] {
    let queue = try JSONDecoder().decode(
      BrokerQueue.self, from: Data(#"{"arguments":{\#(arguments)},"durable":true,"policy":"p","name":"q"}"#.utf8))
    let wanted = Topology(names: names).commandQueueArguments.map { ($0.name, BrokerValue($0.value)) }
    return queue.findings("q", arguments: wanted, remedy: "again")
  }

  @Test("a queue is compared with definitions.json")
  func queues() throws {
    let right = #"""
      "x-dead-letter-exchange":"pocketwatch.dead","x-dead-letter-strategy":"at-least-once","x-delivery-limit":20,
      "x-overflow":"reject-publish","x-queue-type":"quorum","x-single-active-consumer":true
      """#
    #expect(try findings(arguments: right) == [])
    #expect(
      try findings(arguments: right + #","x-expires":5"#).first?.message.contains("x-expires is 5, but must not be set")
        == true)
    let wrong = try findings(
      arguments: #""x-delivery-limit":21,"x-queue-type":"quorum","x-single-active-consumer":"true""#)
    #expect(wrong.map(\.part) == [.topology])
    for text in [
      "x-delivery-limit is 21, not 20", "x-single-active-consumer is true, not true", "x-overflow is missing",
    ] {
      #expect(wrong.first?.message.contains(text) == true, "\(text)")
    }
  }

  @Test("the remedy deletes a queue in its virtual host, and only once it is empty")
  func remaking() {
    let check = TopologyCheck(names: TopologyNames(stack: "a"), virtualHost: "v 1")
    let delete = "rabbitmqctl delete_queue -p 'v 1' a.commands && pocketwatch definitions --stack a --vhost 'v 1' >"
    #expect(check.remake("a.commands", messages: 0).hasPrefix(delete))
    #expect(check.remake("a.commands", messages: 3).hasPrefix("once it is empty (it holds 3 messages): " + delete))
    #expect(check.remake("a.commands", messages: nil).hasPrefix("once it is empty: " + delete))
  }

  @Test("bindings are compared with definitions.json")
  func bindings() throws {
    func findings(_ pairs: [(String, String)]) -> [String] {
      BrokerBinding.findings(
        pairs.map { BrokerBinding(source: $0.0, routingKey: $0.1) }, of: "q", to: "events", keys: ["a", "b"],
        remedy: "again"
      ).map { "\($0.level): \($0.message)" }
    }
    #expect(findings([("", "q"), ("events", "b"), ("events", "a")]) == [])
    #expect(findings([("", "q"), ("events", "a")]) == ["error: q is not bound to events with b"])
    #expect(
      findings([("events", "a"), ("events", "b"), ("events", "#"), ("other", "a")]) == [
        "warning: q is also bound to events with '#', and receives unrelated messages",
        "warning: q is also bound to other with 'a', and receives unrelated messages",
      ])
  }

  @Test("an exchange is compared with definitions.json")
  func exchanges() {
    #expect(BrokerExchange(type: "topic", durable: true).findings("events", type: "topic") == [])
    #expect(BrokerExchange(type: "direct", durable: true).findings("events", type: "topic").count == 1)
    #expect(BrokerExchange(type: "topic", durable: false).findings("events", type: "topic").count == 1)
  }
}
