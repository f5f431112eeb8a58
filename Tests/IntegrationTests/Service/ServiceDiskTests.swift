import AMQP
import Foundation
import PocketwatchService
import Testing

/// P4, P16: a disk that is full or read-only.
@Suite(
  "The service: its disk", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: SmallDisk.canBeMade, SmallDisk.needsRoot))
struct ServiceDiskTests {
  @Test("full while commands arrive: nothing is acknowledged, answered or sent; with room everything is, exactly once")
  func full() async throws {
    try await onSmallDisk { disk, service, bus in
      try await service.start()
      try await bus.start(#""id": "t", "cron": "* * * * * *", "limit": 12, "misfirePolicy": "fireAll""#, messageID: "t")
      _ = try await bus.next("Schedule Tick", of: "t")
      try disk.fill()
      let entry = try await service.logs("the database cannot be written")
      #expect(entry.message.contains("The disk of \(service.database) is full; free some space"))
      let ids = (0..<60).map { "c\($0)" }
      try await bus.startAll(ids, #""every": "1h", "limit": 2, "payload": "\#(String(repeating: "x", count: 2000))""#)
      try await until("the commands to be returned") { try waitingCommands(bus) == ids.count }
      let before = bus.events.all.count
      try await Task.sleep(for: .seconds(4))  // anything sent all the same would be seen now
      #expect(bus.events.all.count == before, "\(bus.events.all.dropFirst(before))")
      #expect(try waitingCommands(bus) == ids.count)
      #expect(
        service.log.count { $0.contains("is full; free some space") } == 2, "once as an error, once as not ready")

      try disk.makeRoom()
      let room = ContinuousClock.now
      try await service.logs(#"":"ready""#)
      #expect(ContinuousClock.now - room < .seconds(30))
      for id in ids { _ = try await bus.next("Schedule Started", of: id) }
      print("disk: all \(ids.count) commands answered \(ContinuousClock.now - room) after there was room")
      let stopped = try await bus.next("Schedule Stopped", of: "t")
      #expect(stopped.detail.reason == "Count Limit Reached" && stopped.detail.counter == 12)
      #expect(bus.ticks(of: "t").map(\.detail.counter) == Array(0..<12), "none is lost, none is repeated")
      expectEverySlot(bus.ticks(of: "t"), everyMilliseconds: 1000)
      #expect(bus.events.all.count { $0.name == "Schedule Started" } == ids.count + 1)
      #expect(try await service.stop() == 0)
      #expect(try service.databaseComplaints() == [])
    }
  }

  private func waitingCommands(_ bus: ServiceBus) throws -> Int? {
    try bus.withConnection { try $0.checkQueue(bus.names.commandQueue)?.messages }
  }

  @Test("full at the start: logged once with its remedy, waited for, and a stop meanwhile is clean")
  func fullAtStart() async throws {
    try await onSmallDisk { disk, service, bus in
      try await service.start()
      try await bus.start(#""id": "s", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "s")
      try await service.kill()
      try disk.fill()
      try service.launch()
      try await service.logs("not ready: the database: The disk of")
      try await Task.sleep(for: .seconds(3))  // it must not log again
      #expect(service.log.count { $0.contains("is full; free some space") } == 1)
      #expect(try await service.stop() == 0)
      try service.launch()
      try await service.logs("not ready: the database: The disk of")
      try disk.makeRoom()
      try await service.logs(#"":"ready""#)
      let seen = bus.ticks(of: "s").count
      try await until("ticks again") { firstCopies(of: bus.ticks(of: "s")).count > seen }
      expectEverySlot(firstCopies(of: bus.ticks(of: "s")), everyMilliseconds: 1000)
    }
  }

  @Test("read-only: the start is refused with the reason and the file not changed; writable, it works again")
  func readOnly() async throws {
    try await onSmallDisk { disk, service, bus in
      try await service.start()
      try await bus.start(#""id": "r", "every": "1h""#, messageID: "r")
      _ = try await bus.next("Schedule Started", of: "r")
      #expect(throws: Unexpected.self, "not while a file is open") { try disk.set(isReadOnly: true) }
      #expect(try await service.stop() == 0)
      let content = try Data(contentsOf: URL(filePath: service.database))
      try disk.set(isReadOnly: true)
      try service.launch()
      let log = try #require(service.program).complaints
      #expect(try await service.end() == 8)
      let complaint = log.all.joined(separator: "\n")
      #expect(complaint.contains(service.database) && complaint.contains("Read-only file system"), "\(complaint)")
      #expect(try Data(contentsOf: URL(filePath: service.database)) == content)
      try disk.set(isReadOnly: false)
      try await service.start()
      try await bus.stop("r")
      _ = try await bus.next("Schedule Stopped", of: "r")
      #expect(try await service.stop() == 0)
    }
  }

  /// Runs `body` with a service that is not started and has its database on a disk of 4 MiB.
  private func onSmallDisk(_ body: (SmallDisk, ServiceProcess, ServiceBus) async throws -> Void) async throws {
    let disk = try SmallDisk(megabytes: 4)
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_DATABASE"] = disk.folder.appending(path: "pocketwatch.sqlite").path()
      try await body(disk, service, bus)
    }
  }
}
