import Foundation
import Testing

/// A process with low resource limits.
@Suite(
  "The service: limits", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceLimitTests {
  @Test("32 open files and 1 GiB of address space suffice, also for new connections; idle it uses no processor time")
  func enough() async throws {
    try await ServiceProcess.throughProxy { proxy, service, bus in
      service.tracer = ["/usr/bin/prlimit", "--nofile=32", "--as=\(1 << 30)"]
      try await service.start()
      try await bus.start(#""id": "l", "cron": "* * * * * *", "timezone": "Europe/Rome", "limit": 6"#)
      for _ in 0..<3 {
        _ = try await bus.next("Schedule Tick", of: "l")
        proxy.endAll()
      }
      _ = try await bus.next("Schedule Stopped", of: "l")
      #expect(firstCopies(of: bus.ticks(of: "l")).map(\.detail.counter) == Array(0..<6))
      let before = try service.processorTime()
      try await Task.sleep(for: .seconds(3))  // idle
      #expect(try service.processorTime() - before < .milliseconds(500))
      #expect(try await service.stop() == 0)
      #expect(try service.databaseComplaints() == [])
    }
  }

  @Test("less is refused at once, with code 71 and the limit to raise", arguments: ["nofile=31", "as=400000000"])
  func tooLittle(limit: String) async throws {
    let service = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
    service.tracer = ["/usr/bin/prlimit", "--\(limit)"]
    try service.launch()
    let complaints = try #require(service.program).complaints
    #expect(try await service.end() == 71)
    #expect(complaints.all.count == 1 && complaints.all[0].contains("are required: raise it"), "\(complaints.all)")
    #expect(!FileManager.default.fileExists(atPath: service.database), "nothing has begun")
    await service.dispose()
  }
}
