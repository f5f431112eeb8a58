import AMQP
import Foundation
import PocketwatchService
import Recurrence
import Testing

/// P32, P33: events of clients' own instead of ticks, to real exchanges; and the locks that keep them there.
@Suite(
  "The service: targets", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceTargetTests {
  private static func login(_ url: String = TestEnvironment.brokerURL) throws -> String { try BrokerURL(url).user }

  /// A client that names its login, as the broker validates it.
  private static func named(_ user: String?, _ messageID: String? = nil) -> Properties {
    var properties = Properties.named(messageID)
    properties.userID = user
    return properties
  }

  /// Lets a user publish anything to these exchanges.
  private static func allow(_ service: ServiceProcess, _ user: String, _ exchanges: [String]) {
    let entries = exchanges.map { #"{"user": "\#(user)", "exchange": "\#($0)", "routingKey": ".*"}"# }
    service.environment["POCKETWATCH_TARGETS"] = "[\(entries.joined(separator: ","))]"
  }

  private func start(
    _ bus: ServiceBus, _ id: String, _ target: String, as user: String?, _ more: String = #""every": "1s""#
  ) async throws {
    let event = ServiceBus.event("Schedule Start", #""id": "\#(id)", \#(more), "target": {\#(target)}"#)
    try await bus.send("Schedule Start", event, Self.named(user))
  }

  /// Runs `body` with a service that lets the client's login publish to an exchange, and what arrives there.
  private func withTarget(
    _ body: (ServiceProcess, ServiceBus, _ exchange: String, Inflow<Delivery>, _ user: String) async throws -> Void
  ) async throws {
    try await ServiceProcess.prepared { service, bus in
      let (exchange, user) = ("\(bus.names.stack)-alarms", try Self.login())
      Self.allow(service, user, [exchange, bus.names.eventBus])
      let messages = try await bus.messages(at: exchange)
      defer { try? bus.withConnection { try $0.deleteExchange(exchange) } }
      try await service.start()
      try await body(service, bus, exchange, messages, user)
    }
  }

  private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

  // MARK: What arrives

  @Test("an event arrives with its key, headers, expiration and priority, and with what identifies it; not as a tick")
  func event() async throws {
    try await withTarget { service, bus, exchange, messages, user in
      try await start(
        bus, "e",
        #""exchange": "\#(exchange)", "routingKey": "alarm.1", "detailType": "Alarm", "expiration": "60000", "priority": 7,"#
          + #""headers": {"text": "é", "number": -1, "flag": true}"#,
        as: user, #""every": "1s", "limit": 2, "payload": {"any":  1.0}"#)
      let started = try await bus.next("Schedule Started", of: "e")
      #expect(
        started.body.contains(#""target":{"exchange":"\#(exchange)","routingKey":"alarm.1","detailType":"Alarm""#))
      let first = try await messages.next("the event")
      let second = try await messages.next("the second event")
      #expect(text(first.routingKey) == "alarm.1")
      let properties = first.properties
      let slot = properties.headers["scheduled-time"]?.text ?? ""
      #expect(text(properties.messageID) == "e@\(slot)" && text(second.properties.messageID) != "e@\(slot)")
      #expect(properties.type == "Alarm" && properties.contentType == "application/json")
      #expect(properties.expiration == "60000" && properties.priority == 7 && properties.deliveryMode == .persistent)
      #expect(properties.userID == user && properties.appID == "pocketwatch")
      #expect(properties.headers["schedule-id"]?.text == "e" && properties.headers["schedule-owner"]?.text == user)
      #expect(properties.headers["text"]?.text == "é" && properties.headers["number"] == .int64(-1))
      #expect(properties.headers["flag"] == .boolean(true))
      let body = text(first.body)
      #expect(body.hasPrefix(#"{"Source":"com.\#(bus.names.stack)","DetailType":"Alarm","Time":"20"#), "\(body)")
      #expect(body.hasSuffix(#","Detail":{"any":  1.0}}"#), "\(body)")
      let stopped = try await bus.next("Schedule Stopped", of: "e")
      #expect(stopped.detail.reason == "Count Limit Reached" && stopped.detail.counter == 2)
      try await bus.settle()
      #expect(bus.ticks(of: "e").isEmpty && messages.all.count == 2)
    }
  }

  @Test("a payload arrives byte for byte, with its content type; on the event bus, too, and by a Trigger")
  func payload() async throws {
    try await withTarget { service, bus, exchange, messages, user in
      try await start(
        bus, "p",
        #""exchange": "\#(exchange)", "routingKey": "raw", "body": "payload", "contentType": "application/vnd.x+json""#,
        as: user, #""duration": "1s", "payload": [1e2, 1.0]"#)
      let message = try await messages.next("the payload")
      #expect(text(message.body) == "[1e2, 1.0]" && message.properties.contentType == "application/vnd.x+json")
      #expect(message.properties.type == nil)

      let onBus = try await bus.messages(at: bus.names.eventBus, key: "Order Due", declares: false)
      try await start(bus, "b", #""detailType": "Order Due""#, as: user, #""every": "1h", "payload": 1"#)
      _ = try await bus.next("Schedule Started", of: "b")
      let trigger = ServiceBus.event("Schedule Trigger", #""id": "b", "payload": {"by": "hand"}"#)
      try await bus.send("Schedule Trigger", trigger, Self.named(user, "t"))
      let triggered = try await onBus.next("the triggered event")
      #expect(text(triggered.body).hasSuffix(#""Detail":{"by": "hand"}}"#), "\(text(triggered.body))")
      #expect(text(triggered.properties.messageID).hasSuffix("/trigger"))
      #expect(triggered.properties.headers["schedule-owner"]?.text == user)
    }
  }

  // MARK: The locks

  /// Locks 1, 3, 4 and 5.
  @Test("targets are off by default; with a list, only what it allows to that login, and never our own events")
  func list() async throws {
    try await ServiceProcess.prepared { service, bus in
      let (exchange, user) = ("\(bus.names.stack)-alarms", try Self.login())
      let messages = try await bus.messages(at: exchange)
      defer { try? bus.withConnection { try $0.deleteExchange(exchange) } }
      try await service.start()
      let dead = try await bus.deadLetters()
      func expectRejected(_ target: String, as user: String?, _ reason: String) async throws {
        try await start(bus, "x", target, as: user)
        let rejected = try await bus.next("Schedule Rejected")
        #expect(rejected.detail.field == "target" && rejected.detail.reason?.contains(reason) == true, "\(rejected)")
        _ = try await dead.next("the command")
      }
      let alarm = #""exchange": "\#(exchange)", "detailType": "Alarm""#
      try await expectRejected(alarm, as: user, "targets are off")
      try await expectRejected(#""detailType": "Alarm""#, as: user, "targets are off")
      #expect(try await service.stop() == 0)

      Self.allow(service, user, [exchange, bus.names.eventBus])
      try await service.start()
      try await expectRejected(alarm, as: nil, "a command without user_id")
      for target in [
        #""exchange": "\#(exchange)", "detailType": "Schedule Stop""#, #""detailType": "Schedule Start""#,
        #""exchange": "\#(exchange)", "routingKey": "Message Delay", "detailType": "Alarm""#,
      ] { try await expectRejected(target, as: user, "reserved") }
      try await expectRejected(#""detailType": "Alarm", "body": "payload""#, as: user, "must be an event")
      for target in ["amq.topic", "amq.default", bus.names.deadExchange, bus.names.replyExchange] {
        try await expectRejected(#""exchange": "\#(target)", "detailType": "Alarm""#, as: user, "not for targets")
      }
      try await expectRejected(
        #""exchange": "elsewhere", "detailType": "Alarm""#, as: user, "the operator does not let")

      // Lock 5: an Update and a Trigger with a payload are checked against their own sender.
      try await start(bus, "a", alarm, as: user, #""every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "a")
      for name in ["Schedule Update", "Schedule Trigger"] {
        try await bus.send(name, ServiceBus.event(name, #""id": "a", "payload": "forged""#), Self.named(nil, name))
        #expect(try await bus.next("Schedule Rejected", of: "a").detail.field == "target")
      }
      try await bus.settle()
      #expect(messages.all.isEmpty)
    }
  }

  @Test("a list that shrank over a restart holds the schedule, names it, and lets it go on when it is allowed again")
  func shrunkList() async throws {
    try await withTarget { service, bus, exchange, messages, user in
      try await start(bus, "s", #""exchange": "\#(exchange)", "detailType": "Alarm""#, as: user)
      _ = try await messages.next("an event")
      #expect(try await service.stop() == 0)
      let list = service.environment["POCKETWATCH_TARGETS"]
      Self.allow(service, "somebody-else", [exchange])
      try await service.start()
      let entry = try await service.logs("schedule held until its target is allowed again")
      #expect(entry.id == "s" && entry.cause?.contains("the operator does not let user") == true, "\(entry)")
      let sent = messages.all.count
      try await bus.settle()
      #expect(messages.all.count == sent)
      #expect(try await service.stop() == 0)
      service.environment["POCKETWATCH_TARGETS"] = list
      try await service.start()
      try await until("an event once it is allowed again") { messages.all.count > sent }
      let ids = messages.all.map { text($0.properties.messageID) }
      #expect(Set(ids).count == ids.count)
    }
  }

  /// Lock 6.
  @Test("an exchange that is deleted (404) holds only its own schedules, is named once, and goes on when it is back")
  func missingExchange() async throws {
    try await withTarget { service, bus, exchange, messages, user in
      let other = "\(bus.names.stack)-other"
      Self.allow(service, user, [exchange, other])
      #expect(try await service.stop() == 0)
      try await service.start()
      let others = try await bus.messages(at: other)
      defer { try? bus.withConnection { try $0.deleteExchange(other) } }
      try await bus.start(#""id": "plain", "every": "1s""#)
      for (id, exchange) in [("gone", exchange), ("other", other)] {
        try await start(bus, id, #""exchange": "\#(exchange)", "detailType": "Alarm""#, as: user)
      }
      _ = try await messages.next("an event")
      _ = try await others.next("an event of the other")
      try bus.withConnection { try $0.deleteExchange(exchange) }
      let entry = try await service.logs("schedules with this target wait")
      #expect(entry.message.contains("404") && entry.message.contains(exchange), "\(entry)")
      let mark = others.all.count
      try await until("events of the other") { others.all.count > mark + 3 }
      #expect(service.log.count { $0.contains("schedules with this target wait") } == 1)
      #expect(!service.log.contains { $0.contains("not ready") && $0.contains("exchange") })
      let before = messages.all.count
      try bus.withConnection { connection in
        try connection.declareExchange(exchange, type: "topic")
        try connection.bindQueue("\(exchange).queue", to: exchange, routingKey: "#")
      }
      try await until("events once it is back") { messages.all.count > before + 2 }
      try await service.logs("events are published to targets again")
      let ids = messages.all.map { text($0.properties.messageID) }
      #expect(ids == ids.sorted(), "first copies in order")
      try await expectUndisturbed(bus, "plain")
    }
  }

  /// Locks 2 and 6.
  @Test("without the right to an exchange or a topic (403) ticks continue, and events follow when it is granted")
  func forbidden() async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        let exchanges = ["\(bus.names.stack)-no", "\(bus.names.stack)-yes"]
        try await broker.ctl("add_user", "pw", "correct-horse")
        try await broker.ctl("set_permissions", "pw", ".*", "^(?!.*-no$).*$", ".*")
        var login = try await broker.url()
        let user = login.user ?? ""
        (login.user, login.password) = ("pw", "correct-horse")
        service.environment["POCKETWATCH_AMQP_URL"] = login.string
        Self.allow(service, user, exchanges)
        let no = try await bus.messages(at: exchanges[0])
        let yes = try await bus.messages(at: exchanges[1])
        try await broker.ctl("set_topic_permissions", "pw", exchanges[1], "^Alarm$", ".*")
        try await service.start()
        try await bus.start(#""id": "plain", "every": "1s""#)
        try await start(bus, "no", #""exchange": "\#(exchanges[0])", "detailType": "Alarm""#, as: user)
        try await start(bus, "topic", #""exchange": "\#(exchanges[1])", "detailType": "Other""#, as: user)
        try await start(bus, "yes", #""exchange": "\#(exchanges[1])", "detailType": "Alarm""#, as: user)
        let entry = try await service.logs("schedules with this target wait")
        #expect(entry.message.contains("403"), "\(entry)")
        try await until("events where it may") { yes.all.count > 4 }
        #expect(no.all.isEmpty && yes.all.allSatisfy { text($0.routingKey) == "Alarm" })
        #expect(yes.all.allSatisfy { $0.properties.userID == "pw" }, "user_id is ours")
        #expect(yes.all.allSatisfy { $0.properties.headers["schedule-owner"]?.text == user })
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        try await broker.ctl("clear_topic_permissions", "pw")
        try await until("events once they are allowed", within: 120) {
          !no.all.isEmpty && yes.all.contains { text($0.routingKey) == "Other" }
        }
        try await expectUndisturbed(bus, "plain")
      }
    }
  }

  /// Lock 6.
  @Test("the second connection is closed: ticks continue on theirs, and events are sent again on another")
  func killedConnection() async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        let exchange = "\(bus.names.stack)-alarms"
        let user = try #require(try await broker.url().user)
        Self.allow(service, user, [exchange])
        let messages = try await bus.messages(at: exchange)
        try await service.start()
        func connections() async throws -> [String] {
          let list = try await broker.ctl("list_connections", "pid", "client_properties")
          return String(decoding: list, as: UTF8.self).split(separator: "\n")
            .filter { $0.contains("\(bus.names.stack) targets") }.compactMap { $0.split(separator: "\t").first }
            .map(String.init)
        }
        try await bus.start(#""id": "plain", "every": "1s""#)
        _ = try await bus.next("Schedule Tick", of: "plain")
        #expect(try await connections().isEmpty, "no target, no connection")
        try await start(bus, "k", #""exchange": "\#(exchange)", "detailType": "Alarm""#, as: user)
        var closed: Set<String> = []
        for _ in 1...3 {
          let count = messages.all.count
          try await until("an event") { messages.all.count > count }
          // It may have come on the connection that was closed before.
          let end = ContinuousClock.now + .seconds(60)
          var pid: String?
          while pid == nil, ContinuousClock.now < end { pid = try await connections().first { !closed.contains($0) } }
          let open = try #require(pid)
          closed.insert(open)
          try await broker.ctl("close_connection", open, "test")
        }
        let count = messages.all.count
        try await until("an event on another connection") { messages.all.count > count }
        #expect(service.log.count { $0.contains("schedules with this target wait") } <= 3)
        let ids = messages.all.map { text($0.properties.messageID) }
        let first = ids.enumerated().filter { !ids[..<$0.offset].contains($0.element) }.map(\.element)
        #expect(first == first.sorted() && ids.count - first.count <= 3, "first copies in order, few repeats")
        try await expectUndisturbed(bus, "plain")
      }
    }
  }
}
