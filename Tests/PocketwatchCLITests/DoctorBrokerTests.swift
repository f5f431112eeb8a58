import AMQP
import Foundation
import PocketwatchService
import Testing

@testable import PocketwatchCLI

/// What the doctor makes of what a broker says.
@Suite("The doctor: what a broker says")
struct DoctorBrokerTests {
  private let names = TopologyNames()
  private let rights = RightsCheck(names: TopologyNames(), user: "o'neil", virtualHost: "a/b c")

  @Test(
    "a refusal of what cannot be published tells of the right to publish",
    arguments: [
      (406, "PRECONDITION_FAILED - invalid expiration 'none': no_integer", RightsCheck.Publishing.allowed),
      (403, "ACCESS_REFUSED - access to topic 'Schedule Tick' in exchange 'events' refused", .denied),
      (
        406, "PRECONDITION_FAILED - user_id property set to 'x' but",
        .wrongUserID("PRECONDITION_FAILED - user_id property set to 'x' but")
      ),
    ])
  func publishing(code: UInt16, text: String, meaning: RightsCheck.Publishing) {
    #expect(RightsCheck.meaning(ofPublish: AMQPError(.channelClosed(code: code), text)) == meaning)
    #expect(RightsCheck.meaning(ofPublish: nil) == .blocked)
  }

  @Test("the command that gives rights names user and host as a shell takes them, and things as patterns")
  func permissions() {
    let patterns = #"'^$' '^(events|pocketwatch\.dead)$' '^pocketwatch\.commands$'"#
    #expect(rights.permissions == #"rabbitmqctl set_permissions -p 'a/b c' 'o'\''neil' "# + patterns)
    let finding = rights.publishing(denied: ["Schedule Tick"], publishesCommands: true)
    #expect(finding.level == .error && finding.words == "o'neil may not publish Schedule Tick to events")
    #expect(finding.remedy?.hasSuffix("events '^Schedule (Tick|Started|Stopped|Rejected|Start|Stop)$' '^$'") == true)
    #expect(rights.publishing(denied: [], publishesCommands: false).level == .ok)
  }

  @Test("a refusal of basic.get tells of the right to read, and of the kind of queue")
  func reading() {
    func levels(_ kind: AMQPError.Kind?) -> [String] {
      rights.reading(kind.map { AMQPError($0, "words") }).map { "\($0.part) \($0.level)" }
    }
    #expect(levels(.channelClosed(code: 405)) == ["rights ok", "topology ok"])
    #expect(levels(.channelClosed(code: 403)) == ["rights error"])
    #expect(levels(nil) == ["rights ok", "topology error"])
    #expect(levels(.channelClosed(code: 404)) == ["rights warning"])
  }

  @Test("consumers mean something else with a service here")
  func consumers() {
    func level(_ consumers: Int, _ isServiceHere: Bool) -> Finding.Level {
      TopologyCheck.consuming(consumers, queue: "q", isServiceHere: isServiceHere).level
    }
    #expect(level(0, false) == .ok && level(1, true) == .ok)
    #expect(level(0, true) == .error && level(1, false) == .warning)
  }

  @Test(
    "an error of the connection has a remedy of its own",
    arguments: [
      (AMQPError.Kind.unreachable, "cannot be reached", "start the broker"),
      (.refusedLogin, "refuses the login", "change_password"), (.tls, "no TLS", "openssl s_client"),
      (.protocolViolation, "broke the AMQP protocol", "its log"),
    ])
  func connecting(kind: AMQPError.Kind, words: String, remedy: String) {
    let error = AMQPError(kind, "why", endpoint: "amqp://u@h:1/")
    let finding = BrokerCheck.finding(of: error, nil, user: "u", virtualHost: "/")
    #expect(finding.level == .error && finding.words.contains(words) && finding.words.contains("why"))
    #expect(finding.remedy?.contains(remedy) == true)
  }

  /// A queue as the management of RabbitMQ 3.10.8 tells it, with these members changed.
  private func findings(arguments: String? = nil, policy: String? = nil) throws -> [Finding] {
    let arguments =
      arguments
        ?? #"""
        "x-dead-letter-exchange":"pocketwatch.dead","x-dead-letter-strategy":"at-least-once","x-delivery-limit":20,
        "x-overflow":"reject-publish","x-queue-type":"quorum","x-single-active-consumer":true
        """#
    let policy = policy ?? #""effective_policy_definition":{"max-length":1000000,"max-length-bytes":1073741824},"#
    let json = #"{"arguments":{\#(arguments)},"durable":true,\#(policy)"policy":"p","name":"q"}"#
    let queue = try JSONDecoder().decode(BrokerQueue.self, from: Data(json.utf8))
    let wanted = Topology(names: names).commandQueueArguments.map { ($0.name, BrokerValue($0.value)) }
    return queue.findings("q", arguments: wanted)
  }

  @Test("a queue is compared with definitions.json")
  func queues() throws {
    #expect(try findings() == [])
    let wrong = try findings(
      arguments: #""x-delivery-limit":21,"x-queue-type":"quorum","x-single-active-consumer":"true""#)
    #expect(wrong.map(\.part) == [.topology])
    for text in [
      "x-delivery-limit is 21, not 20", "x-single-active-consumer is true, not true", "x-overflow is missing",
    ] {
      #expect(wrong.first?.words.contains(text) == true, "\(text)")
    }
    func judged(_ policy: String) throws -> [Finding] {
      try findings(policy: #""effective_policy_definition":\#(policy),"#)
    }
    #expect(try findings(policy: "") == [], "not known yet")
    #expect(try judged("[]").map(\.level) == [.warning])
    #expect(try judged(#"{"max-length":1}"#).map(\.level) == [.warning])
    let losing = try judged(#"{"max-length":1,"max-length-bytes":1,"message-ttl":5}"#)
    #expect(losing.map(\.level) == [.error] && losing.first?.words.contains("message-ttl") == true)
  }

  @Test("bindings are compared with definitions.json")
  func bindings() throws {
    func findings(_ pairs: [(String, String)]) -> [String] {
      BrokerBinding.findings(
        pairs.map { BrokerBinding(source: $0.0, routingKey: $0.1) }, of: "q", to: "events", keys: ["a", "b"]
      ).map { "\($0.level): \($0.words)" }
    }
    #expect(findings([("", "q"), ("events", "b"), ("events", "a")]) == [])
    #expect(findings([("", "q"), ("events", "a")]) == ["error: q is not bound to events with b"])
    #expect(
      findings([("events", "a"), ("events", "b"), ("events", "#"), ("other", "a")]) == [
        "warning: q is bound to events with '#' too, and gets what is not for it",
        "warning: q is bound to other with 'a' too, and gets what is not for it",
      ])
  }

  @Test("an exchange is compared with definitions.json")
  func exchanges() {
    #expect(BrokerExchange(type: "topic", durable: true).findings("events", type: "topic") == [])
    #expect(BrokerExchange(type: "direct", durable: true).findings("events", type: "topic").count == 1)
    #expect(BrokerExchange(type: "topic", durable: false).findings("events", type: "topic").count == 1)
  }
}
