import Foundation
import PocketwatchService
import Recurrence
import Testing

/// P8 to P10: what a schedule sends, as a client sees it.
@Suite("The service: schedules", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceScheduleTests {
  private var now: Instant { Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1000)) }

  @Test("cron with a limit of 3: ticks 0, 1 and 2, then Stopped, then nothing")
  func cronWithLimit() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "a", "cron": "* * * * * *", "limit": 3, "payload": {"any": "json"}"#)
      let started = try await bus.next("Schedule Started")
      let stopped = try await bus.next("Schedule Stopped")
      try await bus.settle()

      #expect(
        bus.story(of: "a") == ["Schedule Started"] + Array(repeating: "Schedule Tick", count: 3) + ["Schedule Stopped"])
      let ticks = bus.ticks(of: "a")
      #expect(ticks.map(\.detail.counter) == [0, 1, 2])
      for (index, tick) in ticks.enumerated() {
        let previous = index == 0 ? started : ticks[index - 1]
        #expect(tick.detail.scheduledTime == previous.detail.nextTickDate)
        #expect(tick.detail.tickId == "a@\(tick.detail.scheduledTime ?? "")")
        #expect(try #require(tick.lateness) >= 0, "a tick is never early")
        #expect(tick.detail.limit == 3)
        #expect(tick.detail.missed == nil)
        #expect(tick.payload == #"{"any": "json"}"#)
      }
      #expect(ticks.last?.detail.nextTickDate == nil)
      #expect(stopped.detail.reason == "Count Limit Reached")
      #expect(stopped.detail.counter == 3)
      #expect(stopped.payload == #"{"any": "json"}"#)
    }
  }

  @Test("the events have exactly the form of the contract")
  func wireForm() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(
        #""payload": {"any": "json"}, "limit": 1, "cron": "* * * * * *", "id": "test:schedule", "timezone": "Europe/Rome""#
      )
      let started = try await bus.next("Schedule Started")
      let tick = try await bus.next("Schedule Tick")
      let stopped = try await bus.next("Schedule Stopped")

      let definition = #""id":"test:schedule","cron":"* * * * * *","limit":1,"timezone":"Europe/Rome""#
      let slot = tick.detail.scheduledTime ?? ""
      let details = [
        (
          started,
          definition
            + #","counter":0,"nextTickDate":"\#(slot)","revision":1,"paused":false,"payload":{"any": "json"}"#
        ),
        (
          tick,
          definition
            + #","counter":0,"tickId":"test:schedule@\#(slot)","scheduledTime":"\#(slot)","payload":{"any": "json"}"#
        ),
        (stopped, definition + #","counter":1,"reason":"Count Limit Reached","payload":{"any": "json"}"#),
      ]
      for (event, detail) in details {
        let head = #""Source":"com.\#(bus.names.stack)","DetailType":"\#(event.name)","Time":"\#(event.time)""#
        #expect(event.body == #"{\#(head),"Detail":{\#(detail)}}"#)
        #expect(event.time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(event.time)")
      }
    }
  }

  @Test("a one-shot sends one tick and no Stopped", arguments: ["duration", "at", "at in the past"])
  func oneShot(kind: String) async throws {
    try await ServiceProcess.running { service, bus in
      let sent = now
      let soon = sent.advanced(byMilliseconds: 1500).rfc3339
      let timing =
        ["duration": #""duration": "1s""#, "at": #""at": "\#(soon)""#][kind] ?? #""at": "2020-02-29T12:00:00Z""#
      try await bus.start(#""id": "once", \#(timing), "limit": 7"#)
      let started = try await bus.next("Schedule Started")
      let tick = try await bus.next("Schedule Tick")
      try await bus.settle()

      #expect(bus.story(of: "once") == ["Schedule Started", "Schedule Tick"])
      #expect(tick.detail.scheduledTime == started.detail.nextTickDate)
      #expect(tick.detail.counter == 0 && tick.detail.nextTickDate == nil && tick.detail.missed == nil)
      #expect(try #require(tick.lateness) >= 0)
      switch kind {
      case "at": #expect(tick.detail.scheduledTime == soon)
      case "duration":
        // It counts from the arrival, which is before the outcome.
        let answered = try #require(Instant(rfc3339: started.time))
        let arrived = try #require(tick.slot).advanced(byMilliseconds: -1000)
        #expect(sent <= arrived && arrived <= answered)
      default: #expect(tick.detail.tickId == "once@2020-02-29T12:00:00.000Z")
      }
    }
  }

  @Test("a duration counts from the event's Time unless that is in the future")
  func eventTime() async throws {
    try await ServiceProcess.running { service, bus in
      func start(_ id: String, _ time: String) async throws -> ServiceEvent {
        try await bus.send(
          "Schedule Start",
          #"{"DetailType": "Schedule Start", "Time": "\#(time)", "Detail": {"id": "\#(id)", "duration": "1h"}}"#)
        return try await bus.next("Schedule Started", of: id)
      }
      let past = try await start("past", "2026-01-01T01:30:00.5+01:00")
      #expect(past.detail.nextTickDate == "2026-01-01T01:30:00.500Z")
      #expect(try await bus.next("Schedule Tick", of: "past").detail.scheduledTime == "2026-01-01T01:30:00.500Z")
      let sent = now
      let future = try await start("future", "2199-01-01T00:00:00Z")
      let answered = try #require(Instant(rfc3339: future.time))
      let slot = try #require(future.detail.nextTickDate.flatMap { Instant(rfc3339: $0) })
      let arrived = slot.advanced(byMilliseconds: -3_600_000)
      #expect(sent <= arrived && arrived <= answered)
    }
  }

  @Test("an interval keeps its phase, and ends with its end date")
  func interval() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(
        #""id": "e", "every": "1s", "startDate": "2026-01-01T00:00:00.250Z", "limit": 3, "jitter": "200ms""#)
      _ = try await bus.next("Schedule Stopped", of: "e")
      let slots = bus.ticks(of: "e").compactMap(\.slot?.milliseconds)
      #expect(slots.count == 3)
      #expect(slots.allSatisfy { $0 % 1000 == 250 })
      #expect(zip(slots, slots.dropFirst()).allSatisfy { $1 - $0 == 1000 })

      let end = now.advanced(byMilliseconds: 10_000)
      try await bus.start(#""id": "end", "cron": "* * * * * *", "endDate": "\#(end.rfc3339)""#)
      #expect(try await bus.next("Schedule Stopped", of: "end").detail.reason == "End Date Reached")
      #expect(bus.ticks(of: "end").compactMap(\.slot).allSatisfy { $0 <= end })
      #expect(bus.ticks(of: "end").last?.detail.nextTickDate == nil)
    }
  }

  @Test("Stop is final: no tick after its Stopped, and a second Stop is rejected")
  func stop() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "s", "cron": "* * * * * *""#)
      _ = try await bus.next("Schedule Tick", of: "s")
      try await bus.send(
        "Schedule Stop", ServiceBus.event("Schedule Stop", #""id": "s", "reason": "no longer needed""#))
      let stopped = try await bus.next("Schedule Stopped", of: "s")
      try await bus.settle()
      #expect(stopped.detail.reason == "no longer needed")
      #expect(stopped.detail.cron == "* * * * * *")
      #expect(stopped.detail.counter == bus.ticks(of: "s").count)
      #expect(bus.story(of: "s").last == "Schedule Stopped")

      try await bus.stop("s")
      let rejected = try await bus.next("Schedule Rejected", of: "s")
      #expect(rejected.detail.field == "id")
      #expect(rejected.detail.command == "Schedule Stop")
      #expect(rejected.detail.reason?.contains("no such schedule") == true)

      try await bus.start(#""id": "s", "duration": "1h""#)
      #expect(try await bus.next("Schedule Started", of: "s").detail.replaced == nil, "it had ended")
      try await bus.stop("s")
      #expect(try await bus.next("Schedule Stopped", of: "s").detail.reason == "stopped")
    }
  }

  @Test("a Start replaces a live schedule: counter back to 0, no tick of the old one")
  func replace() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "r", "cron": "* * * * * *", "payload": "old""#)
      _ = try await bus.next("Schedule Started", of: "r")
      _ = try await bus.next("Schedule Tick", of: "r")
      _ = try await bus.next("Schedule Tick", of: "r")
      try await bus.start(#""id": "r", "cron": "* * * * * *", "limit": 2, "payload": "new""#)
      let started = try await bus.next("Schedule Started", of: "r")
      #expect(started.detail.replaced == true)
      #expect(started.detail.counter == 0)
      _ = try await bus.next("Schedule Stopped", of: "r")
      try await bus.settle()

      let story = bus.events.all.filter { $0.detail.id == "r" }
      let change = try #require(story.lastIndex { $0.name == "Schedule Started" })
      #expect(story[..<change].allSatisfy { $0.payload == #""old""# })
      #expect(
        story[change...].map(\.name) == ["Schedule Started", "Schedule Tick", "Schedule Tick", "Schedule Stopped"])
      #expect(story[change...].dropFirst().dropLast().map(\.detail.counter) == [0, 1])
      #expect(story[change...].allSatisfy { $0.payload == #""new""# })
    }
  }

  @Test("hundreds of schedules at one moment all tick, none early, none twice")
  func many() async throws {
    try await ServiceProcess.running { service, bus in
      let at = now.advanced(byMilliseconds: 3000).rfc3339
      let ids = (0..<400).map { "many-\($0)" }
      try await bus.send(
        ids.map { id in
          bus.message(
            "Schedule Start", Array(ServiceBus.event("Schedule Start", #""id": "\#(id)", "at": "\#(at)""#).utf8))
        })
      for id in ids { _ = try await bus.next("Schedule Tick", of: id) }
      let ticks = bus.events.all.filter(\.isTick)
      #expect(ticks.count == ids.count)
      #expect(Set(ticks.compactMap(\.detail.tickId)) == Set(ids.map { "\($0)@\(at)" }))
      #expect(ticks.allSatisfy { ($0.lateness ?? -1) >= 0 })
    }
  }
}
