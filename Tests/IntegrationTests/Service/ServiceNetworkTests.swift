import AMQP
import Foundation
import Glibc
import PocketwatchService
import Testing

/// P7, P14: a network between service and broker that is slow or gone, and a service that is frozen.
@Suite(
  "The service: network", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceNetworkTests {
  @Test("a network that drops everything is noticed within two heartbeats, and the other URL is used")
  func hole() async throws {
    try await ServiceProcess.throughProxy { proxy, service, bus in
      service.environment["POCKETWATCH_AMQP_URL"]? += " \(TestEnvironment.brokerURL)"
      try await service.start()
      try await bus.start(#""id": "h", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "h")
      proxy.becomeHole()
      let begin = MachineDelay()
      try await service.logs("not ready: the")
      #expect(begin.undelayed < .seconds(25))
      // The broker misses our heartbeats, too, and releases the queue.
      try await service.logs(#"":"ready""#, within: .seconds(90))
      let seen = bus.ticks(of: "h").count
      try await until("ticks again") { firstCopies(of: bus.ticks(of: "h")).count > seen }
      try await bus.stop("h")
      _ = try await bus.next("Schedule Stopped", of: "h")
      let ticks = firstCopies(of: bus.ticks(of: "h"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
      #expect(try await service.stop() == 0)
    }
  }

  @Test("a slow broker: no more than the window is in flight, so no more is repeated after a kill")
  func slow() async throws {
    try await ServiceProcess.throughProxy(.lag(milliseconds: 250)) { _, service, bus in
      service.environment["POCKETWATCH_PUBLISH_WINDOW"] = "16"
      try await service.start()
      let ids = (0..<200).map { "s\($0)" }
      try await bus.startAll(ids, #""at": "2026-01-01T00:00:00Z""#)
      try await until("some ticks") { bus.events.all.count(where: \.isTick) >= 20 }
      try await service.kill()
      service.environment["POCKETWATCH_AMQP_URL"] = TestEnvironment.brokerURL
      try await service.start()
      try await until("all ticks") { Set(bus.events.all.filter(\.isTick).map(\.detail.tickId)).count == ids.count }
      try await bus.settle()
      let ticks = bus.events.all.filter { $0.isTick && $0.detail.id?.hasPrefix("s") == true }
      let repeats = ticks.count { $0.detail.id?.hasPrefix("settle") == false } - ids.count
      print("network: \(repeats) of \(ids.count) ticks repeated after a kill, the window is 16")
      #expect((0...16).contains(repeats))
    }
  }

  @Test(
    "frozen until the broker has dropped it: no stale acknowledgement, nothing early, duplicates only of ticks in flight"
  )
  func frozen() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "f", "cron": "* * * * * *""#, messageID: "f")
      _ = try await bus.next("Schedule Tick", of: "f")
      service.program?.send(signal: SIGSTOP)
      for id in ["g", "i"] { try await bus.start(#""id": "\#(id)", "every": "1h""#, messageID: id) }
      try await bus.stop("g", messageID: "stop g")
      try await until("the broker to drop it", within: 90) {
        try bus.withConnection { try $0.checkQueue(bus.names.commandQueue)?.consumers } == 0
      }
      service.program?.send(signal: SIGCONT)
      try await service.logs(#"":"ready""#)
      _ = try await bus.next("Schedule Stopped", of: "g")
      _ = try await bus.next("Schedule Started", of: "i")
      try await bus.stop("f", messageID: "stop f")
      _ = try await bus.next("Schedule Stopped", of: "f")
      try await bus.settle()
      #expect(!service.log.contains { $0.contains("code 406") })
      let (all, ticks) = (bus.ticks(of: "f"), firstCopies(of: bus.ticks(of: "f")))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
      #expect(all.count - ticks.count <= 1, "one tick of a schedule is in flight at a time")
      #expect(bus.story(of: "g").last == "Schedule Stopped")
    }
  }
}
