import AMQP
import Foundation
import PocketwatchService
import Recurrence
import Testing

/// P6, P14, P24: a broker that is up and refuses, by closing the channel, by nacks, by having no queue.
@Suite(
  "The service: refusals of the broker", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceRefusalTests {
  @Test("a revoked right (403): logged once with its remedy, no loop, and everything is sent when it is granted again")
  func rights() async throws {
    try await PrivateBroker.running([]) { broker in
      let url = try #require(try await broker.url().string)
      try await ServiceProcess.prepared(on: url) { service, bus in
        try await broker.ctl("add_user", "pw", "correct-horse")
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        var login = try await broker.url()
        (login.user, login.password) = ("pw", "correct-horse")
        service.environment["POCKETWATCH_AMQP_URL"] = login.string
        try await service.start()
        try await bus.start(#""id": "r", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "r")

        // Open channels cache permissions, so they notice late.
        try await broker.ctl("set_topic_permissions", "pw", bus.names.eventBus, "^Schedule Started$", ".*")
        try await broker.ctl("close_all_connections", "rights")
        let entry = try await service.logs("Grant the user this permission", within: .seconds(90))
        #expect(entry.message.contains("403") && entry.message.contains("Grant the user this permission"))
        let mark = service.log.count
        // Time for a loop, which must not be there.
        try await Task.sleep(for: .seconds(8))
        let entries = service.log.dropFirst(mark)
        #expect(entries.count(where: { $0.contains("ACCESS_REFUSED") }) <= 1, "\(entries)")
        #expect(!entries.contains { $0.contains(#"":"ready""#) }, "\(entries)")
        // The connection stays, for what may be published.
        #expect(entries.count { $0.contains("connected for publishing\"") } <= 1, "\(entries)")

        try await broker.ctl("clear_topic_permissions", "pw")
        try await service.logs(#"":"ready""#)
        try await bus.reconnected()
        try await bus.stop("r")
        _ = try await bus.next("Schedule Stopped", of: "r")
        let ticks = firstCopies(of: bus.ticks(of: "r"))
        expectEverySlot(ticks, everyMilliseconds: 1000)
        #expect(ticks.map(\.detail.counter) == Array(ticks.indices))

        let refusals = try brokerLog(broker).count { $0.contains("access_refused") || $0.contains("ACCESS_REFUSED") }
        print("refusals: 403 met \(refusals) times in 8 s and more")
        #expect(refusals <= 2 * 15, "each takes two lines; at most one attempt per second")
      }
    }
  }

  @Test(
    "without the right to read the command queue (403) ticks continue, with --declare, too", arguments: [true, false])
  func commandsRight(declares: Bool) async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        try await broker.ctl("add_user", "pw", "correct-horse")
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        var login = try await broker.url()
        (login.user, login.password) = ("pw", "correct-horse")
        service.environment["POCKETWATCH_AMQP_URL"] = login.string
        try await service.start()
        if !declares {
          #expect(try await service.stop() == 0)
          service.arguments = []
          try await service.start()
        }
        try await bus.start(#""id": "r", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "r")
        try await broker.ctl("set_permissions", "pw", ".*", ".*", "^(?!.*commands$).*$")
        try await broker.ctl("close_all_connections", "rights")
        let entry = try await service.logs("ACCESS_REFUSED")
        #expect(entry.message.contains("403") && entry.message.contains(bus.names.commandQueue), "\(entry)")
        let sent = bus.ticks(of: "r").compactMap(\.detail.counter).max() ?? 0
        _ = try await bus.events.next("ticks without commands") {
          $0.detail.id == "r" && ($0.detail.counter ?? 0) > sent + 5
        }
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        try await service.logs(#"":"ready""#)
        expectEverySlot(firstCopies(of: bus.ticks(of: "r")), everyMilliseconds: 1000)
        #expect(try await service.stop() == 0)
      }
    }
  }

  private func brokerLog(_ broker: PrivateBroker) throws -> [Substring] {
    let folder = broker.folder.appending(path: "log")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix("localhost.log") }
      .flatMap { try String(contentsOf: folder.appending(path: $0), encoding: .utf8).split(separator: "\n") }
  }

  @Test("a command queue that another client holds (405) or that has other arguments (406): logged once, waited for")
  func otherQueue() async throws {
    for (code, cure) in [("405", "holds it exclusively"), ("406", "was declared with different arguments: delete it")] {
      try await ServiceProcess.prepared { service, bus in
        let holder = try AMQPTest.connect()
        defer { holder.close() }
        try holder.declareQueue(bus.names.commandQueue, durable: code == "406", exclusive: code == "405")
        try service.launch()
        let entry = try await service.logs("code \(code)")
        #expect(entry.message.contains(cure) && entry.message.contains(bus.names.commandQueue), "\(entry.message)")
        try await Task.sleep(for: .seconds(3))
        #expect(service.log.count { $0.contains("code \(code)") } == 1)
        if code == "406" { try holder.deleteQueue(bus.names.commandQueue) } else { holder.close() }
        try await service.logs(#"":"ready""#)
        #expect(try await service.stop() == 0)
      }
    }
  }

  @Test("the exchange of the ticks is deleted and created again: no slot is lost")
  func exchange() async throws {
    try await ServiceProcess.running { service, bus in
      #expect(try await service.stop() == 0)
      service.arguments = []  // declares nothing
      try await service.start()
      try await bus.start(#""id": "x", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "x")
      try bus.withConnection { try $0.deleteExchange(bus.names.eventBus) }
      try await service.logs("missing on the broker: exchange \(bus.names.eventBus)")
      try bus.withConnection { connection in
        // What is published before the bindings exist is unroutable, which counts as sent: the alternate exchange has it.
        let (queue, unbound) = ("\(bus.names.stack).test", "\(bus.names.stack).unbound")
        try connection.declareExchange(unbound, type: "fanout", autoDelete: true)
        try connection.bindQueue(queue, to: unbound, routingKey: "")
        try connection.declareExchange(
          bus.names.eventBus, type: "topic", arguments: Table([("alternate-exchange", .string(unbound))]))
        for name in ServiceBus.eventNames {
          try connection.bindQueue(queue, to: bus.names.eventBus, routingKey: name)
        }
        for key in TopologyNames.commandKeys {
          try connection.bindQueue(bus.names.commandQueue, to: bus.names.eventBus, routingKey: key)
        }
      }
      try await service.logs(#"":"ready""#)
      try await bus.reconnected()
      try await bus.stop("x")
      _ = try await bus.next("Schedule Stopped", of: "x")
      let ticks = firstCopies(of: bus.ticks(of: "x"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
      #expect(
        service.log.count { $0.contains("missing on the broker") } == 1, "once for both connections")
    }
  }

  @Test("unroutable ticks count as sent, and are logged once")
  func unroutable() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "u", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "u")
      // The bus creates its queue again, after a second at least.
      try bus.withConnection { try $0.deleteQueue("\(bus.names.stack).test") }
      try await service.logs("unroutable tick")
      /// The first tick after those that were lost: they count.
      func next() -> ServiceEvent? {
        let ticks = bus.ticks(of: "u")
        return zip(ticks, ticks.dropFirst()).first { ($1.detail.counter ?? 0) >= ($0.detail.counter ?? 0) + 2 }?.1
      }
      try await until("a tick after the gap") { next() != nil }
      let (tick, first) = (try #require(next()), try #require(bus.ticks(of: "u").first?.slot))
      let counter = try #require(tick.detail.counter)
      #expect(try #require(tick.slot).milliseconds == first.milliseconds + Int64(counter) * 1000)
      #expect(service.log.count { $0.contains("unroutable tick") } == 1)
    }
  }

  @Test("a queue that rejects publishes: the same tick again until it is confirmed, and no other schedule is held up")
  func nacks() async throws {
    try await ServiceProcess.running { service, bus in
      let full = "\(bus.names.stack).full"
      let limited: Table = ["x-max-length": .int32(1), "x-overflow": "reject-publish"]
      try bus.withConnection { connection in
        try connection.declareQueue(full, arguments: limited)
        try connection.bindQueue(full, to: bus.names.eventBus, routingKey: "Schedule Tick")
      }
      try await bus.start(#""id": "n", "cron": "* * * * * *""#)
      try await service.logs("publish nacked; retrying")
      try await bus.start(#""id": "other", "every": "1h""#)
      _ = try await bus.next("Schedule Started", of: "other")
      try await until("the same tick, three times") {
        Dictionary(grouping: bus.ticks(of: "n"), by: \.detail.tickId).values.contains { $0.count >= 3 }
      }
      try bus.withConnection { try $0.deleteQueue(full) }
      let counter = bus.ticks(of: "n").compactMap(\.detail.counter).max() ?? 0
      _ = try await bus.events.next("ticks again") { $0.detail.id == "n" && ($0.detail.counter ?? 0) > counter + 1 }
      let ticks = firstCopies(of: bus.ticks(of: "n"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
      for copies in Dictionary(grouping: bus.ticks(of: "n"), by: \.detail.tickId).values {
        #expect(Set(copies.map(\.detail.counter)).count == 1 && Set(copies.map(\.slot)).count == 1)
      }
      #expect(service.log.count { $0.contains("publish nacked") } == 1)
    }
  }
}
