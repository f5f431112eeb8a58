import EventBus
import Recurrence
import Scheduling
import Testing

@Suite("Commands in: accepted")
struct CommandDecoderTests {
  @Test(
    "every form of the envelope gives the same command",
    arguments: [
      #"{"Source": "test", "DetailType": "Schedule Start", "Detail": {"id": "a", "cron": "30 * * * *", "payload": [1.0]}}"#,
      #"{"DetailType": "Schedule Start", "Detail": {"id": "a", "cron": "30 * * * *", "payload": [1.0]}}"#,
      #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"a\", \"cron\": \"30 * * * *\", \"payload\": [1.0]}"}"#,
      #"{"detail-type": "Schedule Start", "detail": {"id": "a", "cron": "30 * * * *", "payload": [1.0]}}"#,
      #"{"source": "s", "detail-type": "Schedule Start", "detail": "{\"id\":\"a\",\"cron\":\"30 * * * *\",\"payload\":[1.0]}"}"#,
      // Keys in any order, with those that EventBridge adds.
      #"{"detail": {"payload": [1.0], "cron": "30 * * * *", "id": "a"}, "detail-type": "Schedule Start", "version": "0", "#
        + #""id": "6a7e8feb", "account": "123456789012", "region": "eu-central-1", "resources": [], "source": "x"}"#,
      #"{"EventBusName": "events", "Resources": [], "DetailType": "Schedule Start", "#
        + #""Detail": {"id": "a", "cron": "30 * * * *", "payload": [1.0]}}"#,
      // Escapes in keys and values.
      #"{"Detail\u0054ype": "Schedule\u0020Start", "Detail": {"\u0069d": "\u0061", "cron": "30 * * * *", "payload": [1.0]}}"#,
      // Null means absent.
      #"{"Source": null, "Time": null, "DetailType": "Schedule Start", "detail": null, "detail-type": null, "#
        + #""Detail": {"id": "a", "cron": "30 * * * *", "payload": [1.0], "limit": null, "at": null, "duration": null, "#
        + #""every": null, "timezone": null, "startDate": null, "endDate": null, "jitter": null, "misfirePolicy": null, "#
        + #""catchupWindow": null, "ifExists": null}}"#,
      " \r\n{\"DetailType\":\t\"Schedule Start\",\n\"Detail\": {\"id\":\"a\", \"cron\":\"30 * * * *\", \"payload\":[1.0]} }\n",
    ])
  func envelopes(body: String) throws {
    let definition = Definition(
      id: try #require(ScheduleID(validating: "a")), timing: .cron(try CronExpression("30 * * * *")),
      payload: Array("[1.0]".utf8))
    #expect(decode(body).start == Command.Start(definition: definition))
  }

