import Foundation
import Scheduling
import Testing

@testable import PocketwatchService

/// The operator's list: who may publish what, and where (P32).
struct TargetRulesTests {
  private static let names = TopologyNames(stack: "pw", eventBus: "events")

  private func rules(_ entries: String) throws -> TargetRules { try TargetRules.read(entries, names: Self.names) }

  private static let list = """
    [{"user": "alice", "exchange": "alarms", "routingKey": "alarm\\\\..*"},
     {"user": "alice", "exchange": "events", "routingKey": "Alarm|Notice", "source": "shop"},
     {"user": "*", "exchange": "open", "routingKey": ".*"}]
    """

  private static let alarm = Target(exchange: "alarms", routingKey: "alarm.1", detailType: "Alarm")

  @Test(
    "lets a user publish what an entry lists",
    arguments: [
      (alarm, "alice", true), (alarm, "bob", false), (alarm, nil, false), (alarm, "", false), (alarm, "*", false),
      (Target(exchange: "alarms", routingKey: "alarm", detailType: "Alarm"), "alice", false),
      (Target(exchange: "alarms2", routingKey: "alarm.1", detailType: "Alarm"), "alice", false),
      (Target(detailType: "Alarm"), "alice", true), (Target(exchange: "events", detailType: "Notice"), "alice", true),
      (Target(detailType: "Alarms"), "alice", false), (Target(detailType: "Alarm"), "bob", false),
      (Target(detailType: "Alarm", source: "shop"), "alice", true),
      (Target(detailType: "Alarm", source: "com.pw"), "alice", false),
      (Target(exchange: "alarms", routingKey: "alarm.1", detailType: "Alarm", source: "shop"), "alice", false),
      (Target(exchange: "open", routingKey: "x", body: .payload), nil, true),
      (Target(exchange: "open", detailType: "x"), "alice", true),
    ] as [(Target, String?, Bool)])
  func entries(target: Target, user: String?, isAllowed: Bool) throws {
    let refusal = try rules(Self.list).refusal(of: target, userID: user)
    #expect((refusal == nil) == isAllowed, "\(target), \(user ?? "nobody"): \(refusal ?? "allowed")")
  }

  @Test("targets are off by default, also the event bus")
  func off() {
    let none = TargetRules(names: Self.names)
    for target in [Self.alarm, Target(detailType: "Alarm")] {
      #expect(none.refusal(of: target, userID: "alice")?.contains("targets are off") == true)
    }
  }

  /// Lock 3. Each of these would pass the list.
  @Test(
    "never: our events, our exchanges, the broker's",
    arguments: [
      Target(exchange: "open", detailType: "Schedule Start"), Target(exchange: "open", detailType: "Schedule X"),
      Target(exchange: "open", routingKey: "Message Delay", detailType: "Alarm"),
      Target(exchange: "open", routingKey: "x", detailType: "Schedule Stop"),
      Target(detailType: "Schedule Stop"), Target(exchange: "events", detailType: "Message Schedule"),
      Target(exchange: "amq.topic", detailType: "x"), Target(exchange: "amq.default", detailType: "x"),
      Target(exchange: "", routingKey: "pw.commands", body: .payload), Target(exchange: "pw.dead", detailType: "x"),
      Target(exchange: "pw.replies", detailType: "x"),
    ])
  func never(target: Target) throws {
    let entries = ["open", "events", "other"].map {
      TargetRules.Entry(user: "*", exchange: $0, routingKey: try! KeyPattern(".*"), source: nil)
    }
    let everything = ["", "amq.topic", "amq.default", "pw.dead", "pw.replies"].map {
      TargetRules.Entry(user: "*", exchange: $0, routingKey: try! KeyPattern(".*"), source: nil)
    }
    let rules = TargetRules(entries + everything, names: Self.names)
    #expect(rules.refusal(of: Target(exchange: "open", detailType: "Alarm"), userID: nil) == nil)
    #expect(rules.refusal(of: target, userID: nil) != nil)
  }

