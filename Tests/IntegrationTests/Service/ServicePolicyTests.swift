import AMQP
import Foundation
import Recurrence
import Testing

/// P5: policies for missed slots and for ids that are live.
@Suite("The service: policies", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServicePolicyTests {
  /// The misfire threshold of the service under test.
  private static let threshold: Int64 = 1000
  private static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

  @Test("slots missed while the service was away: one tick for all, each, or none")
  func misfirePolicies() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_MISFIRE_THRESHOLD"] = "1s"
      try await service.start()
      let policies = ["fireOnce", "fireAll", "skip"]
      for policy in policies {
        try await bus.start(#""id": "\#(policy)", "cron": "* * * * * *", "misfirePolicy": "\#(policy)""#)
        _ = try await bus.next("Schedule Tick", of: policy)
      }
      #expect(try await service.stop() == 0)
      try await Task.sleep(for: .seconds(5))  // the outage
      let restarted = Self.now
      try await service.start()
      for policy in policies {
        _ = try await bus.events.next("a tick after the outage") {
          $0.isTick && $0.detail.id == policy && $0.slot.map { $0 > restarted.advanced(byMilliseconds: 1000) } ?? false
        }
      }
      let gaps = policies.map { Self.gaps(of: bus.ticks(of: $0)) }
      #expect(gaps[1].allSatisfy { $0.skipped == 0 && $0.missed == 0 }, "fireAll sends each: \(gaps[1])")
      #expect(gaps[0].contains { $0.missed >= 3 } && gaps[0].allSatisfy { $0.skipped == $0.missed }, "\(gaps[0])")
      #expect(gaps[2].contains { $0.skipped >= 3 } && gaps[2].allSatisfy { $0.missed == 0 }, "\(gaps[2])")
      for policy in policies {
        let ticks = bus.ticks(of: policy)
        #expect(ticks.map(\.detail.counter) == Array(0..<ticks.count), "only sent ticks count")
      }
      try await service.logs("missed slots skipped")
    }
  }

  /// Between each tick and the one before: the slots without a tick, and the tick's `missed`.
  private static func gaps(of ticks: [ServiceEvent]) -> [(skipped: Int, missed: Int)] {
    let slots = ticks.compactMap { $0.slot?.milliseconds }
    return zip(slots.dropFirst(), zip(slots, ticks.dropFirst())).map { slot, earlier in
      (Int((slot - earlier.0) / 1000) - 1, earlier.1.detail.missed ?? 0)
    }
  }

  @Test("catchupWindow: older slots are not sent")
  func catchupWindow() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_MISFIRE_THRESHOLD"] = "1s"
      try await service.start()
      let id = "window"
      try await bus.start(
        #""id": "\#(id)", "cron": "* * * * * *", "misfirePolicy": "fireAll", "catchupWindow": "3s""#)
      _ = try await bus.next("Schedule Tick", of: id)
      #expect(try await service.stop() == 0)
      try await Task.sleep(for: .seconds(6))  // the outage
      let back = Self.now
      try await service.start()
      let next = try await bus.events.next("a tick after the outage") {
        $0.isTick && $0.detail.id == id && Instant(rfc3339: $0.time).map { $0 >= back } ?? false
      }
      #expect(try #require(next.slot) >= back.advanced(byMilliseconds: -3000), "\(next), started at \(back.rfc3339)")
      #expect(try #require(next.lateness) > Self.threshold, "\(next)")
    }
  }

  @Test("ifExists: a live schedule is kept, is replaced if its definition differs, or the Start is rejected")
  func ifExists() async throws {
    try await ServiceProcess.running { service, bus in
      let definition = #""id": "e", "every": "1h", "payload": {"a": 1}"#
      try await bus.start(definition)
      let first = try await bus.next("Schedule Started")
      for (member, isKept) in [("keep", true), ("replaceIfChanged", true)] {
        try await bus.start(definition + #", "limit": 0, "ifExists": "\#(member)""#)
        let again = try await bus.next("Schedule Started")
        #expect(again.detail.kept == isKept && again.detail.replaced == nil)
        #expect(again.detail.nextTickDate == first.detail.nextTickDate, "its phase stays")
        #expect(first.effectID != nil && again.effectID == nil)
      }
      try await bus.start(definition + #", "limit": 5, "ifExists": "keep""#)
      let kept = try await bus.next("Schedule Started")
      #expect(kept.detail.kept == true && kept.detail.limit == nil && kept.payload == #"{"a": 1}"#)
      try await bus.start(definition + #", "ifExists": "reject""#)
      let rejected = try await bus.next("Schedule Rejected")
      #expect(rejected.detail.field == "ifExists" && rejected.detail.id == "e")
      try await bus.start(definition + #", "limit": 5, "ifExists": "replaceIfChanged""#)
      let replaced = try await bus.next("Schedule Started")
      #expect(replaced.detail.replaced == true && replaced.detail.kept == nil && replaced.detail.limit == 5)
      try await bus.stop("e")
      _ = try await bus.next("Schedule Stopped")
      try await bus.start(definition + #", "ifExists": "reject""#)
      #expect(try await bus.next("Schedule Started").detail.replaced == nil)
    }
  }

  /// The columns of schema version 2.
  @Test("policies outlive a restart")
  func policiesAreStored() async throws {
    try await ServiceProcess.running { service, bus in
      let definition =
        #""id": "p", "every": "1s", "misfirePolicy": "skip", "catchupWindow": "90 s", "ifExists": "keep""#
      try await bus.start(definition)
      try await service.kill()
      try await service.start()
      let tick = try await bus.next("Schedule Tick", of: "p")
      for text in [#""misfirePolicy":"skip""#, #""catchupWindow":"90 s""#, #""ifExists":"keep""#] {
        #expect(tick.body.contains(text))
      }
    }
  }
}