  @Test("reads every field of a Start")
  func allFields() throws {
    let start = try #require(
      decode(
        #"{"DetailType": "Schedule Start", "Time": "2026-11-23T09:30:00.1239+01:00", "Detail": {"id": "test:schedule", "#
          + #""every": "1h 30m", "limit": 10, "timezone": "Europe/Rome", "startDate": "2026-12-01T00:00:00.0001Z", "#
          + #""endDate": "2027-01-01T00:00:00.9999Z", "jitter": "5m", "misfirePolicy": "fireAll", "#
          + #""catchupWindow": "2 days", "ifExists": "replaceIfChanged", "payload": {"any": "json"}}}"#
      ).start)
    let expected = Definition(
      id: try #require(ScheduleID(validating: "test:schedule")), timing: .every(try DurationExpression("1h 30m")),
      limit: 10, timezone: "Europe/Rome",
      // Finer than a millisecond: up for a start, down for an end.
      startDate: Instant(rfc3339: "2026-12-01T00:00:00.001Z"), endDate: Instant(rfc3339: "2027-01-01T00:00:00.999Z"),
      jitter: try DurationExpression("5m"), misfirePolicy: .fireAll, catchupWindow: try DurationExpression("2 days"),
      ifExists: .replaceIfChanged, payload: Array(#"{"any": "json"}"#.utf8))
    #expect(start == Command.Start(definition: expected, time: Instant(rfc3339: "2026-11-23T08:30:00.123Z")))
  }

  @Test("reads the one-shots, `at` rounded up to the millisecond")
  func oneShots() throws {
    let at = try #require(decode(startEvent(#""id": "a", "at": "2026-11-23T08:30:00.0001Z""#)).start)
    #expect(at.definition.timing == .at(try #require(Instant(rfc3339: "2026-11-23T08:30:00.001Z"))))
    let delayed = try #require(decode(startEvent(#""id": "a", "duration": "5m""#)).start)
    #expect(delayed.definition.timing == .duration(try DurationExpression("5m")))
  }

  @Test(
    "accepts a value at its bound",
    arguments: [
      #""id": "\#(String(repeating: "é", count: 100))", "cron": "* * * * *""#,
      #""id": "\ud83d\ude00 \" \\ / @", "cron": "* * * * *""#,
      #""id": "a", "cron": "* * * * *", "limit": 0"#,
      #""id": "a", "cron": "* * * * *", "limit": 9007199254740991"#,
      #""id": "a", "every": "1s""#,
      #""id": "a", "every": "1000""#,
      #""id": "a", "cron": "* * * * *", "startDate": "2026-11-23T08:30:00Z", "endDate": "2026-11-23T09:30:00+01:00""#,
      #""id": "a", "at": "2026-11-23T08:30:00Z", "startDate": "2026-11-23T08:30:00Z", "endDate": "2026-11-23T08:30:00Z""#,
      #""id": "a", "duration": "5m", "limit": 3, "timezone": "UTC""#,
    ])
  func bounds(detail: String) {
    #expect(decode(startEvent(detail)).start != nil, "\(decode(startEvent(detail)))")
  }

  @Test("a body of at most 256 KiB")
  func largestBody() {
    let start = startEvent(#""id": "a", "cron": "* * * * *""#)
    let room = IncomingMessage.maximumBodySize - start.utf8.count
    #expect(decode(start + String(repeating: " ", count: room)).start != nil)
    #expect(decode(start + String(repeating: " ", count: room + 1)).rejection?.field == "body")
  }

  @Test("unknown fields of a Start are listed in the order sent")
  func ignored() {
    let start = decode(
      startEvent(#""zone": "x", "id": "a", "ID": null, "cron": "* * * * *", "reason": "y", "limt": 3"#)
    ).start
    #expect(start?.ignored == ["zone", "ID", "reason", "limt"])
  }

  @Test("the list of unknown fields is bounded, and so is each name, cut between characters")
  func ignoredIsBounded() throws {
    let names =
      [String(repeating: "é", count: 500), "x" + String(repeating: "é", count: 500)] + (0..<1000).map { "x\($0)" }
    let unknown = names.map { "\"\($0)\": 1" }.joined(separator: ", ")
    let start = decode(startEvent(#""id": "a", "cron": "* * * * *", \#(unknown)"#)).start
    let ignored = try #require(start?.ignored)
    #expect(ignored.count == 32)
    #expect(ignored[0] == String(repeating: "é", count: 32) + "…")
    #expect(ignored[1] == "x" + String(repeating: "é", count: 31) + "…")
  }

  @Test("reads a Stop, its reason optional")
  func stop() throws {
    let id = try #require(ScheduleID(validating: "test:schedule"))
    func stop(_ detail: String) -> Command.Stop? {
      decode(#"{"DetailType": "Schedule Stop", "Detail": {\#(detail)}}"#, routingKey: "Schedule Stop").stop
    }
    #expect(
      stop(#""id": "test:schedule", "reason": "no longer needed""#) == Command.Stop(id: id, reason: "no longer needed"))
    #expect(stop(#""id": "test:schedule""#) == Command.Stop(id: id, reason: "stopped"))
    #expect(stop(#""id": "test:schedule", "reason": null, "cron": "nonsense", "ifExists": 1"#) == Command.Stop(id: id))
    let longest = String(repeating: "x", count: 1024)
    #expect(stop(#""id": "test:schedule", "reason": "\#(longest)""#)?.reason == longest)
  }

  @Test("ids compare by bytes: a composed and a decomposed letter are two")
  func idBytes() {
    let composed = decode(startEvent("\"id\": \"\u{e9}\", \"duration\": \"5m\"")).start?.definition.id
    let decomposed = decode(startEvent("\"id\": \"e\u{301}\", \"duration\": \"5m\"")).start?.definition.id
    #expect(composed != decomposed)
    #expect(composed?.bytes == [0xC3, 0xA9])
    #expect(decomposed?.bytes == [0x65, 0xCC, 0x81])
  }

  @Test("the command key depends on message_id and body, and is nil without a message_id")
  func keys() {
    let body = startEvent(#""id": "a", "duration": "5m""#)
    func key(_ messageID: String?, _ body: String) -> CommandKey? {
      decoder.decode(message(body, messageID: messageID)).content.key
    }
    #expect(key("m-1", body) != nil)
    #expect(key("m-1", body) == key("m-1", body))
    #expect(key("m-1", body) != key("m-2", body))
    #expect(key("m-1", body) != key("m-1", body + " "))
    #expect(key(nil, body) == nil)
    #expect(key("", body) == nil)
  }

  @Test("tag and origin pass through, a trace only up to 512 bytes")
  func origin() {
    var incoming = message(startEvent(#""id": "a", "duration": "5m""#))
    incoming.messageID = [0xFF, 0x00]
    incoming.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    incoming.tracestate = String(repeating: "é", count: 256)
    let received = decoder.decode(incoming, from: .delivery(tag: 77))
    #expect(received.source == .delivery(tag: 77))
    #expect(
      received.origin
        == Origin(messageID: [0xFF, 0x00], traceparent: incoming.traceparent, tracestate: incoming.tracestate))
    incoming.tracestate?.append("x")
    #expect(decoder.decode(incoming, from: .delivery(tag: 77)).origin.tracestate == nil)
  }
}
