import AMQP
import Foundation
import PocketwatchService
import Testing

/// P1, P14, P15, P18: broker outages, each on a broker of its own.
@Suite(
  "The service: outages of the broker", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceOutageTests {
  @Test("a broker that is down at the start is waited for")
  func awayAtStart() async throws {
    try await PrivateBroker.running([]) { broker in
      let url = try #require(try await broker.url().string)
      try await broker.command("stop")
      let service = try ServiceProcess.make(broker: url)
      try service.launch()
      try await service.logs("not ready: cannot reach the broker")
      #expect(!service.log.contains { $0.contains(#"":"ready""#) })
      try await broker.command("start")
      let back = MachineDelay()
      try await service.logs(#"":"ready""#)
      #expect(back.undelayed < .seconds(10))
      #expect(try await service.stop() == 0)
      await service.dispose()
    }
  }

  @Test(
    "a broker that ends and returns: the service resumes within 10 s and loses nothing",
    arguments: ["restart", "kill"])
  func restart(how: String) async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.running(on: try #require(try await broker.url().string)) { service, bus in
        try await bus.start(#""id": "r", "cron": "* * * * * *", "payload": [1.0]"#)
        // A new quorum queue needs about 10 s before its broker may be killed.
        _ = try await bus.events.next("the tick at 12 s") { $0.detail.counter == 12 }
        try await broker.command(how == "kill" ? "kill" : "stop")
        try await service.logs("not ready: the")
        try await broker.command("start")
        let back = MachineDelay()
        let returned = bus.ticks(of: "r").count
        try await service.logs(#"":"ready""#)
        _ = try await bus.events.next("a tick after the outage") { ($0.detail.counter ?? 0) > returned }
        // A broker that has just started is slow itself, beside others on a machine.
        #expect(back.undelayed < .seconds(20))
        try await bus.reconnected()
        try await bus.stop("r")
        let stopped = try await bus.next("Schedule Stopped", of: "r")

        let ticks = firstCopies(of: bus.ticks(of: "r"))
        expectEverySlot(ticks, everyMilliseconds: 1000)
        #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
        #expect(stopped.detail.counter == ticks.count)
        let changes = service.log.filter { $0.contains(#""level":"warning""#) || $0.contains(#"":"ready""#) }
        // A broker that starts slowly may cause a further reason meanwhile, which is logged once, too.
        let isReady = changes.map { !$0.contains("not ready: ") }
        #expect(isReady.first == true && isReady.last == true && isReady.count(where: { !$0 }) <= 2, "\(changes)")
        #expect(isReady.count { $0 } == 2, "one entry each: \(changes)")
        #expect(try await service.stop() == 0)
      }
    }
  }

  @Test(
    "a broker that blocks publishing: nothing is published, and afterwards everything in order",
    arguments: [
      (["set_vm_memory_high_watermark", "0"], ["set_vm_memory_high_watermark", "0.4"]),
      (["set_disk_free_limit", "9999GB"], ["set_disk_free_limit", "1MB"]),
    ])
  func alarm(raise: [String], lower: [String]) async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.running(on: try #require(try await broker.url().string)) { service, bus in
        try await bus.start(#""id": "a", "cron": "* * * * * *""#)
        try await bus.start(#""id": "b", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "b")
        try await broker.ctl(raise)
        try await service.logs("publishing blocked by the broker")
        let before = bus.events.all.count
        try await Task.sleep(for: .seconds(4))
        #expect(bus.events.all.count <= before + 2, "those that the broker already had")
        try await broker.ctl(lower)
        try await service.logs(#"":"ready""#)
        for id in ["a", "b"] {
          try await until("a tick of \(id) that had to wait") {
            bus.ticks(of: id).contains { ($0.lateness ?? 0) > 1000 }
          }
          try await bus.stop(id)
          let stopped = try await bus.next("Schedule Stopped", of: id)
          let ticks = bus.ticks(of: id)
          expectEverySlot(ticks, everyMilliseconds: 1000)
          #expect(ticks.map(\.detail.counter) == Array(0..<(stopped.detail.counter ?? 0)))
        }
      }
    }
  }

  /// A stop waits for confirms that do not come; a frozen broker answers nothing at all.
  @Test("a stop takes 10 s at most, whatever the broker does", arguments: ["alarm", "freeze"])
  func stop(during outage: String) async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.running(on: try #require(try await broker.url().string)) { service, bus in
        try await bus.start(#""id": "s", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "s")
        if outage == "alarm" {
          try await broker.ctl("set_vm_memory_high_watermark", "0")
          try await service.logs("publishing blocked by the broker")
        } else {
          try await broker.command("freeze")
          try await Task.sleep(for: .seconds(2))  // a tick is sent and no confirm comes
        }
        let asked = MachineDelay()
        #expect(try await service.stop() == 0)
        #expect(asked.undelayed < .seconds(10))
        if outage == "freeze" { try await broker.command("thaw") }
      }
    }
  }

  @Test("a frozen broker is noticed within about two heartbeats, and waited for")
  func frozen() async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.running(on: try #require(try await broker.url().string)) { service, bus in
        try await bus.start(#""id": "f", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "f")
        try await broker.command("freeze")
        let frozen = MachineDelay()
        try await service.logs("not ready: the")
        #expect(frozen.undelayed < .seconds(25))
        // Stopping does not depend on it either.
        #expect(try await service.stop() == 0)
        try await broker.command("thaw")
        try await service.start()
        _ = try await bus.events.next("a tick after the thaw") { $0.isTick }
      }
    }
  }
}

/// P14: exchanges and queues that are missing or deleted.
@Suite(
  "The service: topology", .serialized,
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceTopologyTests {
  private let shared = PrivateBroker(folder: URL(filePath: TestEnvironment.brokerFolder))

  @Test(
    "a missing topology is named and waited for; a command queue that is deleted and imported again is consumed again")
  func missing() async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    service.arguments = []
    let (names, stack) = (service.names, service.names.stack)
    try service.launch()
    let entry = try await service.logs("missing on the broker")
    let all = "exchange \(names.eventBus), exchange \(stack).dead, queue \(stack).commands, queue \(stack).dead"
    #expect(entry.message.contains(all))
    #expect(entry.message.contains("pocketwatch definitions"))

    let file = try await definitions(of: service)
    try await shared.command("import", [file.path()])
    try await service.logs(#"":"ready""#)
    let bus = try await ServiceBus(names, broker: TestEnvironment.brokerURL)
    try await bus.start(#""id": "t", "cron": "* * * * * *""#)
    _ = try await bus.next("Schedule Tick")

    try bus.withConnection { try $0.deleteQueue(names.commandQueue) }
    try await service.logs("missing on the broker: queue \(stack).commands")
    _ = try await bus.next("Schedule Tick")
    try await shared.command("import", [file.path()])
    try await service.logs(#"":"ready""#)
    try await bus.stop("t")
    _ = try await bus.next("Schedule Stopped")
    expectEverySlot(bus.ticks(of: "t"), everyMilliseconds: 1000)
    #expect(service.log.filter { $0.contains("missing on the broker") }.count <= 6, "logged once, not in a loop")
    #expect(try await service.stop() == 0)
    await service.dispose()
    bus.close()
    for policy in [names.commandQueue, names.deadQueue] { try await shared.ctl("clear_policy", policy) }
  }

  /// The definitions that an operator would import for these names.
  private func definitions(of service: ServiceProcess) async throws -> URL {
    let arguments = ["definitions", "--stack", service.names.stack, "--event-bus", service.names.eventBus]
    let (code, text, _) = try await Program.run(TestEnvironment.binary, arguments)
    #expect(code == 0)
    let file = service.folder.appending(path: "definitions.json")
    try Data(text.utf8).write(to: file)
    return file
  }
}