  @Test("on the event bus the routing key is the detailType: consumers there know no other")
  func keyOnTheBus() throws {
    let rules = try rules(#"[{"user": "*", "exchange": "events", "routingKey": ".*"}]"#)
    #expect(rules.refusal(of: Target(routingKey: "Alarm", detailType: "Alarm"), userID: nil) == nil)
    for target in [
      Target(routingKey: "Alarm", detailType: "Alert"), Target(exchange: "events", routingKey: "x", body: .payload),
    ] {
      #expect(rules.refusal(of: target, userID: nil)?.contains("must be the detailType") == true)
    }
  }

  @Test("on the event bus there are events only: a payload could hold the envelope of a tick")
  func payloadOnTheBus() throws {
    let rules = try rules(#"[{"user": "*", "exchange": "events", "routingKey": ".*"}]"#)
    for exchange in [nil, "events"] {
      let target = Target(exchange: exchange, detailType: "Alarm", body: .payload)
      #expect(rules.refusal(of: target, userID: nil)?.contains("must be an event") == true)
    }
  }

  @Test("an event bus whose name begins like our exchanges can be listed")
  func busOfTheStack() throws {
    let names = TopologyNames(stack: "pw", eventBus: "pw.events")
    let rules = try TargetRules.read(#"[{"user": "*", "exchange": "pw.events", "routingKey": ".*"}]"#, names: names)
    #expect(rules.refusal(of: Target(detailType: "Alarm"), userID: nil) == nil)
    #expect(rules.refusal(of: Target(detailType: "Schedule Stop"), userID: nil) != nil)
    #expect(rules.refusal(of: Target(exchange: "pw.dead", detailType: "Alarm"), userID: nil) != nil)
  }

  /// Swift takes some different bytes for equal texts; the broker does not.
  @Test("users and exchanges are compared by their bytes")
  func bytes() throws {
    let rules = try rules("[{\"user\": \"\u{e9}\", \"exchange\": \"x\", \"routingKey\": \"k\"}]")
    let target = Target(exchange: "x", routingKey: "k", body: .payload)
    #expect(rules.refusal(of: target, userID: "\u{e9}") == nil)
    #expect(rules.refusal(of: target, userID: "e\u{301}") != nil)
  }

  @Test("a refusal quotes at most 64 bytes of a client's text")
  func quotes() throws {
    let target = Target(exchange: String(repeating: "é", count: 120), detailType: String(repeating: "k", count: 255))
    let refusal = try #require(try rules(Self.list).refusal(of: target, userID: String(repeating: "u", count: 255)))
    #expect(refusal.utf8.count < 400)
  }

  @Test(
    "an invalid list is rejected, naming the entry and the key",
    arguments: [
      ("{}", "must be a list"), ("[1]", "must be a list"), (#"[{"user": 1}]"#, "must be a list"),
      (#"[{"exchange": "x", "routingKey": "k"}]"#, "entry 1: user is missing"),
      (#"[{"user": "a", "routingKey": "k"}]"#, "entry 1: exchange is missing"),
      (#"[{"user": "a", "exchange": "x"}]"#, "entry 1: routingKey is missing"),
      (#"[{"user": "a", "exchange": "x", "routingKey": ""}]"#, "entry 1: routingKey is missing"),
      (#"[{"user": "a", "exchange": "x", "routingKey": "k", "sauce": "s"}]"#, "entry 1: sauce is not one of"),
      (
        #"[{"user": "a", "exchange": "x", "routingKey": "k"}, {"user": "a", "exchange": "x", "routingKey": "(k"}]"#,
        "entry 2: routingKey: the group is not closed"
      ),
      (#"[{"user": "a", "exchange": "amq.topic", "routingKey": "k"}]"#, "entry 1: exchange \"amq.topic\" is not for"),
      (#"[{"user": "a", "exchange": "pw.x", "routingKey": "k"}]"#, "entry 1: exchange \"pw.x\" is not for targets"),
    ])
  func invalid(list: String, reason: String) {
    #expect {
      try rules(list)
    } throws: { "\($0)".hasPrefix("POCKETWATCH_TARGETS (targets in the file): ") && "\($0)".contains(reason) }
  }
}
