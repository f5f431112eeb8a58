import AMQP
import Foundation
import PocketwatchService
import Recurrence
import Testing

/// P3, P24: publications that the broker refuses by closing the channel, or never confirms, hold up no other.
@Suite(
  "The service: refused publications", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServicePublishingTests {
  /// Runs `body` with a service on a broker of its own with these further lines of configuration.
  private func running(
    _ configuration: String = "", _ body: (PrivateBroker, ServiceProcess, ServiceBus) async throws -> Void
  ) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "rabbitmq-\(UUID().uuidString).conf")
    try Data((configuration + "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try await PrivateBroker.running(["--config", file.path()]) { broker in
      let url = try #require(try await broker.url().string)
      try await ServiceProcess.running(on: url) { try await body(broker, $0, $1) }
    }
  }

  /// For events that nothing holds back: less than the minute after which one that is held back expires.
  private static let patience = Duration.seconds(25)

  private static let limit = 200_000

  /// A Start that fits, and whose events do not.
  private func largeStart(_ id: String, _ bus: ServiceBus) async throws {
    let beside = ServiceBus.event("Schedule Start", #""id": "\#(id)", "every": "1h", "payload": """#).utf8.count
    let payload = String(repeating: "x", count: Self.limit - 10 - beside)
    try await bus.start(#""id": "\#(id)", "every": "1h", "payload": "\#(payload)""#)
  }

  @Test("a broker with a message limit: learnt from one channel error, then such Starts are rejected; ticks continue")
  func tooLarge() async throws {
    try await running("max_message_size = \(Self.limit)") { _, service, bus in
      try await bus.start(#""id": "beat", "cron": "* * * * * *""#)
      for _ in 0..<3 { _ = try await bus.next("Schedule Tick", of: "beat") }
      try await largeStart("first", bus)
      try await service.logs("the broker accepts no messages over \(Self.limit) bytes")
      for number in 0..<20 {
        try await largeStart("large-\(number)", bus)
        let rejected = try await bus.next("Schedule Rejected", of: "large-\(number)", within: Self.patience)
        #expect(rejected.detail.field == "payload")
        #expect(rejected.detail.reason?.contains("at most \(Self.limit)") == true)
      }
      try await bus.start(#""id": "other", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "other", within: Self.patience)
      for _ in 0..<3 { _ = try await bus.next("Schedule Tick", of: "beat") }
      let ticks = firstCopies(of: bus.ticks(of: "beat"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      let lateness = ticks.compactMap(\.lateness)
      print("publishing: lateness beside Starts that are too large, ms: \(lateness)")
      #expect(lateness.max() ?? .max < 500)
      #expect(service.log.count { $0.contains("the broker accepts no messages over") } == 1)
      #expect(!service.log.contains { $0.contains("not connected for publishing") })
      // Its Started expires, its effect is stored: its Stop is answered.
      try await service.logs("outcome expired", within: .seconds(100))
      #expect(try await service.stop() == 0)
    }
  }

  @Test("no topic right for one event: it is held back, the others continue, and readiness has one stable reason")
  func noTopicRight() async throws {
    try await running { broker, service, bus in
      #expect(try await service.stop() == 0)
      try await broker.ctl("add_user", "pw", "correct-horse")
      try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
      try await broker.ctl(
        "set_topic_permissions", "pw", bus.names.eventBus, "^Schedule (Tick|Started|Stopped)$", ".*")
      var login = try await broker.url()
      (login.user, login.password) = ("pw", "correct-horse")
      service.environment["POCKETWATCH_AMQP_URL"] = login.string
      try await service.start()
      try await bus.start(#""id": "beat", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "beat")
      let before = bus.ticks(of: "beat").count
      for _ in 0..<5 { try await bus.stop("unknown") }
      let entry = try await service.logs("cannot be published, all others are")
      #expect(entry.message.contains("Schedule Rejected") && entry.message.contains("Grant the user this permission"))
      let mark = service.log.count
      try await Task.sleep(for: .seconds(12))
      try await bus.start(#""id": "other", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "other", within: Self.patience)
      let entries = service.log.dropFirst(mark)
      #expect(!entries.contains { $0.contains(#"":"ready""#) || $0.contains("not ready") }, "\(entries)")
      #expect(!entries.contains { $0.contains("connected for publishing") }, "\(entries)")
      try await until("the ticks of that time") { bus.ticks(of: "beat").count >= before + 11 }
      let ticks = firstCopies(of: bus.ticks(of: "beat"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      let lateness = ticks.compactMap(\.lateness)
      print("publishing: lateness beside a missing right, ms: \(lateness)")
      #expect(lateness.max() ?? .max < 25_000, "none waited for the end of what is held back")
      try await broker.ctl("clear_topic_permissions", "pw")
      try await service.logs(#"":"ready""#, within: .seconds(90))
      #expect(try await service.stop() == 0)
    }
  }

  @Test("a full queue bound to Schedule Rejected: outcomes expire after a minute, others are answered meanwhile")
  func fullQueue() async throws {
    try await ServiceProcess.running { service, bus in
      let full = "\(bus.names.stack).full"
      let limited: Table = ["x-max-length": .int32(0), "x-overflow": "reject-publish"]
      try bus.withConnection { connection in
        try connection.declareQueue(full, arguments: limited)
        try connection.bindQueue(full, to: bus.names.eventBus, routingKey: "Schedule Rejected")
      }
      defer { try? bus.withConnection { try $0.deleteQueue(full) } }
      try await bus.stop("unknown")
      try await service.logs("publish nacked; retrying")
      try await bus.start(#""id": "other", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Started", of: "other", within: Self.patience)
      try await service.logs("outcome expired", within: .seconds(100))
      try await until("the command is acknowledged") {
        (try? bus.withConnection { try $0.checkQueue(bus.names.commandQueue)?.messages == 0 }) == true
      }
      expectEverySlot(firstCopies(of: bus.ticks(of: "other")), everyMilliseconds: 1000)
      #expect(try await service.stop() == 0)
    }
  }

  @Test("a queue that never confirms: other events continue")
  func neverConfirms() async throws {
    try await running { broker, service, bus in
      let stuck = "\(bus.names.stack).stuck"
      try bus.withConnection { connection in
        try connection.declareQueue(stuck, durable: true)
        try connection.bindQueue(stuck, to: bus.names.eventBus, routingKey: "Schedule Stopped")
      }
      let find = "{ok, Q} = rabbit_amqqueue:lookup({resource, <<\"/\">>, queue, <<\"\(stuck)\">>})"
      try await broker.ctl("eval", "\(find), sys:suspend(amqqueue:get_pid(Q)).")
      try await bus.start(#""id": "beat", "cron": "* * * * * *""#)
      for number in 0..<50 { try await bus.start(#""id": "once-\#(number)", "every": "1s", "limit": 1"#) }
      try await service.logs("publish not confirmed in 30 s", within: .seconds(90))
      try await bus.start(#""id": "other", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "other", within: Self.patience)
      expectEverySlot(firstCopies(of: bus.ticks(of: "beat")), everyMilliseconds: 1000)
      #expect(!service.log.contains { $0.contains("nacked") })
      try await broker.ctl("eval", "\(find), sys:resume(amqqueue:get_pid(Q)).")
      #expect(try await service.stop() == 0)
    }
  }

  @Test("with --declare, a lost right to read the command queue stops no tick")
  func noReadRight() async throws {
    try await running { broker, service, bus in
      #expect(try await service.stop() == 0)
      try await broker.ctl("add_user", "pw", "correct-horse")
      try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
      var login = try await broker.url()
      (login.user, login.password) = ("pw", "correct-horse")
      service.environment["POCKETWATCH_AMQP_URL"] = login.string
      try await service.start()
      try await bus.start(#""id": "beat", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "beat")
      try await broker.ctl("set_permissions", "pw", ".*", ".*", "^$")
      try await broker.ctl("close_all_connections", "rights")
      try await bus.reconnected()
      let before = bus.ticks(of: "beat").count
      try await until("further ticks") { bus.ticks(of: "beat").count >= before + 8 }
      expectEverySlot(firstCopies(of: bus.ticks(of: "beat")), everyMilliseconds: 1000)
      #expect(try await service.stop() == 0)
    }
  }
}
