import AMQP
import Testing

/// P2: a command with the `message_id` and body of one that was answered has no second effect, and is answered again.
@Suite("The service: repeats", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceRepeatTests {
  @Test("a repeated Start is answered with the schedule as it is now, and starts nothing")
  func start() async throws {
    try await ServiceProcess.running { service, bus in
      let detail = #""id": "s", "cron": "* * * * * *""#
      try await bus.start(detail, messageID: "one")
      let first = try await bus.next("Schedule Started")
      _ = try await bus.next("Schedule Tick")
      try await bus.start(detail, messageID: "one")
      let again = try await bus.next("Schedule Started")
      #expect(first.effectID != nil && again.effectID == nil, "another body, another message_id")
      #expect(again.properties.correlationID == Array("one".utf8))
      #expect(again.detail.replaced == nil && again.detail.ended == nil)
      #expect(try #require(again.detail.counter) >= 1)
      try await bus.settle()
      let counters = bus.ticks(of: "s").map(\.detail.counter)
      #expect(counters == Array(0..<counters.count), "the counter continues")
    }
  }

  @Test("a Start repeated after the end is answered with that, and starts nothing")
  func startAfterTheEnd() async throws {
    try await ServiceProcess.running { service, bus in
      let detail = #""id": "s", "cron": "* * * * * *", "limit": 2, "payload": {"a": 1.0}"#
      try await bus.start(detail, messageID: "one")
      _ = try await bus.next("Schedule Started")
      _ = try await bus.next("Schedule Stopped")
      try await bus.start(detail, messageID: "one")
      let ended = try await bus.next("Schedule Started")
      #expect(ended.detail.ended == true && ended.detail.nextTickDate == nil)
      #expect(ended.detail.counter == 2)
      #expect(ended.payload == #"{"a": 1.0}"#)
      try await bus.settle()
      #expect(bus.ticks(of: "s").count == 2)
    }
  }

  @Test("another message_id or another body is another command")
  func others() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "s", "duration": "1h""#, messageID: "one")
      try await bus.start(#""id": "s", "duration": "1h""#, messageID: "two")
      try await bus.start(#""id": "s", "duration": "1h" "#, messageID: "two")
      try await bus.start(#""id": "s", "duration": "1h""#)
      try await bus.start(#""id": "s", "duration": "1h""#)
      try await bus.start(#""id": "s", "duration": "1h""#, messageID: "one")
      var answers: [ServiceEvent] = []
      for _ in 1...6 { answers.append(try await bus.next("Schedule Started")) }
      #expect(answers.map(\.detail.replaced) == [nil, true, true, true, true, nil])
      #expect(Set(answers.map(\.properties.messageID)).count == 6)
      #expect(answers.map { $0.effectID != nil } == [true, true, true, true, true, false])
    }
  }

  @Test("a repeated Stop, and a repeated rejected Stop, have no effect")
  func stop() async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.stop("s", messageID: "early")
      let refused = try await bus.next("Schedule Rejected")
      try await bus.start(#""id": "s", "duration": "1h""#, messageID: "start")
      try await bus.stop("s", messageID: "early")
      let again = try await bus.next("Schedule Rejected")
      #expect(again.detail.reason == refused.detail.reason, "it was rejected before the Start, and still is")

      try await bus.stop("s", messageID: "stop")
      let stopped = try await bus.next("Schedule Stopped")
      try await bus.start(#""id": "s", "duration": "2h""#, messageID: "start again")
      try await bus.stop("s", messageID: "stop")
      let repeated = try await bus.next("Schedule Stopped")
      #expect(stopped.effectID != nil && repeated.effectID == nil)
      #expect(repeated.detail.reason == "stopped")

      try await bus.start(#""id": "s", "duration": "1h""#, messageID: "start")
      for _ in 1...2 { _ = try await bus.next("Schedule Started") }
      let live = try await bus.next("Schedule Started")
      #expect(live.detail.duration == "2h", "the second schedule is still live")
      #expect(live.detail.ended == nil)
    }
  }

  @Test("repeats are recognised after a restart", arguments: ["SIGTERM", "kill -9"])
  func restart(how: String) async throws {
    try await ServiceProcess.running { service, bus in
      try await bus.start(#""id": "s", "cron": "0 0 1 1 *""#, messageID: "start")
      try await bus.stop("s", messageID: "stop")
      try await bus.start(#""id": "t", "cron": "0 0 1 1 *""#, messageID: "other")
      let started = try await bus.next("Schedule Started")
      let other = try await bus.next("Schedule Started")
      let stopped = try await bus.next("Schedule Stopped")
      if how == "SIGTERM" { #expect(try await service.stop() == 0) } else { try await service.kill() }
      try await service.start()
      // After a kill they may be redelivered, and answered again.
      try await bus.start(#""id": "t", "cron": "0 0 1 1 *""#, messageID: "other")
      try await bus.start(#""id": "s", "cron": "0 0 1 1 *""#, messageID: "start")
      try await bus.stop("s", messageID: "stop")
      try await bus.start(#""id": "end", "duration": "1h""#)
      _ = try await bus.next("Schedule Started", of: "end")
      let answers = bus.events.all.dropLast()
      #expect(answers.count >= 6)
      #expect(
        Set(answers.compactMap(\.effectID)) == Set([started, other, stopped].compactMap(\.effectID)),
        "nothing was started or stopped a second time")
      #expect(!answers.contains { $0.detail.replaced == true })
      #expect(answers.last?.name == "Schedule Stopped")
    }
  }
}
