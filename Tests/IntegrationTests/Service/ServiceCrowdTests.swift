import Foundation
import Testing

/// P24: more readers than there is room for.
@Suite(
  "The service: a crowd of readers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceCrowdTests {
  private static let paths = [
    "/", "/schedules", "/schedules?state=ended", "/schedule?id=t", "/recent", "/metrics", "/api/v1/overview",
  ]

  @Test("a thousand concurrent requests are all answered, in bounded memory, and ticks continue")
  func thousand() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      let port = try #require(Int(try await service.httpAddress().trimmingPrefix("127.0.0.1:")))
      try await bus.start(#""id": "t", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "t")
      let before = try service.residentMemory()
      for _ in 1...2 {
        let statuses = try await ClientCrowd.get(
          (0..<1000).map { Self.paths[$0 % Self.paths.count] }, port: port, header: try service.authorization())
        let odd = statuses.filter { $0 != 200 && $0 != 503 }
        #expect(odd.isEmpty, "\(odd)")
        #expect(statuses.contains(200))
      }
      let gained = try service.residentMemory() - before
      #expect(gained < 128 << 20, "\(gained) bytes")
      _ = try await bus.next("Schedule Tick", of: "t")
      #expect(
        try await ClientCrowd.get(
          ["/healthz", "/readyz", "/schedule?id=t"], port: port, header: service.authorization()) == [200, 200, 200])
      let counters = firstCopies(of: bus.ticks(of: "t")).map(\.detail.counter)
      #expect(counters == Array(0..<counters.count), "each tick, in order")
      #expect(try await service.stop() == 0)
    }
  }
}
