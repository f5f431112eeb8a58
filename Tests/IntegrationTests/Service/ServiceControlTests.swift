import AMQP
import Foundation
import Recurrence
import Scheduling
import Testing

/// P27 to P31: Pause, Resume, Trigger and Update by any client.
@Suite("The service: control", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceControlTests {
  private let everySecond = #""cron": "* * * * * *""#

  @Test("a paused schedule does not tick, also after kill -9, and resumes as the Resume says")
  func pause() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "p", "payload": 1.0, \#(everySecond)"#)
      _ = try await bus.next("Schedule Tick", of: "p")
      try await bus.command(.pause, #""id": "p", "reason": "holiday""#, messageID: "pause")
      let paused = try await bus.next("Schedule Paused")
      #expect(paused.detail.paused == true && paused.detail.revision == 2 && paused.detail.reason == "holiday")
      #expect(paused.detail.pausedDate != nil && paused.detail.nextTickDate == nil)
      #expect(paused.payload == "1.0")
      #expect(paused.properties.correlationID == Array("pause".utf8))
      let sent = bus.ticks(of: "p").count
      try await bus.settle()
      try await service.kill()
      try await service.start()
      try await bus.settle()
      #expect(bus.ticks(of: "p").count == sent, "none while paused")

      try await bus.command(.resume, #""id": "p", "misfirePolicy": "fireOnce""#)
      let resumed = try await bus.next("Schedule Resumed")
      #expect(resumed.detail.paused == false && resumed.detail.revision == 3)
      try await until("two ticks after the pause") { bus.ticks(of: "p").count > sent + 1 }
      let tick = bus.ticks(of: "p")[sent]
      #expect(tick.detail.counter == sent, "the counter continues")
      #expect(tick.detail.missed == resumed.detail.missed)
      expectEverySlot(firstCopies(of: bus.ticks(of: "p")), everyMilliseconds: 1000)
    }
  }

  @Test("a pause ends by itself, also while the service is away, and says so once")
  func end() async throws {
    try await ServiceProcess.running { service, bus in
      for id in ["here", "away"] {
        try await bus.start(#""id": "\#(id)", "paused": true, \#(everySecond)"#)
        #expect(try await bus.next("Schedule Started", of: id).detail.paused == true)
      }
      try await bus.command(.pause, #""id": "here", "for": "2s""#)
      let paused = try await bus.next("Schedule Paused", of: "here")
      let until = try #require(paused.detail.pausedUntil.flatMap { Instant(rfc3339: $0) })
      let resumed = try await bus.next("Schedule Resumed", of: "here")
      let sent = try #require(Instant(rfc3339: resumed.time))
      #expect(sent >= until, "never early")
      let first = try #require(try await bus.next("Schedule Tick", of: "here").slot)
      #expect(first > until && first.milliseconds - until.milliseconds <= 1000)
      #expect(bus.ticks(of: "here").first?.slot == first, "slots up to its end are skipped")

      try await bus.command(.pause, #""id": "away", "for": "2s""#)
      let last = try await bus.next("Schedule Paused", of: "away")
      let end = try #require(last.detail.pausedUntil.flatMap { Instant(rfc3339: $0) })
      try await service.kill()
      while Date().timeIntervalSince1970 * 1000 <= Double(end.milliseconds) {
        try await Task.sleep(for: .milliseconds(100))
      }
      try await service.start()
      let again = try await bus.next("Schedule Resumed", of: "away")
      #expect(try #require(again.detail.missed) >= 2)
      _ = try await bus.next("Schedule Tick", of: "away")
      #expect(bus.story(of: "away").count { $0 == "Schedule Resumed" } == 1)
      let messageID = String(decoding: again.properties.messageID ?? [], as: UTF8.self)
      #expect(messageID.hasPrefix("away@") && messageID.contains("/resumed/"))
    }
  }

  @Test("a triggered tick comes at once, also while paused, survives kill -9, and counts nothing")
  func trigger() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "t", "cron": "0 0 1 1 *", "limit": 1, "paused": true, "payload": {"a": 1}"#)
      try await bus.command(.trigger, #""id": "t""#, messageID: "one")
      let triggered = try await bus.next("Schedule Triggered")
      let tick = try await bus.next("Schedule Tick", of: "t")
      #expect(tick.isTriggered && tick.detail.counter == 0 && tick.payload == #"{"a": 1}"#)
      #expect(tick.detail.tickId == triggered.detail.tickId)
      #expect(tick.properties.messageID == triggered.detail.tickId.map { Array($0.utf8) })
      #expect(tick.properties.correlationID == Array("one".utf8))
      try await bus.command(.trigger, #""id": "t""#, messageID: "one")
      _ = try await bus.next("Schedule Triggered")
      try await service.kill()
      try await service.start()
      try await bus.command(.trigger, #""id": "t", "payload": "by hand""#, messageID: "two")
      let second = try await bus.events.next("the second triggered tick") {
        $0.isTriggered && $0.detail.tickId != tick.detail.tickId
      }
      #expect(second.payload == #""by hand""# && second.detail.counter == 0)
      try await bus.settle()
      #expect(Set(bus.ticks(of: "t").map(\.detail.tickId)).count == 2, "a duplicate triggers nothing")
      #expect(!bus.story(of: "t").contains("Schedule Stopped"), "outside of the limit")
    }
  }

  @Test("an Update changes what it names, keeps the counter, and can demand a revision")
  func update() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "u", "payload": 1, "group": "g", \#(everySecond)"#)
      _ = try await bus.next("Schedule Tick", of: "u")
      try await bus.command(
        .update, #""id": "u", "payload": null, "tags": ["x"], "remove": ["group"], "typo": 1"#)
      let updated = try await bus.next("Schedule Updated")
      #expect(updated.detail.changed?.names == ["payload", "group", "tags"])
      #expect(updated.detail.ignored == ["typo"])
      #expect(updated.detail.revision == 2 && updated.detail.tags == ["x"] && updated.detail.group == nil)
      let counter = try #require(updated.detail.counter)
      let changed = try await bus.events.next("a tick of the new definition") { $0.isTick && $0.payload == "null" }
      #expect(changed.detail.counter == counter)
      try await bus.command(.update, #""id": "u", "limit": 1, "ifRevision": 1"#)
      let rejected = try await bus.next("Schedule Rejected")
      #expect(rejected.detail.field == "ifRevision" && rejected.detail.command == "Schedule Update")
      try await bus.command(.update, #""id": "u", "limit": 1, "ifRevision": 2"#, messageID: "last")
      #expect(try await bus.next("Schedule Updated").detail.ended == true)
      #expect(try await bus.next("Schedule Stopped").detail.reason == Schedule.EndReason.countLimit)
      try await service.kill()
      try await service.start()
      try await bus.settle()
      let story = bus.story(of: "u")
      let (stopped, tick) = (story.firstIndex(of: "Schedule Stopped"), story.lastIndex(of: "Schedule Tick"))
      #expect(try #require(stopped) > #require(tick), "ended for good")
    }
  }

  @Test("commands on one schedule keep their order, however fast they come")
  func order() async throws {
    try await ServiceProcess.running { service, bus in
      var messages = [
        bus.message("Schedule Start", Array(ServiceBus.event("Schedule Start", #""id": "o", \#(everySecond)"#).utf8))
      ]
      for round in 0..<100 {
        let name = [EventName.pause, .resume, .update, .trigger][round % 4]
        let field = name == .update ? #", "payload": \#(round)"# : ""
        let event = ServiceBus.event(name.rawValue, #""id": "o"\#(field)"#)
        messages.append(bus.message(name.rawValue, Array(event.utf8), .named("\(round)")))
      }
      try await bus.send(messages)
      try await bus.stop("o")
      _ = try await bus.next("Schedule Stopped", of: "o")
      let outcomes = bus.story(of: "o").filter { $0 != "Schedule Tick" }
      let round = ["Schedule Paused", "Schedule Resumed", "Schedule Updated", "Schedule Triggered"]
      #expect(outcomes == ["Schedule Started"] + (0..<100).map { round[$0 % 4] } + ["Schedule Stopped"])
      let triggered = bus.events.all.filter(\.isTriggered)
      #expect(Set(triggered.map(\.detail.tickId)).count == 25)
      #expect(triggered.compactMap(\.payload) == stride(from: 2, to: 100, by: 4).map { "\($0)" })
    }
  }
}
