import AMQP
import Foundation
import PocketwatchService
import Recurrence
import Scheduling
import Testing

/// Questions, and replies to questions and commands, as a client with a queue of its own sees them.
@Suite(
  "The service: questions and replies", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceQuestionTests {
  /// The properties of a request.
  private static func asking(
    _ address: String?, messageID: String? = nil, correlationID: String? = nil
  ) -> Properties {
    var properties = Properties.named(messageID)
    properties.replyTo = address.map { Array($0.utf8) }
    properties.correlationID = correlationID.map { Array($0.utf8) }
    return properties
  }

  private static func describe(_ id: String, _ more: String = "") -> String {
    ServiceBus.event("Schedule Describe", #""id": "\#(id)"\#(more)"#)
  }

  private func ask(_ bus: ServiceBus, _ id: String, _ properties: Properties) async throws {
    try await bus.send("Schedule Describe", Self.describe(id), properties)
  }

  @Test("a schedule is described to the client that asks, and to nobody else")
  func describe() async throws {
    try await ServiceProcess.running { service, bus in
      let replies = try await bus.replies(to: "me")
      let user = try BrokerURL(TestEnvironment.brokerURL).user
      try await bus.start(#""id": "d", "cron": "* * * * * *", "payload": 1.0"#)
      _ = try await bus.next("Schedule Tick", of: "d")
      _ = try await bus.next("Schedule Tick", of: "d")
      try await bus.send(
        "Schedule Describe", Self.describe("d", #", "next": 2"#), Self.asking("me", messageID: "m", correlationID: "c"))
      let reply = try await replies.next("the reply")
      #expect(reply.name == "Schedule Described" && reply.source == "com.\(bus.names.stack)")
      let properties = reply.properties
      #expect(properties.correlationID == Array("c".utf8) && properties.type == reply.name)
      #expect(properties.deliveryMode == .transient && properties.expiration == "60000" && properties.userID == user)
      #expect(properties.appID == "pocketwatch" && properties.contentType == "application/json")
      #expect(reply.delivery.exchange == bus.names.replyExchange && reply.delivery.routingKey == Array("me".utf8))
      let detail = try #require(try JSONSerialization.jsonObject(with: Data(reply.delivery.body)) as? [String: Any])[
        "Detail"]
      let fields = try #require(detail as? [String: Any])
      #expect(fields["state"] as? String == "active" && fields["owner"] as? String == nil)
      #expect(
        (fields["next"] as? [String])?.count == 2 && (fields["next"] as? [String])?.first == reply.detail.nextTickDate)
      #expect(((fields["totals"] as? [String: Any])?["sent"] as? Int).map { $0 >= 1 } == true, "\(fields)")
      #expect(fields["createdDate"] != nil && fields["last"] != nil)
      #expect(reply.payload == "1.0")

      try await bus.send("Schedule Describe", Self.describe("nobody"), Self.asking("me", messageID: "m2"))
      let rejected = try await replies.next("the rejection")
      #expect(rejected.name == "Schedule Rejected" && rejected.detail.field == "id")
      #expect(rejected.properties.correlationID == Array("m2".utf8), "the message_id, for want of a correlation_id")
      try await bus.settle()
      #expect(bus.story(of: "nobody") == [], "nothing on the bus")
      #expect(!bus.events.all.contains { $0.name == "Schedule Described" })
    }
  }

  @Test("an outcome goes to the bus and to the client, and a question without reply_to is rejected on the bus")
  func outcomes() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      let replies = try await bus.replies(to: "me")
      try await bus.send(
        "Schedule Start", ServiceBus.event("Schedule Start", #""id": "o", "every": "1h""#),
        Self.asking("me", messageID: "s"))
      let reply = try await replies.next("the reply")
      let started = try await bus.next("Schedule Started", of: "o")
      #expect(reply.name == "Schedule Started" && reply.detail.nextTickDate == started.detail.nextTickDate)
      #expect(reply.properties.correlationID == Array("s".utf8))
      try await bus.send("Schedule Stop", ServiceBus.event("Schedule Stop", ""), Self.asking("me"))
      #expect(try await replies.next("the rejection").detail.field == "id")
      #expect(try await bus.next("Schedule Rejected").detail.field == "id")
      _ = try await dead.next("the malformed Stop")

      try await ask(bus, "o", .named("q"))
      let rejected = try await bus.next("Schedule Rejected")
      #expect(rejected.detail.field == "reply_to" && rejected.detail.id == "o")
      #expect(String(decoding: try await dead.next("the question").routingKey, as: UTF8.self) == "Schedule Describe")
    }
  }

  @Test("the first reply is not lost although it opens the connection, and a service without questions has none")
  func connection() async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        try await service.start()
        let replies = try await bus.replies(to: "me")
        func count() async throws -> Int {
          let names = try await broker.ctl("list_connections", "client_properties")
          return String(decoding: names, as: UTF8.self).ranges(of: "\(bus.names.stack) replies").count
        }
        #expect(try await count() == 0)
        try await ask(bus, "x", Self.asking("me"))
        _ = try await replies.next("the first reply")
        try await service.reconnects { try await broker.ctl("close_all_connections", "test") }
        try await bus.reconnected()
        try await until("a reply on another connection") {
          !replies.all.dropFirst().isEmpty
        } repeating: {
          try? await ask(bus, "x", Self.asking("me"))
        }
      }
    }
  }

  @Test("a listing has each schedule once while others are started, stopped and replaced, in pages of 256 KiB at most")
  func list() async throws {
    try await ServiceProcess.running { service, bus in
      let replies = try await bus.replies(to: "me")
      let tags = (0..<16).map { #""\#(String(repeating: "t", count: 60))\#($0)""# }.joined(separator: ", ")
      let lasting = (0..<250).map { "keep-\($0)" }
      try await bus.startAll(lasting, #""every": "1h", "group": "g", "tags": [\#(tags)], "payload": [1, 2, 3]"#)
      try await bus.startAll(["elsewhere"], #""every": "1h""#)
      for id in lasting + ["elsewhere"] { _ = try await bus.next("Schedule Started", of: id) }
      for limit in [1000, 40] {
        var (ids, pages, next) = ([String](), 0, String?.none)
        repeat {
          let more = next.map { #", "next": "\#($0)""# } ?? ""
          try await bus.send(
            "Schedule List", ServiceBus.event("Schedule List", #""group": "g", "limit": \#(limit)\#(more)"#),
            Self.asking("me"))
          let reply = try await replies.next("page \(pages)")
          #expect(reply.name == "Schedule Listed" && reply.delivery.body.count <= 256 << 10)
          let page = try JSONDecoder().decode(Page.self, from: Data(reply.delivery.body)).Detail
          ids += page.schedules.map(\.id)
          (pages, next) = (pages + 1, page.next)
          #expect(!reply.body.contains("payload"))
          try await bus.start(#""id": "m-\#(pages)", "every": "1h", "group": "g""#)
          if pages > 1 { try await bus.stop("m-\(pages - 1)") }
          try await bus.start(#""id": "keep-\#(pages)", "every": "2h", "group": "g", "tags": [\#(tags)]"#)
        } while next != nil && pages < 500
        #expect(pages > 1 && Set(ids).count == ids.count, "\(pages)")
        #expect(Set(ids).isSuperset(of: lasting) && !ids.contains("elsewhere"))
      }
      try await bus.send(
        "Schedule List", ServiceBus.event("Schedule List", #""next": "0123""#), Self.asking("me"))
      #expect(try await replies.next("the rejection").detail.field == "next")
    }
  }

  private struct Page: Decodable {
    struct Schedule: Decodable { var id: String }
    struct Fields: Decodable {
      var schedules: [Schedule]
      var next: String?
    }
    var Detail: Fields
  }

  // MARK: Refusals of the broker

  @Test("without the exchange of the replies ticks continue, it is logged once, and replies follow when it is back")
  func missingExchange() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "e", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "e")
      try bus.withConnection { try $0.deleteExchange(bus.names.replyExchange) }
      for _ in 1...5 { try await ask(bus, "e", Self.asking("me")) }
      let entry = try await service.logs("refuses replies to clients")
      #expect(entry.message.contains("404") && entry.message.contains(bus.names.replyExchange), "\(entry)")
      let sent = bus.ticks(of: "e").compactMap(\.detail.counter).max() ?? 0
      _ = try await bus.events.next("ticks") { $0.detail.id == "e" && ($0.detail.counter ?? 0) > sent + 2 }
      #expect(service.log.count { $0.contains("refuses replies to clients") } == 1)
      #expect(!service.log.contains { $0.contains("not ready: ") && $0.contains("replies") })
      let replies = try await bus.replies(to: "me")
      try await until("a reply") {
        !replies.all.isEmpty
      } repeating: {
        try? await ask(bus, "e", Self.asking("me"))
      }
      try await service.logs("replies are sent again")
      try await expectUndisturbed(bus, "e")
    }
  }

  @Test("without the right to the exchange of the replies (403) ticks continue, and replies follow when it is granted")
  func forbidden() async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        try await broker.ctl("add_user", "pw", "correct-horse")
        try await broker.ctl("set_permissions", "pw", ".*", "^(?!.*replies$).*$", ".*")
        var login = try await broker.url()
        (login.user, login.password) = ("pw", "correct-horse")
        service.environment["POCKETWATCH_AMQP_URL"] = login.string
        try await service.start()
        let replies = try await bus.replies(to: "me")
        try await bus.start(#""id": "f", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "f")
        for _ in 1...5 { try await ask(bus, "f", Self.asking("me")) }
        let entry = try await service.logs("refuses replies to clients")
        #expect(entry.message.contains("403"), "\(entry)")
        #expect(replies.all.isEmpty)
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        // The open channel caches the permission for a while.
        try await broker.ctl("close_all_connections", "rights")
        try await bus.reconnected()
        try await until("a reply") {
          !replies.all.isEmpty
        } repeating: {
          try? await ask(bus, "f", Self.asking("me"))
        }
        try await expectUndisturbed(bus, "f")
      }
    }
  }

  // MARK: Hostile clients

  @Test("an address reaches nothing but what a client has bound to the exchange of the replies")
  func hostileAddresses() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      let dead = try await bus.deadLetters()
      let names = bus.names
      let refused = [
        "Schedule Start", "Schedule Tick", "Schedule ", "Message Send", "amq.rabbitmq.reply-to.g1h2AA==",
      ]
      let harmless = [
        names.commandQueue, names.deadQueue, "\(names.stack).test", names.eventBus, names.replyExchange, "amq.gen-x",
        "#", "*", "a\nb", String(repeating: "r", count: 255),
      ]
      // Even bound there they get no reply.
      var witnesses: [Inflow<ServiceEvent>] = []
      for address in refused { witnesses.append(try await bus.replies(to: address)) }
      let replies = try await bus.replies(to: "me")
      let all = refused + harmless
      for address in all {
        try await ask(bus, "nobody", Self.asking(address, messageID: address.count > 200 ? nil : address))
      }
      var bytes = Properties()
      bytes.replyTo = [0xFF, 0xFE]
      try await ask(bus, "nobody", bytes)
      try await ask(bus, "nobody", Self.asking("me"))
      #expect(try await replies.next("the reply behind them").name == "Schedule Rejected")
      try await bus.settle()
      #expect(witnesses.allSatisfy { $0.all.isEmpty })
      #expect(bus.story(of: "nobody") == [] && dead.all.isEmpty, "\(dead.all)")
      #expect(!service.log.contains { $0.contains("refuses replies") })
      let metrics = try await metrics(of: service)
      #expect(metrics.contains(#"pocketwatch_replies_total{result="refused"} \#(refused.count + 1)"#), "\(metrics)")
      #expect(metrics.contains(#"pocketwatch_replies_total{result="sent"} \#(harmless.count + 1)"#))
      #expect(metrics.contains(#"pocketwatch_commands_total{result="described",type="describe"} \#(all.count + 2)"#))
    }
  }

  private func metrics(of service: ServiceProcess) async throws -> String {
    let address = try await service.httpAddress()
    let output = try await PrivateBroker.run(
      "/usr/bin/curl", ["--silent", "-H", try service.authorization(), "http://\(address)/metrics"])
    return String(decoding: output, as: UTF8.self)
  }

  @Test("direct reply-to works if it is switched on, and leads to no queue", arguments: [true, false])
  func directReply(isOn: Bool) async throws {
    try await ServiceProcess.prepared { service, bus in
      if isOn { service.environment["POCKETWATCH_DIRECT_REPLY"] = "on" }
      try await service.start()
      let client = try RawClient(try BrokerURL(TestEnvironment.brokerURL))
      try client.consume("amq.rabbitmq.reply-to", tag: "r", prefetch: 1, acknowledges: false)
      try client.publish(
        Self.describe("x"), to: bus.names.eventBus, "Schedule Describe", replyTo: "amq.rabbitmq.reply-to")
      let replies = try await bus.replies(to: "me")
      // Behind it, so that its reply would be there.
      try await ask(bus, "y", Self.asking("me"))
      _ = try await replies.next("the reply behind it")
      if isOn {
        #expect(try client.take(1)[0].body.contains(#""DetailType":"Schedule Rejected""#))
      } else {
        #expect(client.untaken.isEmpty)
      }
      try client.close()
    }
  }

  @Test("a flood of questions: each is answered, in order, and neither ticks nor commands are lost or displaced")
  func flood() async throws {
    try await ServiceProcess.running { service, bus in
      let replies = try await bus.replies(to: "me")
      try await bus.start(#""id": "t", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "t")
      let before = bus.ticks(of: "t").count
      let count = 5000
      let body = Array(Self.describe("t").utf8)
      try await bus.send(
        (0..<count).map { bus.message("Schedule Describe", body, Self.asking("me", correlationID: "\($0)")) })
      try await bus.start(#""id": "behind", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "behind", within: .seconds(240))
      try await until("all replies", within: 240) { replies.all.count >= count }
      #expect(replies.all.count == count)
      let order = replies.all.map { String(decoding: $0.properties.correlationID ?? [], as: UTF8.self) }
      #expect(order == (0..<count).map { "\($0)" }, "in order, each once")
      let counters = replies.all.compactMap(\.detail.counter)
      #expect(counters.count == count && counters == counters.sorted(), "each sees the schedule as it was then")
      #expect(counters.last ?? 0 >= before)
      _ = try await bus.events.next("ticks") { $0.isTick && ($0.detail.counter ?? 0) > before + 2 }
      try await expectUndisturbed(bus, "t")
      #expect(try await service.stop() == 0)
    }
  }
}

/// As `until`, with something to do before each look.
private func until(
  _ what: String, within seconds: Int = 60, _ isSo: () throws -> Bool, repeating act: () async -> Void
) async throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while try !isSo() {
    guard ContinuousClock.now < end else { throw Unexpected("\(what) did not come within \(seconds) s") }
    await act()
    try await Task.sleep(for: .milliseconds(100))
  }
}
