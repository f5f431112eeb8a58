import EventBus
import Recurrence
import Scheduling
import Testing

@Suite("Commands in: rejected")
struct RejectionTests {
  @Test("bad body", arguments: BadCommand.bodies)
  func body(bad: BadCommand) { check(bad) }

  @Test("bad envelope", arguments: BadCommand.envelopes)
  func envelope(bad: BadCommand) { check(bad) }

  @Test("bad id", arguments: BadCommand.ids)
  func id(bad: BadCommand) { check(bad) }

  @Test("bad field", arguments: BadCommand.fields)
  func field(bad: BadCommand) { check(bad) }

  @Test("wrong type of any field", arguments: BadCommand.wrongTypes)
  func wrongType(bad: BadCommand) { check(bad) }

  @Test("a machine without time zone data says so")
  func noTimeZoneData() throws {
    let decoder = CommandDecoder(zones: { $0 == "UTC" ? .utc : nil }, secret: SipHash.Key(1, 2))
    let body = startEvent(#""id": "a", "cron": "* * * * *", "timezone": "Europe/Paris""#)
    let rejection = try #require(decoder.decode(message(body)).content.rejection)
    #expect(rejection.reason.hasSuffix("this machine has no time zone data; install tzdata"))
  }

  private func check(_ bad: BadCommand) {
    guard let rejection = decode(bad.body, routingKey: bad.routingKey).rejection else {
      Issue.record("accepted: \(bad.body.prefix(200))")
      return
    }
    #expect(rejection.id?.text == bad.id)
    #expect(rejection.command == bad.command)
    #expect(rejection.field == bad.field)
    #expect(rejection.reason.contains(bad.reason), "\(rejection.reason)")
    #expect(rejection.reason.utf8.count < 300)
  }
}

@Suite("Our own events get no outcome")
struct OwnEventTests {
  @Test("by the routing key, whatever the body", arguments: EventName.allCases.filter(\.isOwn), ["", "{}", "nonsense"])
  func routingKey(name: EventName, body: String) {
    #expect(decode(body, routingKey: name.rawValue).isOwnEvent)
    #expect(decode(startEvent(#""id": "a", "duration": "5m""#), routingKey: name.rawValue).isOwnEvent)
  }

  @Test(
    "by the DetailType in either form, whatever else is wrong", arguments: EventName.allCases.filter(\.isOwn),
    ["DetailType", "detail-type"])
  func detailType(name: EventName, key: String) {
    #expect(decode(#"{"\#(key)": "\#(name.rawValue)", "Detail": 1, "x": 1, "x": 2}"#).isOwnEvent)
  }
}

@Suite("Errors quote at most 64 bytes of input")
struct EchoTests {
  static let long = String(repeating: "é", count: 5000)

  @Test(
    "in any part of a rejection",
    arguments: [
      (startEvent(#""id": "a", "cron": "\#(String(repeating: "Z", count: 200))""#), "Schedule Start"),
      (startEvent(#""id": "a", "duration": "\#(String(repeating: "Z", count: 100))""#), "Schedule Start"),
      (startEvent(#""id": "a", "at": "\#(long)""#), "Schedule Start"),
      (startEvent(#""id": "a", "every": "5m", "limit": \#(String(repeating: "1", count: 5000))"#), "Schedule Start"),
      (
        startEvent(#""id": "a", "every": "5m", "timezone": "\#(String(repeating: "Z", count: 100))""#), "Schedule Start"
      ),
      (startEvent(#""id": "a", "\#(long)": 1, "\#(long)": 2"#), "Schedule Start"),
      (#"{"DetailType": "\#(long)"}"#, "Schedule Start"),
      (#"{"DetailType": "\#(long)"}"#, long),
      (startEvent(""), long),
      ("x", long),
    ])
  func echo(body: String, routingKey: String) throws {
    let rejection = try #require(decode(body, routingKey: routingKey).rejection)
    for text in [rejection.reason, rejection.command] {
      #expect(text.count { $0 == "é" } <= 32, "\(text)")
      #expect(text.count { $0 == "Z" || $0 == "1" } <= 70, "\(text)")
    }
  }

  @Test("a routing key in invalid UTF-8 is rejected")
  func routingKeyBytes() {
    let incoming = IncomingMessage(routingKey: [0xFF, 0x41], body: Array(startEvent(#""id": "a""#).utf8))
    #expect(decoder.decode(incoming).content.rejection?.field == "DetailType")
    let unreadable = IncomingMessage(routingKey: [0xFF, 0x41], body: [0xFF])
    #expect(decoder.decode(unreadable).content.rejection?.command == "\u{fffd}A")
  }

  @Test("a body that was discarded for its size is rejected with its declared size")
  func dropped() {
    let incoming = IncomingMessage(routingKey: Array("Schedule Start".utf8), body: [], bodySize: 16_777_216)
    let rejection = decoder.decode(incoming).content.rejection
    #expect(
      rejection
        == Rejection(
          command: "Schedule Start", field: "body", reason: "the body has 16777216 bytes: at most 262144 are accepted"))
  }
}
