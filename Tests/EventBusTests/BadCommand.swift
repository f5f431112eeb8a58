import Testing

/// A bad command and its rejection.
struct BadCommand: CustomTestStringConvertible {
  var body: String
  var routingKey = "Schedule Start"
  /// The id that the rejection carries.
  var id: String? = "a"
  var command = "Schedule Start"
  var field: String
  /// A part of the reason.
  var reason: String

  var testDescription: String { "\(field): \(body.prefix(120))" }

  /// A Start with an error in its Detail only.
  static func start(_ detail: String, _ field: String, _ reason: String, id: String? = "a") -> BadCommand {
    BadCommand(body: startEvent(detail), id: id, field: field, reason: reason)
  }
}

/// Every kind of bad input that the contract names.
extension BadCommand {
  static let bodies: [BadCommand] = [
    BadCommand(body: "", id: nil, field: "body", reason: "empty"),
    BadCommand(body: "hello", id: nil, field: "body", reason: "cannot be read as JSON: '{' is expected (byte 1)"),
    BadCommand(body: "[]", id: nil, field: "body", reason: "'{' is expected"),
    BadCommand(body: "null", id: nil, field: "body", reason: "'{' is expected"),
    BadCommand(body: "\u{feff}" + startEvent(#""id": "a""#), id: nil, field: "body", reason: "byte-order mark"),
    BadCommand(body: startEvent(#""id": "a""#) + "x", id: nil, field: "body", reason: "after the end"),
    BadCommand(body: startEvent(#""id": "a", "x": "\ud800""#), id: nil, field: "body", reason: "unpaired surrogate"),
    BadCommand(body: startEvent(#""id": "a", "cron": "* * * * *","#), id: nil, field: "body", reason: "a key"),
    BadCommand(
      body: startEvent(#""id": "a", "cron": "* * * * *", "x": \#(String(repeating: "[", count: 31))"#), id: nil,
      field: "body", reason: "deeper than 32"),
    BadCommand(
      body: startEvent(#""id": "a", "x": "\#(String(repeating: "x", count: 262_144))""#), id: nil, field: "body",
      reason: "at most 262144"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "x": 1, "x": 2, "Detail": {"id": "a", "cron": "* * * * *"}}"#,
      field: "body", reason: #"the key "x" occurs twice in one object (byte 42)"#),
    BadCommand(
      body:
        #"{"DetailType": "Schedule Start", "x": {"y": 1, "\u0079": 2}, "Detail": {"id": "a", "cron": "* * * * *"}}"#,
      field: "body", reason: #""y" occurs twice"#),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": {"id": "a", "cron": "* * * * *"}, "Detail": {"id": "b"}}"#,
      field: "body", reason: #"the key "Detail" occurs twice"#),
    .start(#""id": "a", "cron": "* * * * *", "cron": "* * * * *""#, "Detail", #""cron" occurs twice"#),
    .start(#""id": "a", "cron": "* * * * *", "x": [{"y": 1, "y": 2}]"#, "Detail", #""y" occurs twice"#),
    .start(#""id": "a", "cron": "* * * * *", "payload": 1, "payload": 2"#, "Detail", #""payload" occurs twice"#),
  ]

  static let envelopes: [BadCommand] = [
    BadCommand(body: "{}", id: nil, field: "DetailType", reason: "required"),
    BadCommand(
      body: #"{"detailtype": "Schedule Start", "Detail": {"id": "a"}}"#, field: "DetailType", reason: "required"),
    BadCommand(body: #"{"DetailType": null, "Detail": {"id": "a"}}"#, field: "DetailType", reason: "required"),
    BadCommand(body: #"{"DetailType": 1, "Detail": {"id": "a"}}"#, field: "DetailType", reason: "not a number"),
    BadCommand(
      body: #"{"DetailType": "", "Detail": {"id": "a"}}"#, command: "", field: "DetailType", reason: "routing key"),
    BadCommand(
      body: #"{"DetailType": "Schedule Stop", "Detail": {"id": "a"}}"#, command: "Schedule Stop", field: "DetailType",
      reason: #"must equal the routing key, which is "Schedule Start""#),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": {"id": "a"}}"#, routingKey: "Schedule", field: "DetailType",
      reason: "routing key"),
    BadCommand(
      body: #"{"DetailType": "schedule start", "Detail": {"id": "a"}}"#, command: "schedule start", field: "DetailType",
      reason: "routing key"),
    BadCommand(
      body: #"{"DetailType": "Schedule Explode", "Detail": {"id": "a"}}"#, routingKey: "Schedule Explode",
      command: "Schedule Explode", field: "DetailType", reason: "not supported by this version"),
    BadCommand(
      body: #"{"DetailType": "", "Detail": {"id": "a"}}"#, routingKey: "", command: "", field: "DetailType",
      reason: "not supported by this version"),
    BadCommand(
      body:
        #"{"DetailType": "Schedule Start", "detail-type": "Schedule Start", "Detail": {"id": "a", "duration": "5m"}}"#,
      field: "DetailType", reason: "DetailType and detail-type are the same field"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": {"id": "a", "duration": "5m"}, "detail": {}}"#,
      field: "Detail",
      reason: "Detail and detail are the same field"),
    BadCommand(body: #"{"DetailType": "Schedule Start"}"#, id: nil, field: "Detail", reason: "required"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": null}"#, id: nil, field: "Detail", reason: "required"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": []}"#, id: nil, field: "Detail", reason: "not an array"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": true}"#, id: nil, field: "Detail", reason: "not a boolean"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": ""}"#, id: nil, field: "Detail", reason: "'{' is expected"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "[]"}"#, id: nil, field: "Detail", reason: "'{' is expected"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "\"{}\""}"#, id: nil, field: "Detail",
      reason: "'{' is expected"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "\ufeff{\"id\": \"a\"}"}"#, id: nil, field: "Detail",
      reason: "byte-order mark"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"a\", \"duration\": \"5m\"} x"}"#, field: "Detail",
      reason: "after the end"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"a\", \"x\": \"\\ud800\"}"}"#, field: "Detail",
      reason: "unpaired surrogate"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "{\"id\": \"a\", \"duration\": \"5m\", \"id\": \"b\"}"}"#,
      field: "Detail", reason: #""id" occurs twice"#),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Detail": "{\"id\":\"a\",\"x\":\#(String(repeating: "[", count: 31))"}"#,
      field: "Detail", reason: "deeper than 32"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Source": 1, "Detail": {"id": "a", "duration": "5m"}}"#, field: "Source",
      reason: "not a number"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Time": 1700000000, "Detail": {"id": "a", "duration": "5m"}}"#,
      field: "Time", reason: "not a number"),
    BadCommand(
      body: #"{"DetailType": "Schedule Start", "Time": "today", "Detail": {"id": "a", "duration": "5m"}}"#,
      field: "Time",
      reason: #""today": not an RFC 3339 time"#),
    BadCommand(
      body: #"{"DetailType": "Schedule Stop", "Time": "2026-11-23", "Detail": {"id": "a"}}"#,
      routingKey: "Schedule Stop",
      command: "Schedule Stop", field: "Time", reason: "RFC 3339"),
  ]

  static let ids: [BadCommand] = [
    .start(#""cron": "* * * * *""#, "id", "required", id: nil),
    .start(#""id": null, "cron": "* * * * *""#, "id", "required", id: nil),
    .start(#""id": "", "cron": "* * * * *""#, "id", "empty", id: nil),
    .start(#""id": 7, "cron": "* * * * *""#, "id", "not a number", id: nil),
    .start(#""id": ["a"], "cron": "* * * * *""#, "id", "not an array", id: nil),
    .start(#""id": "\#(String(repeating: "x", count: 201))", "cron": "* * * * *""#, "id", "201 bytes", id: nil),
    .start(#""id": "\#(String(repeating: "é", count: 101))", "cron": "* * * * *""#, "id", "202 bytes", id: nil),
    .start(#""id": "a\u0000", "cron": "* * * * *""#, "id", "control character", id: nil),
    .start(#""id": "a\n", "cron": "* * * * *""#, "id", "control character", id: nil),
    .start("\"id\": \"a\u{7f}\", \"cron\": \"* * * * *\"", "id", "control character", id: nil),
    .start("\"id\": \"a\u{85}\", \"cron\": \"* * * * *\"", "id", "control character", id: nil),
    BadCommand(
      body: #"{"DetailType": "Schedule Stop", "Detail": {"reason": "x"}}"#, routingKey: "Schedule Stop", id: nil,
      command: "Schedule Stop", field: "id", reason: "required"),
  ]

  static let fields: [BadCommand] = [
    .start(#""id": "a""#, "cron", "the timing is missing"),
    .start(#""id": "a", "cron": null"#, "cron", "the timing is missing"),
    .start(#""id": "a", "cron": "* * * * *", "duration": "5m""#, "duration", "cron and duration exclude each other"),
    .start(#""id": "a", "at": "2026-11-23T08:30:00Z", "duration": "5m""#, "at", "duration and at exclude each other"),
    .start(#""id": "a", "every": "5m", "cron": "* * * * *""#, "every", "exclude each other"),
    .start(
      #""id": "a", "every": "5m", "cron": "x", "at": "y", "duration": "z""#, "duration",
      "cron and duration and at and every"),
    .start(#""id": "a", "cron": "60 * * * *""#, "cron", "minute: 60 is not within 0-59 (character 1)"),
    .start(#""id": "a", "cron": """#, "cron", ""),
    .start(#""id": "a", "cron": "* * * *""#, "cron", ""),
    .start(#""id": "a", "cron": "* * * * *\u0000""#, "cron", ""),
    .start(#""id": "a", "cron": "0 0 31 2 *""#, "cron", ""),
    .start(#""id": "a", "cron": "\#(String(repeating: "1,", count: 128))1 * * * *""#, "cron", "at most 256"),
    .start(#""id": "a", "duration": "soon""#, "duration", ""),
    .start(#""id": "a", "duration": """#, "duration", ""),
    .start(#""id": "a", "duration": "-5m""#, "duration", ""),
    .start(#""id": "a", "duration": "0s""#, "duration", ""),
    .start(#""id": "a", "duration": "\#(String(repeating: "1", count: 128))m""#, "duration", "129 bytes: at most 128"),
    .start(#""id": "a", "every": "1:30""#, "every", ""),
    .start(#""id": "a", "every": "999ms""#, "every", "at least 1 s"),
    .start(#""id": "a", "at": "2026-11-23""#, "at", #""2026-11-23": not an RFC 3339 time"#),
    .start(#""id": "a", "at": "2026-11-23T08:30:00""#, "at", "RFC 3339"),
    .start(#""id": "a", "at": "2026-02-29T00:00:00Z""#, "at", "RFC 3339"),
    .start(#""id": "a", "duration": "5m", "limit": -1"#, "limit", "limit is -1"),
    .start(#""id": "a", "duration": "5m", "limit": -0"#, "limit", "whole number in digits"),
    .start(#""id": "a", "duration": "5m", "limit": 1.0"#, "limit", "whole number in digits"),
    .start(#""id": "a", "duration": "5m", "limit": 1e1"#, "limit", "whole number in digits"),
    .start(#""id": "a", "duration": "5m", "limit": 9007199254740992"#, "limit", "at most 9007199254740991"),
    .start(#""id": "a", "duration": "5m", "limit": 99999999999999999999"#, "limit", "at most 9007199254740991"),
    .start(
      #""id": "a", "duration": "5m", "timezone": "Mars/Olympus""#, "timezone",
      #""Mars/Olympus" is not a known time zone"#),
    .start(#""id": "a", "duration": "5m", "timezone": """#, "timezone", "not a known time zone"),
    .start(
      #""id": "a", "duration": "5m", "timezone": "\#(String(repeating: "x", count: 129))""#, "timezone", "at most 128"),
    .start(#""id": "a", "duration": "5m", "startDate": "tomorrow""#, "startDate", "RFC 3339"),
    .start(#""id": "a", "duration": "5m", "endDate": "2027""#, "endDate", "RFC 3339"),
    .start(
      #""id": "a", "every": "5m", "startDate": "2026-11-23T08:30:00.0001Z", "endDate": "2026-11-23T08:30:00.0009Z""#,
      "endDate", "endDate 2026-11-23T08:30:00.000Z is before startDate 2026-11-23T08:30:00.001Z"),
    .start(
      #""id": "a", "at": "2026-11-23T08:29:59.999Z", "startDate": "2026-11-23T08:30:00Z""#, "at", "is before startDate"),
    .start(
      #""id": "a", "at": "2026-11-23T08:30:00.001Z", "endDate": "2026-11-23T08:30:00Z""#, "at", "is after endDate"),
    .start(#""id": "a", "duration": "5m", "jitter": "a bit""#, "jitter", ""),
    .start(
      #""id": "a", "duration": "5m", "misfirePolicy": "FireOnce""#, "misfirePolicy",
      #"misfirePolicy is "FireOnce": use one of fireOnce, fireAll, skip"#),
    .start(#""id": "a", "duration": "5m", "catchupWindow": "ever""#, "catchupWindow", ""),
    .start(
      #""id": "a", "duration": "5m", "ifExists": "ignore""#, "ifExists",
      #"ifExists is "ignore": use one of replace, replaceIfChanged, keep, reject"#),
    target("", "target.detailType", "is required"),
    target(#""exchange": """#, "target.exchange", "is empty"),
    target(#""exchange": "\#(String(repeating: "x", count: 256))""#, "target.exchange", "256 bytes: at most 255"),
    target(#""exchange": "a\u0000""#, "target.exchange", "holds a control character"),
    target(#""detailType": 1"#, "target.detailType", "must be a string, not a number"),
    target(#""routingkey": "x""#, "target", #"holds "routingkey": its fields are exchange, routingKey"#),
    target(#""body": "raw""#, "target.body", #"is "raw": use one of event, payload"#),
    target(#""detailType": "A", "contentType": "text/plain""#, "target.contentType", "body"),
    target(#""body": "payload", "routingKey": "k", "source": "s""#, "target.source", "is for events"),
    target(#""body": "payload""#, "target.routingKey", "or detailType is required"),
    target(#""detailType": "A", "expiration": 60000"#, "target.expiration", "must be a string of digits"),
    target(#""detailType": "A", "expiration": "4294967296""#, "target.expiration", "at most 4294967295"),
    target(#""detailType": "A", "expiration": "-1""#, "target.expiration", "milliseconds in digits"),
    target(#""detailType": "A", "expiration": """#, "target.expiration", "milliseconds in digits"),
    target(#""detailType": "A", "priority": 256"#, "target.priority", "within 0-255"),
    target(#""detailType": "A", "priority": "1""#, "target.priority", "within 0-255"),
    target(#""detailType": "A", "headers": []"#, "target.headers", "must be an object"),
    target(#""detailType": "A", "headers": {"CC": "q"}"#, "target.headers", #"holds "CC", which is reserved"#),
    target(#""detailType": "A", "headers": {"bcc": "q"}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"x-delay": 1}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"Schedule-Owner": "root"}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"schedule-id": "b"}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"scheduled-time": "b"}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"traceparent": "b"}"#, "target.headers", "reserved"),
    target(#""detailType": "A", "headers": {"": "b"}"#, "target.headers", "1 to 128 bytes"),
    target(#""detailType": "A", "headers": {"a": 1.5}"#, "target.headers", "a number must be whole"),
    target(#""detailType": "A", "headers": {"a": 9223372036854775808}"#, "target.headers", "of 64 bits"),
    target(#""detailType": "A", "headers": {"a": null}"#, "target.headers", "strings, whole numbers and booleans"),
    target(#""detailType": "A", "headers": {"a": {}}"#, "target.headers", "strings, whole numbers and booleans"),
    target(
      #""detailType": "A", "headers": {"a": "\#(String(repeating: "x", count: 4096))"}"#, "target.headers",
      "4097 bytes: at most 4096"),
    target(
      #""detailType": "A", "headers": {\#((0..<33).map { "\"h\($0)\": 1" }.joined(separator: ", "))}"#,
      "target.headers",
      "33 members: at most 32"),
    .start(#""id": "a", "every": "5m", "target": "x""#, "target", "target must be an object, not a string"),
    BadCommand(
      body:
        #"{"DetailType": "Schedule Stop", "Detail": {"id": "a", "reason": "\#(String(repeating: "é", count: 513))"}}"#,
      routingKey: "Schedule Stop", command: "Schedule Stop", field: "reason", reason: "1026 bytes: at most 1024"),
  ]

  /// A Start with these members of its target.
  private static func target(_ members: String, _ field: String, _ reason: String) -> BadCommand {
    .start(#""id": "a", "every": "5m", "target": {\#(members)}"#, field, reason)
  }

  static let wrongTypes: [BadCommand] =
    ["cron", "duration", "at", "every"].flatMap { name in
      ["1", "true", "[]", "{}"].map { .start("\"id\": \"a\", \"\(name)\": \($0)", name, "\(name) must be a string") }
    }
    + ["timezone", "startDate", "endDate", "jitter", "misfirePolicy", "catchupWindow", "ifExists"].map {
      .start("\"id\": \"a\", \"every\": \"5m\", \"\($0)\": 5", $0, "\($0) must be a string, not a number")
    }
    + [#""10""#, "true", "[]", "{}"].map {
      .start(#""id": "a", "every": "5m", "limit": \#($0)"#, "limit", "limit must be a whole number in digits, not")
    }
    + [
      BadCommand(
        body: #"{"DetailType": "Schedule Stop", "Detail": {"id": "a", "reason": 1}}"#, routingKey: "Schedule Stop",
        command: "Schedule Stop", field: "reason", reason: "reason must be a string, not a number")
    ]
}
