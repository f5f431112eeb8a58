import EventBus
import Recurrence
import Scheduling

/// SplitMix64: small, and the same numbers for the same seed, so that a failure can be replayed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

extension ArraySlice<UInt8> {
  var utf8Text: String { String(decoding: self, as: UTF8.self) }
}

extension [UInt8] {
  var utf8Text: String { String(decoding: self, as: UTF8.self) }
}

let secret = SipHash.Key(0x0123_4567, 0x89AB_CDEF)

/// The decoder under test knows two zones, both with the rules of UTC.
let decoder = CommandDecoder(zones: { ["UTC", "Europe/Rome"].contains($0) ? .utc : nil }, secret: secret)

/// A message as a well-behaved client would send it.
func message(_ body: String, routingKey: String = "Schedule Start", messageID: String? = nil) -> IncomingMessage {
  IncomingMessage(
    routingKey: Array(routingKey.utf8), messageID: messageID.map { Array($0.utf8) }, body: Array(body.utf8))
}

/// The event of a Start with these members of Detail.
func startEvent(_ members: String) -> String {
  #"{"Source": "test", "DetailType": "Schedule Start", "Detail": {\#(members)}}"#
}

extension ReceivedCommand.Content {
  var start: Command.Start? {
    if case .command(.start(let start), _) = self { start } else { nil }
  }

  var stop: Command.Stop? {
    if case .command(.stop(let stop), _) = self { stop } else { nil }
  }

  var key: CommandKey? {
    if case .command(_, let key) = self { key } else { nil }
  }

  var rejection: Rejection? {
    if case .malformed(let rejection) = self { rejection } else { nil }
  }

  var isOwnEvent: Bool {
    if case .ownEvent = self { true } else { false }
  }
}

func decode(_ body: String, routingKey: String = "Schedule Start") -> ReceivedCommand.Content {
  decoder.decode(message(body, routingKey: routingKey)).content
}

/// Reads a whole document, as strictly as an event's envelope is read.
func parse(_ json: some Collection<UInt8>) throws -> JSONValue {
  var reader = try JSONReader(Array(json)[...])
  let value = try reader.readValue()
  try reader.readEnd()
  if let duplicate = reader.duplicateKey { throw duplicate }
  return value
}

func instant(_ text: String) -> Instant {
  guard let instant = Instant(rfc3339: text) else { preconditionFailure("no RFC 3339: \(text)") }
  return instant
}

func scheduleID(_ text: String) -> ScheduleID {
  guard let id = ScheduleID(validating: text) else { preconditionFailure("no id: \(text)") }
  return id
}
