import AMQP
import Testing

/// P2: an application that declares its schedules at each start, with `keep` or `replaceIfChanged`.
@Suite(
  "The service: declared again", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceDeclaredAgainTests {
  @Test(
    "a schedule that ended automatically does not run again", arguments: ["keep", "replaceIfChanged"])
  func declaredAgain(ifExists: String) async throws {
    try await ServiceProcess.running { service, bus in
      let declarations = [
        #""id": "limited", "cron": "* * * * * *", "limit": 2, "payload": [1.0], "ifExists": "\#(ifExists)""#,
        #""id": "past", "at": "2020-01-01T00:00:00Z", "ifExists": "\#(ifExists)""#,
      ]
      for declaration in declarations { try await bus.start(declaration) }
      _ = try await bus.next("Schedule Stopped", of: "limited")
      _ = try await bus.next("Schedule Tick", of: "past")
      try await bus.settle()
      for id in ["limited", "past"] { _ = try await bus.next("Schedule Started", of: id) }
      #expect(try await service.stop() == 0)
      try await service.start()
      var messageIDs: Set<[UInt8]?> = []
      for _ in 1...2 {
        for declaration in declarations { try await bus.start(declaration) }
        for (id, counter) in [("limited", 2), ("past", 1)] {
          let started = try await bus.next("Schedule Started", of: id)
          #expect(started.detail.kept == true && started.detail.ended == true)
          #expect(started.detail.counter == counter)
          #expect(started.effectID == nil && messageIDs.insert(started.properties.messageID).inserted)
          #expect(started.payload == (id == "limited" ? "[1.0]" : nil))
        }
      }
      try await bus.settle()
      #expect(bus.ticks(of: "limited").count == 2 && bus.ticks(of: "past").count == 1)
      // Changed, it is another schedule.
      try await bus.start(declarations[0].replacing("1.0", with: "1"))
      #expect(try await bus.next("Schedule Started", of: "limited").detail.kept == nil)
      _ = try await bus.next("Schedule Stopped", of: "limited")
      #expect(bus.ticks(of: "limited").count == 4)
    }
  }
}
