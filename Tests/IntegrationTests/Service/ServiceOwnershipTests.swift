import AMQP
import Foundation
import PocketwatchService
import Testing

/// P13: one process owns a database, and one service a command queue.
@Suite("The service: ownership", .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceOwnershipTests {
  @Test("a second process on a database exits at once with code 3, before it connects to the broker")
  func database() async throws {
    try await ServiceProcess.running { service, bus in
      let second = try ServiceProcess.make(broker: TestEnvironment.brokerURL)
      second.environment["POCKETWATCH_DATABASE"] = service.database
      for frozen in [false, true] {
        // A frozen owner still owns it.
        if frozen { service.program?.send(signal: SIGSTOP) }
        let begun = MachineDelay()
        try second.launch()
        let program = second.program
        #expect(try await second.end() == 3)
        #expect(begun.undelayed < .seconds(10), "at once; the machine may be busy")
        let log = program?.complaints.all ?? []
        #expect(log.contains { $0.contains(service.database) }, "\(log)")
        #expect(!log.contains { $0.contains("connect") }, "\(log)")
        // It declares its topology when it connects, and the name is unique.
        #expect(try bus.withConnection { try $0.checkQueue(second.names.commandQueue) } == nil)
      }
      service.program?.send(signal: SIGCONT)
      await second.dispose()
      try await bus.start(#""id": "alive", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick")
    }
  }

  @Test(
    "a second service on a command queue waits 30 s for the first to end, then exits with code 4",
    .timeLimit(.minutes(3)))
  func commandQueue() async throws {
    try await ServiceProcess.running { service, bus in
      let folder = service.folder.appending(path: "second")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let second = ServiceProcess(names: service.names, folder: folder, broker: TestEnvironment.brokerURL)
      let begun = ContinuousClock.now
      try second.launch()
      try await second.logs("has another consumer")
      let program = second.program
      #expect(try await second.end(within: .seconds(90)) == 4)
      #expect(ContinuousClock.now - begun >= .seconds(29))
      let log = program?.complaints.all ?? []
      #expect(log.last?.contains("another service consumes \(service.names.commandQueue)") == true, "\(log)")
      #expect(!log.contains { $0.contains(#""ready""#) })
      try await bus.start(#""id": "undisturbed", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick")
    }
  }

  /// A slow network extends the time between checking for another consumer and becoming one.
  @Test("of two services that start at the same moment one exits with code 4 and the other stays")
  func sameMoment() async throws {
    var url = try #require(URLComponents(string: TestEnvironment.brokerURL))
    let proxy = try AMQPProxy(to: UInt16(try #require(url.port)), .lag(milliseconds: 100))
    defer { proxy.close() }
    url.port = Int(proxy.port)
    let first = try ServiceProcess.make(broker: try #require(url.string))
    let folder = first.folder.appending(path: "second")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let second = ServiceProcess(names: first.names, folder: folder, broker: try #require(url.string))
    for service in [first, second] { try service.launch() }
    for service in [first, second] {
      try await until("a look at the queue") {
        service.log.contains { $0.contains("connected for consuming") || $0.contains("has another consumer") }
      }
    }
    proxy.becomePrompt()
    try await until("the end of one") { first.hasEnded || second.hasEnded }
    let (gone, left) = first.hasEnded ? (first, second) : (second, first)
    #expect(gone.log.last?.contains("another service consumes") == true, "\(gone.log)")
    #expect(try await gone.end() == 4)
    let bus = try await ServiceBus(left.names, broker: TestEnvironment.brokerURL)
    try await bus.start(#""id": "left", "duration": "1s""#)
    _ = try await bus.next("Schedule Tick")
    #expect(try await left.stop() == 0)
    await gone.dispose()
    await left.dispose()
    bus.close()
  }

  @Test("a service on a copy of the database sends no tick while the first runs")
  func copiedDatabase() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "c", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Started")
      #expect(try await service.stop() == 0)
      let second = ServiceProcess(
        names: service.names, folder: service.folder.appending(path: "second"), broker: TestEnvironment.brokerURL)
      try FileManager.default.createDirectory(at: second.folder, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: service.database, toPath: second.database)
      try await service.start()
      try second.launch()
      try await second.logs("has another consumer")
      for _ in 1...4 { _ = try await bus.next("Schedule Tick") }
      await second.dispose()
      let ticks = bus.ticks(of: "c").map(\.detail.tickId)
      #expect(Set(ticks).count == ticks.count, "\(ticks)")
    }
  }

  @Test("a service that starts while the first is ending takes over")
  func takeOver() async throws {
    try await ServiceProcess.running { service, bus in
      let folder = service.folder.appending(path: "second")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let second = ServiceProcess(names: service.names, folder: folder, broker: TestEnvironment.brokerURL)
      try second.launch()
      try await second.logs("has another consumer")
      #expect(try await service.stop() == 0)
      try await second.logs(#""ready""#)
      try await bus.start(#""id": "second", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick")
      #expect(try await second.stop() == 0)
    }
  }
}
