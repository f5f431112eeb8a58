import AMQP
import Foundation
import Recurrence
import Testing

/// P9, P12: steps of the wall clock while the service runs.
@Suite(
  "The service: its clock", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: FakedClock.isAvailable, FakedClock.needsIt))
struct ServiceClockTests {
  private static let hour = 3600.0
  private static let year2100 = Instant(rfc3339: "2100-02-28T23:59:50Z")
  private static let year1970 = Instant(rfc3339: "1970-01-01T00:01:00Z")

  @Test("set forward by an hour, a day, to 2100: one tick for all missed slots, then it continues")
  func forward() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      let policies = ["fireOnce", "skip", "fireAll"]
      for policy in policies {
        try await bus.start(
          #""id": "\#(policy)", "cron": "* * * * * *", "misfirePolicy": "\#(policy)", "catchupWindow": "2m""#)
        _ = try await bus.next("Schedule Tick", of: policy)
      }
      let far = Double(try #require(Self.year2100).milliseconds - clock.now.milliseconds) / 1000
      for offset in [Self.hour, 25 * Self.hour, far] {
        try clock.set(offset: offset)
        let reached = clock.now
        for policy in policies { try await ticks(of: policy, after: reached.advanced(byMilliseconds: 2000), on: bus) }
        let before = reached.advanced(byMilliseconds: -1_800_000)
        let caughtUp = bus.ticks(of: "fireAll").count { $0.slot.map { before < $0 && $0 <= reached } ?? false }
        #expect((80...121).contains(caughtUp), "121, but for those that left the window before it noticed: \(caughtUp)")
      }
      for policy in policies { expectOrder(bus.ticks(of: policy), by: clock) }
      #expect(bus.ticks(of: "fireOnce").compactMap(\.detail.missed) == [1000, 1000, 1000], "exact up to 1000")
      #expect(bus.ticks(of: "skip").allSatisfy { ($0.lateness ?? .max) < 60_000 })
      #expect(try await service.stop() == 0)
    }
  }

  @Test("set back by an hour: no slot twice, and the next one when it is due")
  func back() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      try await bus.start(#""id": "b", "cron": "* * * * * *""#)
      try await bus.start(#""id": "once", "duration": "40s""#)
      _ = try await bus.next("Schedule Tick", of: "b")
      try clock.set(offset: -Self.hour)
      // Until "once" is due by the true clock, and longer than the longest sleep: an early tick would come now.
      try await Task.sleep(for: .seconds(42))
      let seen = bus.ticks(of: "b")
      #expect(bus.ticks(of: "once").isEmpty, "due in an hour by that clock")
      try clock.set(offset: 0)
      try await ticks(of: "b", after: clock.now.advanced(byMilliseconds: 2000), on: bus)
      _ = try await bus.next("Schedule Tick", of: "once")
      expectOrder(bus.ticks(of: "b"), by: clock)
      expectOrder(bus.ticks(of: "once"), by: clock)
      let gap = try #require(bus.ticks(of: "b").dropFirst(seen.count).first?.lateness)
      print("clock: set back by an hour, \(seen.count) ticks before it was noticed; the first after it \(gap) ms late")
      #expect(!service.log.contains { $0.contains("set back by more than a day") })
      #expect(try await service.stop() == 0)
    }
  }

