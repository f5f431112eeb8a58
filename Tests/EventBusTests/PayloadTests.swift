import EventBus
import Foundation
import Recurrence
import Scheduling
import Testing

@Suite("Payload is returned byte for byte")
struct PayloadTests {
  static let payloads = [
    "1.0", "1e2", "-0", "1E400", "123456789012345678901234567890", "null", "true", "\"\"", "[]", "{}",
    #"{"z":1,"a":2,"m":{"b":1,"a":2}}"#, #""http:\/\/example.com\/""#, #""\u0041\u00e9\ud83d\ude00""#, "\"é漢😀\"",
    "{ \"a\" :\t[ 1 ,\n 2 ] ,\r\n\"b\" : { } }", #"{"a":1,"a":2,"b":{"c":1,"c":1}}"#,
    #"{"id":"other","cron":"nonsense"}"#,
    #""a \"quoted\" \\ text""#, "\"\u{7f}\u{2028}\u{feff}\"", #"{"payload":{"payload":null}}"#,
  ]

  @Test("in an object and in a Detail that is a string", arguments: payloads)
  func survives(payload: String) throws {
    let detail = #"{"id": "a", "payload" :  \#(payload) , "cron": "30 * * * *"}"#
    let direct = try #require(decode(#"{"DetailType": "Schedule Start", "Detail": \#(detail)}"#).start)
    let inString = try #require(decode(#"{"DetailType": "Schedule Start", "Detail": \#(try quoted(detail))}"#).start)
    for start in [direct, inString] {
      #expect(start.definition.payload?.utf8Text == payload)
      #expect(try body(ofTickOf: start.definition).hasSuffix(#","payload":\#(payload)}}"#))
    }
  }

  @Test("random documents stay unchanged in both forms of Detail", arguments: 0..<100 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = RandomJSON(seed: seed)
    try survives(payload: random.document().trimmingCharacters(in: .whitespacesAndNewlines))
  }

  @Test("an absent payload stays absent, and null stays null")
  func absent() throws {
    let start = try #require(decode(startEvent(#""id": "a", "cron": "* * * * *""#)).start)
    #expect(start.definition.payload == nil)
    #expect(try !body(ofTickOf: start.definition).contains("payload"))
  }

  @Test("an invalid payload makes the event invalid", arguments: ["01", #""\ud800""#, "{,}", "[1,]", "\"\t\""])
  func faults(payload: String) {
    let rejection = decode(startEvent(#""id": "a", "cron": "* * * * *", "payload": \#(payload)"#)).rejection
    #expect(rejection?.field == "body")
  }

  /// Every other character escaped, as some client libraries do.
  private func quoted(_ text: String) throws -> String {
    let units = text.utf16.enumerated().map { index, unit in
      index % 3 == 0 || unit < 0x20 || unit == 0x22 || unit == 0x5C || UTF16.isSurrogate(unit)
        ? String(format: "\\u%04x", unit) : String(UnicodeScalar(unit)!)
    }
    return "\"\(units.joined())\""
  }

  private func body(ofTickOf definition: Definition) throws -> String {
    let slot = try #require(Instant(rfc3339: "2026-11-23T08:30:00Z"))
    let tick = Tick(definition: definition, generation: 1, counter: 0, slot: slot, missed: 0, nextSlot: nil)
    return EventEncoder(stack: "pocketwatch").encode(.tick(tick), origin: Origin(), at: SendingTime(slot)).body.utf8Text
  }
}
