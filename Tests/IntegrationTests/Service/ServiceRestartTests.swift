import AMQP
import Foundation
import Recurrence
import Testing

/// P5 to P8, P18: schedules outlive the process, however it ends.
@Suite("The service: restarts", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceRestartTests {
  @Test("a clean stop exits 0 within 10 s, repeats nothing and loses nothing")
  func cleanStop() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "c", "every": "1s", "limit": 8"#)
      for _ in 1...3 {
        _ = try await bus.next("Schedule Tick", of: "c")
        let asked = MachineDelay()
        #expect(try await service.stop() == 0)
        #expect(asked.undelayed < .seconds(10))
        try await service.start()
      }
      _ = try await bus.next("Schedule Stopped", of: "c", within: .seconds(120))
      let ticks = bus.ticks(of: "c")
      #expect(ticks.map(\.detail.counter) == Array(0...7))
      expectEverySlot(ticks, everyMilliseconds: 1000)
    }
  }

  @Test("kill -9 at any moment: counters exact, every slot accounted for, duplicates under the same tickId")
  func kill() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "k", "cron": "* * * * * *", "limit": 10, "payload": 1.0"#)
      for _ in 1...4 {
        _ = try await bus.next("Schedule Tick", of: "k")
        try await service.kill()
        try await service.start()
      }
      _ = try await bus.next("Schedule Stopped", of: "k", within: .seconds(120))
      try await bus.settle()
      let ticks = bus.ticks(of: "k")
      expectEverySlot(firstCopies(of: ticks), everyMilliseconds: 1000)
      #expect(firstCopies(of: ticks).map(\.detail.counter) == Array(0...9))
      #expect(Dictionary(grouping: ticks, by: \.detail.tickId).values.allSatisfy(areCopies))
      #expect(bus.story(of: "k").last == "Schedule Stopped")
      let started = bus.events.all.filter { $0.name == "Schedule Started" && $0.detail.id == "k" }
      #expect(Set(started.compactMap(\.effectID)).count == 1)
    }
  }

  @Test("kill -9 right after a burst of commands: each is answered, none has two effects")
  func killInABurst() async throws {
    try await ServiceProcess.running { service, bus in
      let ids = (0..<200).map { "burst-\($0)" }
      try await bus.startAll(ids, #""cron": "0 0 1 1 *""#)
      try await service.kill()
      try await service.start()
      for id in ids { _ = try await bus.next("Schedule Started", of: id) }
      try await bus.settle()
      let started = bus.events.all.filter { $0.name == "Schedule Started" }
      for event in started where event.detail.replaced == true { Issue.record("applied twice: \(event)") }
      let byID = Dictionary(grouping: started, by: \.detail.id)
      // None at all if only the duplicate was answered.
      #expect(byID.values.allSatisfy { Set($0.compactMap(\.effectID)).count <= 1 })
    }
  }

  @Test(
    "slots missed while the service was away: one tick for the latest, which counts the others",
    arguments: ["SIGTERM", "kill -9"])
  func missed(how: String) async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_MISFIRE_THRESHOLD"] = "1s"
      try await service.start()
      try await bus.start(#""id": "m", "cron": "* * * * * *""#)
      let before = try await bus.next("Schedule Tick", of: "m")
      if how == "SIGTERM" { #expect(try await service.stop() == 0) } else { try await service.kill() }
      let ended = Date.now
      // Time has to pass: four slots.
      try await Task.sleep(for: .seconds(4.5))
      let back = Date.now
      try await service.start()
      let folded = try await bus.events.next("a tick with folded slots") {
        $0.detail.missed != nil && Double($0.slot?.milliseconds ?? 0) / 1000 > ended.timeIntervalSince1970
      }
      try await bus.stop("m")
      _ = try await bus.next("Schedule Stopped", of: "m")

      #expect(try #require(folded.detail.missed) >= 2)
      #expect(try #require(folded.slot) > (try #require(before.slot)))
      let slot = try #require(folded.slot).milliseconds
      #expect(Double(slot) / 1000 > back.timeIntervalSince1970 - 1.5, "it is the latest slot")
      let ticks = firstCopies(of: bus.ticks(of: "m"))
      expectEverySlot(ticks, everyMilliseconds: 1000)
      #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
    }
  }

  @Test("a one-shot that became due while the service was down is sent late, and once")
  func oneShot() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "o", "duration": "1s""#)
      let started = try await bus.next("Schedule Started", of: "o")
      #expect(try await service.stop() == 0)
      let isEarly = bus.ticks(of: "o").isEmpty
      try await Task.sleep(for: .seconds(1.5))
      try await service.start()
      let tick = try await bus.next("Schedule Tick", of: "o")
      #expect(tick.detail.scheduledTime == started.detail.nextTickDate)
      #expect(tick.detail.missed == nil)
      #expect(isEarly || (tick.lateness ?? 0) < 1500)
      try await bus.settle()
      #expect(bus.story(of: "o") == ["Schedule Started", "Schedule Tick"])
    }
  }
}

/// The ticks without duplicates.
func firstCopies(of ticks: [ServiceEvent]) -> [ServiceEvent] {
  var seen: Set<String> = []
  return ticks.filter { seen.insert($0.detail.tickId ?? "").inserted }
}

/// Whether these are copies of one tick.
private func areCopies(_ ticks: [ServiceEvent]) -> Bool {
  Set(ticks.map(\.properties.messageID)).count == 1 && Set(ticks.map(\.detail.scheduledTime)).count == 1
    && Set(ticks.map(\.detail.counter)).count == 1 && Set(ticks.map(\.payload)).count == 1
}

/// Expects ticks in slot order, each slot in between sent or counted as missed, and none early.
func expectEverySlot(
  _ ticks: [ServiceEvent], everyMilliseconds interval: Int64, sourceLocation: SourceLocation = #_sourceLocation
) {
  for (previous, tick) in zip(ticks, ticks.dropFirst()) {
    let distance = (tick.slot?.milliseconds ?? 0) - (previous.slot?.milliseconds ?? 0)
    #expect(
      distance == interval * Int64((tick.detail.missed ?? 0) + 1), "\(previous)\n\(tick)",
      sourceLocation: sourceLocation)
  }
  #expect(ticks.allSatisfy { ($0.lateness ?? -1) >= 0 }, "a tick was early", sourceLocation: sourceLocation)
}

/// Stops a schedule that ticks every second, and expects that each of its slots had its tick.
func expectUndisturbed(_ bus: ServiceBus, _ id: String) async throws {
  try await bus.stop(id)
  _ = try await bus.next("Schedule Stopped", of: id)
  let ticks = firstCopies(of: bus.ticks(of: id))
  expectEverySlot(ticks, everyMilliseconds: 1000)
  #expect(ticks.map(\.detail.counter) == Array(ticks.indices))
}