  @Test("set to 1970 for a while, with a start meanwhile: no slot twice, none lost, the limit exact")
  func visitTo1970() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      try await bus.start(#""id": "s", "cron": "* * * * * *""#)
      try await bus.start(#""id": "limited", "every": "1s", "limit": 10"#)
      try await bus.start(#""id": "once", "duration": "1h""#)
      for id in ["s", "limited"] { _ = try await bus.next("Schedule Tick", of: id) }
      try clock.set(to: try #require(Self.year1970))
      // A machine without a hardware clock starts there and is corrected a moment later.
      #expect(try await service.stop() == 0)
      try await service.start()
      let seen = bus.ticks(of: "s").count
      try await Task.sleep(for: .seconds(12))  // longer than the longest sleep: an early tick would come now
      #expect(bus.ticks(of: "s").count <= seen + 1)
      try clock.set(offset: 0)
      try await ticks(of: "s", after: clock.now.advanced(byMilliseconds: 2000), on: bus)
      _ = try await bus.next("Schedule Stopped", of: "limited")
      #expect(bus.ticks(of: "limited").map(\.detail.counter) == Array(0..<10))
      for id in ["s", "limited"] { expectOrder(bus.ticks(of: id), by: clock) }
      expectEverySlot(bus.ticks(of: "s"), everyMilliseconds: 1000)
      #expect(bus.ticks(of: "once").isEmpty)
      #expect(!service.log.contains { $0.contains("set back by more than a day") }, "a visit is none")
      #expect(try await service.stop() == 0)
    }
  }

  @Test("clock changes: a job at a fixed time runs once, after the gap or in the first of two repeated hours")
  func daylightSaving() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      let rome = #""timezone": "Europe/Rome""#
      try await bus.start(#""id": "fixed", "cron": "30 2 * * *", \#(rome)"#)
      try await bus.start(#""id": "periodic", "cron": "*/2 * * * * *", \#(rome)"#)
      _ = try await bus.next("Schedule Tick", of: "periodic")
      let spring = try await fixedTick(at: "2027-03-28T01:00:00.000Z", "2027-03-28T00:59:57Z", clock, bus)
      #expect(spring.detail.nextTickDate == "2027-03-29T00:30:00.000Z")
      let autumn = try await fixedTick(at: "2027-10-31T00:30:00.000Z", "2027-10-31T00:29:57Z", clock, bus)
      #expect(autumn.detail.nextTickDate == "2027-11-01T01:30:00.000Z")
      try clock.set(to: try #require(Instant(rfc3339: "2027-10-31T01:29:57Z")))
      try await ticks(of: "periodic", after: try #require(Instant(rfc3339: "2027-10-31T01:30:04Z")), on: bus)
      #expect(bus.ticks(of: "fixed").last?.detail.tickId == autumn.detail.tickId, "not a second time")
      for id in ["fixed", "periodic"] { expectOrder(bus.ticks(of: id), by: clock) }
      #expect(try await service.stop() == 0)
    }
  }

  /// Sets the clock to this time and waits for the next tick of the fixed job.
  private func fixedTick(
    at slot: String, _ time: String, _ clock: FakedClock, _ bus: ServiceBus
  ) async throws -> ServiceEvent {
    try clock.set(to: try #require(Instant(rfc3339: time)))
    return try await bus.events.next("the job at \(slot)") {
      $0.isTick && $0.detail.id == "fixed" && $0.detail.scheduledTime == slot
    }
  }

  @Test("set back and forth by 50 ms: no slot twice, none left out, none early")
  func jitter() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      try await bus.start(#""id": "j", "cron": "* * * * * *", "limit": 6"#)
      _ = try await bus.next("Schedule Started", of: "j")
      var isAhead = false
      while bus.ticks(of: "j").count < 6 {
        isAhead.toggle()
        try clock.set(offset: isAhead ? 0.05 : -0.05)
        try await Task.sleep(for: .milliseconds(70))
      }
      _ = try await bus.next("Schedule Stopped", of: "j")
      expectOrder(bus.ticks(of: "j"), by: clock)
      expectEverySlot(bus.ticks(of: "j"), everyMilliseconds: 1000)
      #expect(bus.ticks(of: "j").map(\.detail.counter) == Array(0..<6))
    }
  }

  @Test("an hour of outage with a thousand schedules each second: one tick per schedule, no flood")
  func hourAway() async throws {
    try await withClock { clock, service, bus in
      try await service.start()
      let ids = (0..<1000).map { "h\($0)" }
      try await bus.startAll(ids, #""cron": "* * * * * *""#)
      try await until("a tick of each") { Set(bus.events.all.filter(\.isTick).map(\.detail.id)).count == ids.count }
      #expect(try await service.stop() == 0)
      try clock.set(offset: Self.hour)
      let back = clock.now
      // By the time of sending: some that were sent before may arrive only now.
      func sentSince() -> [ServiceEvent] {
        bus.events.all.filter { event in event.isTick && Instant(rfc3339: event.time).map { $0 >= back } ?? false }
      }
      try await service.start()
      let begin = ContinuousClock.now
      try await until("the next tick of each") { Set(sentSince().map(\.detail.id)).count == ids.count }
      let time = ContinuousClock.now - begin
      try await service.kill()
      let since = sentSince()
      let folded = since.filter { $0.detail.missed != nil }
      print("clock: an hour away, then each of \(ids.count) schedules has ticked within \(time); \(since.count) ticks")
      #expect(folded.count == ids.count && folded.allSatisfy { $0.detail.missed == 1000 })
      #expect(since.allSatisfy { $0.slot.map { $0 >= back.advanced(byMilliseconds: -1000) } ?? false })
      let ticks = Dictionary(grouping: bus.events.all.filter(\.isTick), by: \.detail.id)
      for all in ticks.values { expectOrder(all, by: clock) }
    }
  }

  /// Runs `body` with a service that is not started and has a clock of its own.
  private func withClock(_ body: (FakedClock, ServiceProcess, ServiceBus) async throws -> Void) async throws {
    try await ServiceProcess.prepared { service, bus in
      let clock = try await FakedClock(in: service.folder)
      clock.rule(service)
      try await body(clock, service, bus)
    }
  }

  /// Waits for a tick with a slot at or after this instant.
  private func ticks(of id: String, after instant: Instant, on bus: ServiceBus) async throws {
    _ = try await bus.events.next("a tick of \(id) after \(instant.rfc3339)") { event in
      event.isTick && event.detail.id == id && event.slot.map { $0 >= instant } ?? false
    }
  }

  /// Expects ticks in slot order, without duplicates, none early.
  private func expectOrder(
    _ ticks: [ServiceEvent], by clock: FakedClock, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (previous, tick) in zip(ticks, ticks.dropFirst()) {
      let isInOrder = previous.slot.map { $0 < tick.slot ?? $0 } ?? false
      #expect(isInOrder, "\(previous)\n\(tick)", sourceLocation: sourceLocation)
    }
    expectUnique(ticks, by: clock, sourceLocation: sourceLocation)
  }

  /// Expects ticks without duplicates, none early.
  private func expectUnique(
    _ ticks: [ServiceEvent], by clock: FakedClock, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(Set(ticks.map(\.detail.tickId)).count == ticks.count, sourceLocation: sourceLocation)
    for tick in ticks {
      let isDue = tick.slot.map { $0 <= clock.reading(at: tick) } ?? false
      #expect(isDue && (tick.lateness ?? -1) >= 0, "early: \(tick)", sourceLocation: sourceLocation)
    }
  }
}
