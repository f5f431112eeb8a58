import EventBus
import Foundation
import Recurrence
import Scheduling
import Testing

@Suite("Events out")
struct EventEncoderTests {
  private let encoder = EventEncoder(stack: "my-stack-name", random: { 0x0123_4567_89AB_CDEF })
  private let slot = instant("2026-11-23T08:30:00Z")
  private let now = instant("2026-11-23T08:30:00.004Z")

  private func encode(_ event: OutgoingEvent, origin: Origin = Origin()) -> OutgoingMessage {
    encoder.encode(event, origin: origin, at: SendingTime(now))
  }

  private func tick(
    _ definition: Definition, counter: Int64 = 0, missed: Int = 0, next: Instant? = instant("2026-11-23T09:30:00Z")
  ) -> OutgoingEvent {
    .tick(Tick(definition: definition, generation: 7, counter: counter, slot: slot, missed: missed, nextSlot: next))
  }

  private func hourly(_ payload: String? = nil) throws -> Definition {
    Definition(
      id: scheduleID("test:schedule"), timing: .cron(try CronExpression("30 * * * *")), limit: 10,
      payload: payload.map { Array($0.utf8) })
  }

  @Test("a tick equals the contract's example byte for byte")
  func tickBody() throws {
    let message = try encode(tick(hourly(#"{"any": "json"}"#)))
    #expect(
      message.body.utf8Text
        == #"{"Source":"com.my-stack-name","DetailType":"Schedule Tick","Time":"2026-11-23T08:30:00.004Z","#
        + #""Detail":{"id":"test:schedule","cron":"30 * * * *","limit":10,"counter":0,"#
        + #""tickId":"test:schedule@2026-11-23T08:30:00.000Z","scheduledTime":"2026-11-23T08:30:00.000Z","#
        + #""nextTickDate":"2026-11-23T09:30:00.000Z","payload":{"any": "json"}}}"#)
  }

  @Test("a tick's properties and headers")
  func tickProperties() throws {
    let origin = Origin(messageID: [0xFF, 0x01], traceparent: "00-4bf9", tracestate: "a=b")
    let message = try encode(tick(hourly()), origin: origin)
    #expect(message.routingKey == "Schedule Tick")
    #expect(message.type == "Schedule Tick")
    #expect(message.messageID.utf8Text == "test:schedule@2026-11-23T08:30:00.000Z")
    #expect(message.correlationID == [0xFF, 0x01])
    #expect(message.timestampSeconds == 1_795_422_600)
    #expect(
      message.headers.map { "\($0.name)=\($0.value.utf8Text)" }
        == [
          "schedule-id=test:schedule", "scheduled-time=2026-11-23T08:30:00.000Z", "traceparent=00-4bf9",
          "tracestate=a=b",
        ])
    #expect(OutgoingMessage.contentType == "application/json")
    #expect(OutgoingMessage.deliveryMode == 2)
    #expect(OutgoingMessage.appID == "pocketwatch")
  }

  private static let target = Target(
    exchange: "alarms", routingKey: "alarm.1", detailType: "Alarm", source: "shop", body: .event, contentType: nil,
    headers: [
      .init(name: "é\"", value: .text("\u{1}")), .init(name: "n", value: .integer(-1)),
      .init(name: "b", value: .boolean(true)),
    ], expiration: "60000", priority: 9)

  @Test("a target is echoed as it was sent")
  func targetEcho() throws {
    var definition = try hourly()
    definition.target = Self.target
    let text = encode(tick(definition)).body.utf8Text
    let echo =
      #""target":{"exchange":"alarms","routingKey":"alarm.1","detailType":"Alarm","source":"shop","body":"event","#
      + #""headers":{"é\"":"\u0001","n":-1,"b":true},"expiration":"60000","priority":9}"#
    #expect(text.contains(echo), "\(text)")
    let start = startEvent(#""id": "a", "duration": "5m", \#(echo)"#)
    #expect(EventBusTests.decode(start).start?.definition.target == Self.target)
    definition.target = Target(detailType: "A", headers: [])
    #expect(encode(tick(definition)).body.utf8Text.contains(#""target":{"detailType":"A","headers":{}}"#))
  }

  @Test("an event for a target has the payload as its Detail, a tick's message_id, and the owner")
  func targetEvent() throws {
    var definition = try hourly(#"{"any": 1.0}"#)
    definition.target = Self.target
    guard case .tick(let tick) = tick(definition) else { return }
    let origin = Origin(messageID: [1], userID: "alice", traceparent: "00-4bf9")
    let message = try #require(encoder.encodeTarget(of: tick, origin: origin, at: SendingTime(now)))
    func body(_ message: TargetMessage) -> String { message.body.utf8Text }
    #expect(
      body(message)
        == #"{"Source":"shop","DetailType":"Alarm","Time":"2026-11-23T08:30:00.004Z","Detail":{"any": 1.0}}"#)
    #expect(message.messageID.utf8Text == "test:schedule@2026-11-23T08:30:00.000Z")
    #expect(message.type == "Alarm" && message.contentType == "application/json" && message.correlationID == [1])
    var headers: [String] = []
    message.forEachHeader { headers.append("\($0)=\($1.utf8Text)") }
    #expect(
      headers == [
        "schedule-id=test:schedule", "scheduled-time=2026-11-23T08:30:00.000Z", "schedule-owner=alice",
        "traceparent=00-4bf9",
      ])
    var other = tick
    other.definition.target = Target(routingKey: "k", body: .payload)
    let raw = try #require(encoder.encodeTarget(of: other, origin: Origin(), at: SendingTime(now)))
    #expect(body(raw) == #"{"any": 1.0}"# && raw.type == nil && raw.contentType == "application/json")
    other.definition.payload = nil
    other.definition.target = Target(detailType: "A")
    let empty = try #require(encoder.encodeTarget(of: other, origin: Origin(), at: SendingTime(now)))
    #expect(body(empty).hasPrefix(#"{"Source":"com.my-stack-name","#) && body(empty).hasSuffix(#""Detail":{}}"#))
  }

  @Test("a duplicate of a tick has the same message_id, whenever it is sent")
  func repeatedTick() throws {
    let event = try tick(hourly())
    let later = encoder.encode(event, origin: Origin(), at: SendingTime(now.advanced(byMilliseconds: 60_000)))
    #expect(later.messageID == encoder.encode(event, origin: Origin(), at: SendingTime(now)).messageID)
    #expect(later.body.utf8Text.contains(#""Time":"2026-11-23T08:31:00.004Z""#))
  }

  @Test("the longest id still makes a message_id of at most 255 bytes")
  func longestID() {
    let id = scheduleID(String(repeating: "é", count: 100))
    let last = Instant(milliseconds: .max)
    let started = Started(
      definition: Definition(id: id, timing: .at(slot)), generation: .max, counter: 0, nextSlot: slot, effect: .created,
      ignored: [])
    let tick = Tick(
      definition: started.definition, generation: 1, counter: 0, slot: last, missed: 0, nextSlot: nil)
    #expect(encode(.tick(tick)).messageID.count <= 255)
    #expect(encode(.started(started)).messageID.count <= 255)
  }

  @Test("the last tick has no nextTickDate; `missed` is present only if slots were missed")
  func lastTick() throws {
    let detail = try detail(of: encode(tick(hourly(), counter: 9, missed: 1000, next: nil)))
    #expect(detail["nextTickDate"] == nil)
    #expect(detail["missed"] as? Int == 1000)
    #expect(detail["counter"] as? Int == 9)
    #expect(try self.detail(of: encode(tick(hourly())))["missed"] == nil)
  }

  @Test("the definition has the fields that the client sent, instants normalised, defaults not added")
  func definitions() throws {
    let full = Definition(
      id: scheduleID("a"), timing: .every(try DurationExpression("1h 30m")), limit: 0, timezone: "Europe/Rome",
      startDate: instant("2026-11-23T09:30:00+01:00"), endDate: instant("2027-01-01T00:00:00Z"),
      jitter: try DurationExpression("5M"), misfirePolicy: .skip, catchupWindow: try DurationExpression("1h"),
      ifExists: .keep, payload: Array("1e2".utf8))
    #expect(
      encode(tick(full, next: nil)).body.utf8Text.contains(
        #""Detail":{"id":"a","every":"1h 30m","limit":0,"timezone":"Europe/Rome","#
          + #""startDate":"2026-11-23T08:30:00.000Z","endDate":"2027-01-01T00:00:00.000Z","jitter":"5M","misfirePolicy":"skip","#
          + #""catchupWindow":"1h","ifExists":"keep","counter":0,"#))
    let at = Definition(id: scheduleID("a"), timing: .at(slot))
    #expect(encode(tick(at)).body.utf8Text.contains(#"{"id":"a","at":"2026-11-23T08:30:00.000Z","counter":0,"#))
    let delayed = Definition(id: scheduleID("a"), timing: .duration(try DurationExpression("90 s")))
    #expect(encode(tick(delayed)).body.utf8Text.contains(#"{"id":"a","duration":"90 s","counter":0,"#))
  }

  @Test("Started")
  func started() throws {
    var started = Started(
      definition: try hourly("[1.0]"), generation: 7, counter: 0, nextSlot: slot, effect: .created, ignored: [])
    let message = encode(.started(started))
    #expect(message.messageID.utf8Text == "test:schedule@7/started")
    #expect(message.headers.map(\.name) == ["schedule-id"])
    #expect(
      message.body.utf8Text
        == #"{"Source":"com.my-stack-name","DetailType":"Schedule Started","Time":"2026-11-23T08:30:00.004Z","#
        + #""Detail":{"id":"test:schedule","cron":"30 * * * *","limit":10,"counter":0,"#
        + #""nextTickDate":"2026-11-23T08:30:00.000Z","revision":1,"paused":false,"payload":[1.0]}}"#)
    started.effect = .replaced
    started.ignored = ["limt", "a\"b"]
    #expect(
      encode(.started(started)).body.utf8Text.contains(
        #""nextTickDate":"2026-11-23T08:30:00.000Z","replaced":true,"revision":1,"paused":false,"ignored":["limt","a\"b"],"#
          + #""payload":[1.0]}}"#))
    started.effect = .kept
    #expect(encode(.started(started)).body.utf8Text.contains(#""kept":true,"revision":1"#))
    started.nextSlot = nil
    #expect(try detail(of: encode(.started(started)))["ended"] == nil, "held, not over")
    started.effect = .replaced
    started.hasEnded = true
    started.counter = 10
    let ended = try detail(of: encode(.started(started)))
    #expect(ended["ended"] as? Bool == true)
    #expect(ended["nextTickDate"] == nil)
    #expect(ended["counter"] as? Int == 10)
  }

  /// Its body differs from that of the generation's Started or Stopped.
  @Test("an outcome with the current state has a fresh message_id")
  func freshIDs() throws {
    let fresh = "01234567-89ab-4def-8123-456789abcdef"
    for effect in Started.Effect.allCases {
      for isRepeated in [false, true] {
        let started = Started(
          definition: try hourly(), generation: 7, counter: 0, nextSlot: slot, effect: effect, ignored: [],
          isRepeated: isRepeated)
        let expected = isRepeated || effect == .kept ? fresh : "test:schedule@7/started"
        #expect(encode(.started(started)).messageID.utf8Text == expected)
      }
    }
    let stopped = Stopped(
      definition: nil, id: scheduleID("test:schedule"), generation: 7, counter: 3, reason: "x", isRepeated: true)
    #expect(encode(.stopped(stopped)).messageID.utf8Text == fresh)
  }

  @Test("Stopped, with its definition or with its id only")
  func stopped() throws {
    var stopped = Stopped(
      definition: try hourly("null"), id: scheduleID("test:schedule"), generation: 7, counter: 3,
      reason: "Count Limit Reached")
    let message = encode(.stopped(stopped))
    #expect(message.routingKey == "Schedule Stopped")
    #expect(message.messageID.utf8Text == "test:schedule@7/stopped")
    #expect(
      message.body.utf8Text.hasSuffix(
        #""Detail":{"id":"test:schedule","cron":"30 * * * *","limit":10,"counter":3,"reason":"Count Limit Reached","#
          + #""payload":null}}"#))
    stopped.definition = nil
    #expect(
      encode(.stopped(stopped)).body.utf8Text.hasSuffix(
        #""Detail":{"id":"test:schedule","counter":3,"reason":"Count Limit Reached"}}"#))
  }

  @Test("Rejected, with a fresh UUID and the rejected message_id as text")
  func rejected() {
    let rejection = Rejection(id: scheduleID("a"), command: "Schedule Start", field: "cron", reason: "minute: \"60\"")
    let message = encode(.rejected(rejection), origin: Origin(messageID: Array("m-1".utf8) + [0xFF]))
    #expect(message.messageID.utf8Text == "01234567-89ab-4def-8123-456789abcdef")
    #expect(message.correlationID == Array("m-1".utf8) + [0xFF])
    #expect(message.headers.map(\.name) == ["schedule-id"])
    #expect(
      message.body.utf8Text.hasSuffix(
        #""Detail":{"id":"a","command":"Schedule Start","field":"cron","reason":"minute: \"60\"","#
          + "\"messageId\":\"m-1\u{fffd}\"}}"))
    let unreadable = encode(.rejected(Rejection(command: "x", field: "body", reason: "empty")))
    #expect(unreadable.headers.isEmpty)
    #expect(unreadable.body.utf8Text.hasSuffix(#""Detail":{"command":"x","field":"body","reason":"empty"}}"#))
  }

  @Test("two rejections have different UUIDs, of version 4")
  func uuids() throws {
    let encoder = EventEncoder(stack: "s")
    let rejection = Rejection(command: "x", field: "body", reason: "empty")
    let ids = (0..<100).map { _ in
      encoder.encode(.rejected(rejection), origin: Origin(), at: SendingTime(now))
        .messageID.utf8Text
    }
    #expect(Set(ids).count == 100)
    for id in ids {
      #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(id)")
    }
  }

  @Test(
    "texts are escaped so that every reader restores them",
    arguments: [
      "\"", "\\", "/", "a\"b\\c", "\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f}", "\u{7f}\u{80}\u{2028}", "é漢😀", "e\u{301}",
      "",
      "\\u0041", "</script>",
    ])
  func escapes(text: String) throws {
    let rejection = Rejection(id: ScheduleID(stored: Array(text.utf8)), command: text, field: text, reason: text)
    let message = encode(.rejected(rejection), origin: Origin(messageID: Array(text.utf8)))
    let detail = try detail(of: message)
    for key in ["id", "command", "field", "reason", "messageId"] {
      #expect((detail[key] as? String).map { Array($0.utf8) } == Array(text.utf8), "\(key)")
    }
    #expect(throws: Never.self) { try parse(message.body) }
  }

  @Test("a time before 1970 has the timestamp 0, the earliest of AMQP")
  func earlyTimestamp() {
    let rejection = Rejection(command: "x", field: "body", reason: "empty")
    let time = SendingTime(Instant(milliseconds: -5000))
    #expect(encoder.encode(.rejected(rejection), origin: Origin(), at: time).timestampSeconds == 0)
  }

  /// The Detail according to another JSON reader.
  private func detail(of message: OutgoingMessage) throws -> [String: Any] {
    let event = try #require(try JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
    #expect(event["DetailType"] as? String == message.routingKey)
    return try #require(event["Detail"] as? [String: Any])
  }
}

extension OutgoingMessage {
  fileprivate var headers: [(name: String, value: [UInt8])] {
    var headers: [(name: String, value: [UInt8])] = []
    forEachHeader { headers.append(("\($0)", $1)) }
    return headers
  }
}
