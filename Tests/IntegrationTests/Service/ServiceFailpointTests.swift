import AMQP
import Foundation
import Glibc
import PocketwatchService
import Testing

/// P1, P17: faults exactly between two steps of a command or a tick. Needs a debug build.
@Suite(
  "The service: failpoints", .serialized, .timeLimit(.minutes(20)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceFailpointTests {
  private static let steps = [
    "decode", "beforeCommit", "afterCommit", "beforePublish", "afterPublish", "confirm", "beforeSettle", "afterSettle",
  ]

  @Test(
    "killed or hanging at each step: the next start finishes what it began", arguments: [CrashScenario.limit, .stop])
  func kill(in scenario: CrashScenario) async throws {
    let run = try await CrashPointRun(scenario, broker: TestEnvironment.brokerURL)
    try await run.run(at: Self.steps.flatMap { [.step($0), .hangingStep($0)] }, for: 900)
    #expect(run.leftOut.isEmpty)
    #expect(run.kills.allSatisfy { $0.count > 0 }, "each step is reached: \(run.kills)")
    let checker = BusHistoryChecker.check(run.client.history)
    #expect(checker.violations.isEmpty)
    print(
      "failpoints: \(scenario.rawValue): \(run.kills.map(\.count).reduce(0, +)) kills,"
        + " \(checker.figures.repeats) ticks repeated, \(checker.violations.count) violations")
  }

  @Test("slow at each step: nothing is duplicated, lost or out of order")
  func slow() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.failpoints = Self.steps.map { "\($0)=delay:100ms" }.joined(separator: ",")
      try await service.start()
      for id in ["a", "b"] { try await bus.start(#""id": "\#(id)", "cron": "* * * * * *", "limit": 4"#, messageID: id) }
      try await bus.stop("a")
      for id in ["a", "b"] { _ = try await bus.next("Schedule Stopped", of: id) }
      for step in Self.steps { #expect(service.log.contains { $0.hasPrefix("failpoint: \(step) ") }, "\(step)") }
      #expect(try await service.stop() == 0)
      #expect(
        bus.story(of: "b") == ["Schedule Started"] + Array(repeating: "Schedule Tick", count: 4) + ["Schedule Stopped"])
      #expect(bus.ticks(of: "b").map(\.detail.counter) == [0, 1, 2, 3])
      #expect(Set(bus.events.all.map(\.properties.messageID)).count == bus.events.all.count, "nothing twice")
    }
  }

  @Test("more suspensions for the disk than the delivery limit allows, and no command is dead-lettered")
  func pauses() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      #expect(try await service.stop() == 0)
      try Self.remakeCommandQueue(of: bus, deliveryLimit: 2)
      service.arguments = []
      // Commits 1, 3 and 5 to 7 fail. Before the first there is time for all commands to arrive.
      let failures = [1, 3, 5, 6, 7].map { "beforeCommit=error@\($0)" }
      service.failpoints = "beforeCommit=delay:2s@1," + failures.joined(separator: ",")
      try await service.start()
      var ids = (0..<12).map { "p\($0)" }
      try await bus.startAll(ids, #""every": "1h""#)
      for id in ids { _ = try await bus.next("Schedule Started", of: id) }
      // The number of transactions depends on timing: further commands follow until all failures have occurred.
      while service.log.count(where: { $0.hasPrefix("failpoint: beforeCommit error") }) < 5 {
        let id = "p\(ids.count)"
        ids.append(id)
        try await bus.start(#""id": "\#(id)", "every": "1h""#, messageID: id)
        _ = try await bus.next("Schedule Started", of: id)
      }
      // One entry per series of failures: three, and more if the inbox stores something in between.
      #expect((3...5).contains(service.log.count { $0.contains("the database cannot be written") }))
      try await bus.settle()
      let started = bus.events.all.filter { $0.name == "Schedule Started" }.compactMap(\.detail.id)
      var seen: Set<String> = []
      #expect(started.filter { seen.insert($0).inserted && $0.hasPrefix("p") } == ids, "each, in order")
      #expect(dead.all.map(\.text) == [])
    }
  }

  /// Replaces the command queue that the service declared by one with another delivery limit.
  private static func remakeCommandQueue(of bus: ServiceBus, deliveryLimit: Int32) throws {
    var arguments = Table()
    for argument in Topology(names: bus.names).commandQueueArguments { arguments[argument.name] = argument.value }
    arguments["x-delivery-limit"] = .int32(deliveryLimit)
    try bus.withConnection { connection in
      try connection.deleteQueue(bus.names.commandQueue)
      try connection.declareQueue(bus.names.commandQueue, arguments: arguments)
      for key in TopologyNames.commandKeys {
        try connection.bindQueue(bus.names.commandQueue, to: bus.names.eventBus, routingKey: key)
      }
    }
  }

  @Test("a command that kills the process is dead-lettered, and its neighbours are applied in order")
  func poison() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      #expect(try await service.stop() == 0)
      for id in ["before", "poison", "after-1", "after-2"] {
        try await bus.start(#""id": "\#(id)", "every": "1h""#, messageID: id)
      }
      service.failpoints = "decode/poison=kill"
      var crashes = 0
      while crashes < 30 {
        try service.launch()
        try await until("a crash, or the end of the poison") { service.program?.hasEnded ?? true || !dead.all.isEmpty }
        guard service.program?.hasEnded ?? true else { break }
        #expect(try await service.end() == -SIGKILL)
        crashes += 1
      }
      print("failpoints: the poison was dead-lettered after \(crashes) crashes")
      // Once on first delivery, once with its neighbours from the inbox, and twice alone.
      #expect(crashes == 4)
      #expect(try await dead.next("the poison").properties.messageID == Array("poison".utf8))
      // The broker may learn of the last crash before we do.
      try await Task.sleep(for: .seconds(1))
      if service.program?.hasEnded ?? true {
        _ = try await service.end()
        try await service.start()
      }
      try await bus.settle()
      #expect(dead.all.count == 1)
      let started = bus.events.all.filter { $0.name == "Schedule Started" }.compactMap(\.detail.id)
      var seen: Set<String> = []
      #expect(started.filter { seen.insert($0).inserted }.prefix(3) == ["before", "after-1", "after-2"])
    }
  }
}
