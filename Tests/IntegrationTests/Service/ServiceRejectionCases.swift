/// Every kind of bad input in the contract, and the expected answer.
struct ServiceRejectionCase: Sendable, CustomStringConvertible {
  let name: String
  var key = "Schedule Start"
  let body: [UInt8]
  /// The `field` of the Rejected.
  let field: String
  /// A part of its `reason`.
  let reason: String
  /// The `id` of the Rejected; nil if it cannot be read.
  var id: String? = "bad"

  var description: String { name }

  /// A Start with a wrong Detail after a valid id.
  private static func detail(_ name: String, _ members: String, _ field: String, _ reason: String) -> Self {
    Self(name: name, body: event(#""id": "bad", \#(members)"#), field: field, reason: reason)
  }

  /// A body that is not an event.
  private static func body(_ name: String, _ bytes: [UInt8], _ reason: String, field: String = "body") -> Self {
    Self(name: name, body: bytes, field: field, reason: reason, id: nil)
  }

  /// A Start whose id is wrong.
  private static func id(_ name: String, _ member: String, _ reason: String) -> Self {
    Self(name: name, body: event(#"\#(member)"duration": "1h""#), field: "id", reason: reason, id: nil)
  }

  private static func event(_ detail: String) -> [UInt8] { Array(ServiceBus.event("Schedule Start", detail).utf8) }

  static let all = bodies + envelopes + ids + timings + values

  private static let bodies: [Self] = [
    body("empty", [], "is empty"),
    body("not JSON", Array("start it".utf8), "cannot be read as JSON"),
    body("not UTF-8", Array(#"{"DetailType": ""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8), "cannot be read as JSON"),
    body("UTF-16", [0x7B, 0x00, 0x7D, 0x00], "cannot be read as JSON"),
    body("an unpaired surrogate", Array(#"{"DetailType": "\ud800"}"#.utf8), "cannot be read as JSON"),
    body("a byte-order mark", [0xEF, 0xBB, 0xBF] + event(#""id": "bad", "duration": "1h""#), "cannot be read as JSON"),
    body("a trailing comma", Array(#"{"DetailType": "Schedule Start",}"#.utf8), "cannot be read as JSON"),
    body("text behind the JSON", event(#""id": "bad", "duration": "1h""#) + Array("x".utf8), "cannot be read as JSON"),
    body("an array", Array("[]".utf8), "cannot be read as JSON"),
    body(
      "nesting over 32",
      event(
        #""id": "bad", "duration": "1h", "payload": \#(String(repeating: "[", count: 31) + String(repeating: "]", count: 31))"#
      ),
      "cannot be read as JSON"),
    body(
      "300 KiB", event(#""id": "bad", "duration": "1h", "payload": "\#(String(repeating: "x", count: 300 << 10))""#),
      "262144"),
    body("5 MiB of binary", (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }, "262144"),
  ]

  private static let envelopes: [Self] = [
    Self(
      name: "a key twice in the envelope",
      body: Array(#"{"DetailType": "Schedule Start", "x": 1, "\u0078": 2, "Detail": {"id": "bad"}}"#.utf8),
      field: "body", reason: "twice"),
    Self(
      name: "a key twice in Detail", body: event(#""id": "bad", "duration": "1h", "duration": "2h""#), field: "Detail",
      reason: "twice"),
    Self(
      name: "both Detail and detail",
      body: Array(#"{"DetailType": "Schedule Start", "Detail": {"id": "bad"}, "detail": {"id": "bad"}}"#.utf8),
      field: "Detail",
      reason: "same field"),
    Self(
      name: "a DetailType other than the routing key",
      body: Array(#"{"DetailType": "Schedule Stop", "Detail": {"id": "bad"}}"#.utf8), field: "DetailType",
      reason: "routing key"),
    Self(
      name: "no DetailType", body: Array(#"{"Detail": {"id": "bad"}}"#.utf8), field: "DetailType", reason: "required"),
    Self(
      name: "no Detail", body: Array(#"{"DetailType": "Schedule Start"}"#.utf8), field: "Detail", reason: "required",
      id: nil),
    Self(
      name: "Detail a number", body: Array(#"{"DetailType": "Schedule Start", "Detail": 7}"#.utf8), field: "Detail",
      reason: "must be an object", id: nil),
    Self(
      name: "Detail a string that is not JSON",
      body: Array(#"{"DetailType": "Schedule Start", "Detail": "seven"}"#.utf8),
      field: "Detail", reason: "cannot be read as JSON", id: nil),
    Self(
      name: "an invalid Time",
      body: Array(#"{"DetailType": "Schedule Start", "Time": "now", "Detail": {"id": "bad", "duration": "1h"}}"#.utf8),
      field: "Time", reason: "RFC 3339"),
    Self(
      name: "a Source that is not a string",
      body: Array(#"{"DetailType": "Schedule Start", "Source": 1, "Detail": {"id": "bad", "duration": "1h"}}"#.utf8),
      field: "Source", reason: "string"),
  ]

  private static let ids: [Self] = [
    id("no id", "", "required"),
    id("id null", #""id": null, "#, "required"),
    id("id empty", #""id": "", "#, "empty"),
    id("id a number", #""id": 1, "#, "string"),
    id("id over 200 bytes", #""id": "\#(String(repeating: "é", count: 101))", "#, "200"),
    id("id with a control character", #""id": "a\u0085", "#, "control character"),
    Self(
      name: "a Stop without id", key: "Schedule Stop", body: Array(ServiceBus.event("Schedule Stop", "").utf8),
      field: "id",
      reason: "required", id: nil),
    Self(
      name: "a Stop with a reason of 2 KiB", key: "Schedule Stop",
      body: Array(
        ServiceBus.event("Schedule Stop", #""id": "bad", "reason": "\#(String(repeating: "x", count: 2048))""#).utf8),
      field: "reason", reason: "1024"),
  ]

  private static let timings: [Self] = [
    detail("no timing", #""limit": 1"#, "cron", "exactly one"),
    detail("two timings", #""cron": "* * * * *", "duration": "1h""#, "duration", "exactly one"),
    detail("cron out of range", #""cron": "60 * * * *""#, "cron", "minute: 60 is not within 0-59 (character 1)"),
    detail("cron that is none", #""cron": "whenever""#, "cron", "field"),
    detail("cron that never fires", #""cron": "0 0 30 2 *""#, "cron", "does not exist"),
    detail("cron over 256 bytes", #""cron": "\#(String(repeating: "*", count: 257))""#, "cron", "256"),
    detail("cron a number", #""cron": 5"#, "cron", "string"),
    detail("bad duration", #""duration": "soon""#, "duration", ""),
    detail("every under a second", #""every": "10ms""#, "every", "at least 1 s"),
    detail("at that is none", #""at": "tomorrow""#, "at", "RFC 3339"),
    detail("no slot left", #""cron": "* * * * *", "endDate": "2020-01-01T00:00:00Z""#, "endDate", "no slot"),
  ]

  private static let values: [Self] = [
    detail("a negative limit", #""cron": "* * * * *", "limit": -1"#, "limit", "whole number"),
    detail("a limit with a fraction", #""cron": "* * * * *", "limit": 1.0"#, "limit", "whole number"),
    detail("a limit with an exponent", #""cron": "* * * * *", "limit": 1e1"#, "limit", "whole number"),
    detail("a limit in quotes", #""cron": "* * * * *", "limit": "10""#, "limit", "whole number"),
    detail("a limit over 2^53-1", #""cron": "* * * * *", "limit": 9007199254740992"#, "limit", "9007199254740991"),
    detail("an unknown zone", #""cron": "* * * * *", "timezone": "Mars/Olympus""#, "timezone", "IANA"),
    detail("a zone that is a path", #""cron": "* * * * *", "timezone": "../../etc/passwd""#, "timezone", "IANA"),
    detail(
      "an endDate before startDate",
      #""cron": "* * * * *", "startDate": "2030-01-02T00:00:00Z", "endDate": "2030-01-01T00:00:00Z""#, "endDate",
      "before"),
    detail(
      "an `at` outside of the dates", #""at": "2030-01-01T00:00:00Z", "endDate": "2029-01-01T00:00:00Z""#, "at",
      "endDate"),
    detail("a bad jitter", #""cron": "* * * * *", "jitter": -1"#, "jitter", "string"),
    detail("an unknown policy", #""cron": "* * * * *", "misfirePolicy": "fireTwice""#, "misfirePolicy", "fireOnce"),
    detail("a bad window", #""cron": "* * * * *", "catchupWindow": "soon""#, "catchupWindow", ""),
    detail("an unknown ifExists", #""cron": "* * * * *", "ifExists": "merge""#, "ifExists", "replaceIfChanged"),
  ]
}
