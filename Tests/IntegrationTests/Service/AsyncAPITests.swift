import AMQP
import Foundation
import Scheduling
import Testing

/// ops/asyncapi.yaml. Of all other tests, `ops/test` validates the events.
@Suite(
  "ops/asyncapi.yaml", .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: AsyncAPICheck.isThere, AsyncAPICheck.isNeeded))
struct AsyncAPITests {
  private static let everyField =
    #""timezone": "Europe/Rome", "startDate": "2026-01-01T00:00:00Z", "endDate": "2099-01-01T00:00:00Z", "jitter": "1ms", "#
    + #""limit": 9, "misfirePolicy": "skip", "catchupWindow": "1h", "ifExists": "replace", "group": "g", "tags": ["a"], "#
    + #""description": "d", "payload": {"x": [1, null]}"#

  @Test("describes every command and every event, with all fields")
  func everyEvent() async throws {
    try await ServiceProcess.running { _, bus in
      let check = try AsyncAPICheck()
      defer { try? FileManager.default.removeItem(at: check.folder) }
      func send(_ name: EventName, _ detail: String, isValid: Bool = true) async throws -> ServiceEvent {
        let messageID = UUID().uuidString
        try await bus.command(name, detail, messageID: messageID)
        if isValid { try check.add(name.rawValue, ServiceBus.event(name.rawValue, detail)) }
        return try await bus.events.next("the outcome of \(name)") {
          $0.properties.correlationID == Array(messageID.utf8) && !$0.isTick
        }
      }
      let replies = try await bus.replies(to: "me")
      func ask(_ name: EventName, _ detail: String) async throws {
        var properties = Properties()
        properties.replyTo = Array("me".utf8)
        let question = ServiceBus.event(name.rawValue, detail)
        try check.add(name.rawValue, question)
        try await bus.send(name.rawValue, question, properties)
        let reply = try await replies.next("the reply to \(name)")
        try check.add(reply.name, reply.body)
      }
      for timing in [#""every": "1h""#, #""cron": "* * * * * *""#] {
        _ = try await send(.start, #""id": "a", \#(timing), "typo": 1, \#(Self.everyField)"#)
      }
      _ = try await bus.next("Schedule Tick", of: "a")
      _ = try await send(.start, #""id": "once", "duration": "1h", "paused": true"#)
      _ = try await send(.start, #""id": "at", "at": "2099-01-01T00:00:00Z""#)
      _ = try await send(.start, #""id": "a", "every": "2s", "ifExists": "keep""#)
      _ = try await send(.pause, #""id": "a", "until": "2098-01-01T00:00:00Z", "reason": "r""#)
      _ = try await send(.trigger, #""id": "a", "payload": null"#)
      try await ask(.describe, #""id": "a", "next": 3"#)
      try await ask(.list, #""limit": 1, "prefix": "a", "state": "active""#)
      _ = try await send(.resume, #""id": "a", "misfirePolicy": "fireAll", "reason": "r""#)
      _ = try await send(.resume, #""id": "once", "misfirePolicy": "skip""#)
      _ = try await send(.update, #""id": "a", "every": "1h", "remove": ["limit"], "typo": 1, "ifRevision": 4"#)
      _ = try await send(.pause, #""id": "a", "for": "1h""#)
      _ = try await send(.update, #""id": "a", "limit": 1"#)
      _ = try await bus.next("Schedule Stopped", of: "a")
      _ = try await send(.stop, #""id": "once", "reason": "r""#)
      try await bus.startAll(["g-1", "g-2"], #""every": "1h", "group": "batch""#)
      for (name, detail) in [
        (EventName.pause, #""group": "batch", "until": "2098-01-01T00:00:00Z""#),
        (.resume, #""prefix": "g-", "max": 5"#),
        (.stop, #""group": "batch", "reason": "r", "max": 100000"#), (.stop, #""group": "batch""#),
      ] {
        let first = try await send(name, detail)  // that of a schedule, if any matches
        if first.name != "Schedule Batch Done" { _ = try await bus.next("Schedule Batch Done") }
      }
      _ = try await send(.start, #""id": "bad", "cron": "61 * * * *""#)
      _ = try await send(.stop, #""id": "none""#)
      _ = try await send(.start, #""cron": 1"#, isValid: false)
      for id in ["a", "at", "none"] { try await ask(.describe, #""id": "\#(id)""#) }
      try await ask(.list, "")
      try bus.store(for: check)
      let names = Set((bus.events.all + replies.all).map(\.name))
      #expect(names == Set(EventName.own.map(\.rawValue)))
      let (code, _, complaint) = try await check.judge()
      #expect(code == 0, "\(complaint)")
    }
  }

  @Test(
    "a field that it does not describe is found, and so is one that is missing or of another type",
    arguments: [
      #""counter": 0, "revision": 1, "paused": false, "surprise": 1"#, #""counter": 0, "revision": 1"#,
      #""counter": "0", "revision": 1, "paused": false"#,
    ])
  func difference(fields: String) async throws {
    let check = try AsyncAPICheck()
    defer { try? FileManager.default.removeItem(at: check.folder) }
    func started(_ fields: String) -> String {
      #"{"Source": "com.x", "DetailType": "Schedule Started", "Time": "2026-11-23T08:30:00.001Z", "#
        + #""Detail": {"id": "a", "every": "1s", \#(fields)}}"#
    }
    try check.add("Schedule Started", started(#""counter": 0, "revision": 1, "paused": false"#))
    #expect(try await check.judge().code == 0)
    try check.add("Schedule Started", started(fields))
    let (code, _, complaint) = try await check.judge()
    #expect(code == 1 && complaint.hasPrefix("Schedule Started: "), "\(complaint)")
  }
}
