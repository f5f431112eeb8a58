import AMQP
import Foundation
import Scheduling
import Testing

/// P34: Stop, Pause and Resume by group or prefix, by any client.
@Suite("The service: batches", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceBatchTests {
  private let everySecond = #""cron": "* * * * * *""#

  private func done(_ bus: ServiceBus) async throws -> [Int?] {
    let done = try await bus.next("Schedule Batch Done")
    return [done.detail.matched, done.detail.changed?.count, done.detail.unchanged]
  }

  @Test("a group is paused, resumed and stopped, each schedule with an outcome of its own")
  func group() async throws {
    try await ServiceProcess.running { service, bus in
      let replies = try await bus.replies(to: "me")
      let ids = (0..<30).map { "g-\($0 + 10)" }
      try await bus.startAll(ids, #"\#(everySecond), "group": "g""#)
      try await bus.start(#""id": "other", \#(everySecond)"#)
      for id in ids + ["other"] { _ = try await bus.next("Schedule Tick", of: id) }
      var properties = Properties.named("pause")
      properties.replyTo = Array("me".utf8)
      try await bus.send(
        "Schedule Pause", ServiceBus.event("Schedule Pause", #""group": "g", "reason": "night""#), properties)
      let reply = try await replies.next("the reply")
      #expect(reply.name == "Schedule Batch Done" && reply.detail.matched == 30, "\(reply)")
      #expect(try await done(bus) == [30, 30, 0])
      let paused = bus.events.all.filter { $0.name == "Schedule Paused" }
      #expect(paused.compactMap(\.detail.id) == ids, "in order of id")
      #expect(paused.allSatisfy { $0.detail.reason == "night" && $0.properties.correlationID == Array("pause".utf8) })
      #expect(replies.all.count == 1, "the outcomes of its members go to the bus only")
      let sent = bus.events.all.count { $0.isTick && $0.detail.group == "g" }
      try await bus.settle()
      #expect(bus.events.all.count { $0.isTick && $0.detail.group == "g" } == sent, "none while paused")

      try await bus.command(.stop, #""prefix": "g-1""#, messageID: "stop")
      #expect(try await done(bus) == [10, 10, 0])
      try await bus.command(.resume, #""group": "g", "misfirePolicy": "skip""#, messageID: "resume")
      #expect(try await done(bus) == [20, 20, 0])
      _ = try await bus.next("Schedule Tick", of: "g-20")
      try await bus.command(.resume, #""group": "g""#, messageID: "again")
      #expect(try await done(bus) == [20, 0, 20])
      try await bus.command(.stop, #""prefix": "g-1""#, messageID: "stop")
      #expect(try await done(bus) == [10, 10, 0], "a repeat is answered with the counts")
      #expect(bus.events.all.count { $0.name == "Schedule Stopped" } == 10)
    }
  }

  @Test("what is not possible is rejected, and nothing is done")
  func rejected() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_OPERATORS"] = "guest, admin"
      try await service.start()
      let dead = try await bus.deadLetters()
      try await bus.startAll(["a", "b", "c"], #""every": "1h", "group": "g""#)
      for id in ["a", "b", "c"] { _ = try await bus.next("Schedule Started", of: id) }
      try await bus.command(.stop, #""group": "g""#, messageID: "nobody")
      let nobody = try await bus.next("Schedule Rejected")
      #expect(nobody.detail.field == "user_id" && nobody.detail.reason?.contains("POCKETWATCH_OPERATORS") == true)
      _ = try await dead.next("the command of nobody")
      var operators = Properties.named("many")
      operators.userID = try bus.withConnection { $0.server.user }
      let event = ServiceBus.event("Schedule Stop", #""group": "g", "max": 2"#)
      try await bus.send("Schedule Stop", event, operators)
      let many = try await bus.next("Schedule Rejected")
      #expect(many.detail.field == "group" && many.detail.reason?.contains("more than 2") == true, "\(many)")
      operators.messageID = nil
      try await bus.send("Schedule Stop", event, operators)
      #expect(try await bus.next("Schedule Rejected").detail.field == "message_id")
      #expect(bus.events.all.contains { $0.name == "Schedule Stopped" } == false)
    }
  }

  /// Debug builds have failpoints; the transaction in which it dies differs.
  @Test("killed in the middle of a batch: the next start completes it", arguments: [1, 2, 3, 5, 8, 12])
  func kill(commits: Int) async throws {
    try await ServiceProcess.running { service, bus in
      let ids = (0..<300).map { "k-\($0 + 100)" }
      try await bus.startAll(ids, #""every": "1h", "group": "g""#)
      for id in ids { _ = try await bus.next("Schedule Started", of: id) }
      #expect(try await service.stop() == 0)
      service.failpoints = "afterCommit=kill@\(commits)"
      try await bus.command(.pause, #""group": "g""#, messageID: "pause")
      try await bus.start(#""id": "k-later", "every": "1h", "group": "g""#, messageID: "later")
      try await bus.command(.resume, #""id": "k-399""#, messageID: "resume")
      try service.launch()
      _ = try await service.end()
      service.failpoints = ""
      try await service.start()
      #expect(try await done(bus) == [300, 300, 0])
      _ = try await bus.next("Schedule Started", of: "k-later")
      _ = try await bus.next("Schedule Resumed", of: "k-399")
      try await bus.settle()
      for id in ids {
        let paused = bus.events.all.filter { $0.name == "Schedule Paused" && $0.detail.id == id }
        #expect(!paused.isEmpty && paused.allSatisfy { $0.detail.revision ?? 0 >= 2 }, "\(id)")
      }
      #expect(Set(bus.story(of: "k-later")) == ["Schedule Started"], "a later Start is not touched")
      let replies = try await bus.replies(to: "me")
      for (id, revision, isPaused) in [("k-100", 2, true), ("k-398", 2, true), ("k-399", 3, false)] {
        var properties = Properties()
        properties.replyTo = Array("me".utf8)
        try await bus.send("Schedule Describe", ServiceBus.event("Schedule Describe", #""id": "\#(id)""#), properties)
        let described = try await replies.next("the description of \(id)") { $0.detail.id == id }
        #expect(described.detail.revision == revision && described.detail.paused == isPaused, "\(described)")
      }
      #expect(service.log.filter { $0.contains("cannot be read") } == [])
    }
  }
}
