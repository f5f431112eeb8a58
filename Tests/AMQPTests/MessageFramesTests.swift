import AMQP
import Testing

/// Frames written by hand from AMQP 0-9-1, section 4.2. Integration tests show that the broker accepts them.
struct MessageFramesTests {
  private static let frameMax = 4096

  private func frames(_ message: Message) -> [UInt8] {
    MessageBatch(frameMax: Self.frameMax) { $0.add(message, number: 1) }.withBytes { Array($0) }
  }

  private func header(properties: [UInt8], bodySize: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]) -> [UInt8] {
    let payload: [UInt8] = [0, 60, 0, 0] + bodySize + properties
    return [2, 0, 1, 0, 0, 0, UInt8(payload.count)] + payload + [0xCE]
  }

  @Test func anEmptyMessageHasTwo() {
    let method: [UInt8] = [1, 0, 1, 0, 0, 0, 13, 0, 60, 0, 40, 0, 0, 1, 0x65, 3, 0x6B, 0x65, 0x79, 1]
    #expect(
      frames(Message(exchange: "e", routingKey: "key", mandatory: true, body: []))
        == method + [0xCE] + header(properties: [0, 0]))
  }

  @Test func propertiesComeInTheOrderOfTheirFlags() {
    var properties = Properties()
    properties.appID = "l"
    properties.userID = "k"
    properties.type = "j"
    properties.timestamp = 0x0102_0304_0506_0708
    properties.messageID = [9, 0]
    properties.expiration = "h"
    properties.replyTo = Array("g".utf8)
    properties.correlationID = []
    properties.priority = 5
    properties.deliveryMode = .persistent
    properties.headers = ["x": true]
    properties.contentEncoding = "b"
    properties.contentType = "é"
    let all: [UInt8] =
      [0xFF, 0xF8, 2, 0xC3, 0xA9, 1, 0x62] + [0, 0, 0, 4, 1, 0x78, 0x74, 1] + [2, 5, 0, 1, 0x67, 1, 0x68, 2, 9, 0]
      + [1, 2, 3, 4, 5, 6, 7, 8] + [1, 0x6A, 1, 0x6B, 1, 0x6C]
    let frames = frames(Message(exchange: "", routingKey: "", properties: properties, body: []))
    #expect(Array(frames.suffix(header(properties: all).count)) == header(properties: all))
  }

  @Test(
    arguments: [
      (.void, "V", []), (true, "t", [1]), (.int8(-2), "b", [0xFE]), (.uint8(2), "B", [2]),
      (.int16(-2), "s", [0xFF, 0xFE]), (.uint16(2), "u", [0, 2]), (.int32(-2), "I", [0xFF, 0xFF, 0xFF, 0xFE]),
      (.uint32(2), "i", [0, 0, 0, 2]), (.int64(2), "l", [0, 0, 0, 0, 0, 0, 0, 2]),
      (.uint64(2), "L", [0, 0, 0, 0, 0, 0, 0, 2]), (.float(1), "f", [0x3F, 0x80, 0, 0]),
      (.double(1), "d", [0x3F, 0xF0, 0, 0, 0, 0, 0, 0]), (.decimal(scale: 2, value: 3), "D", [2, 0, 0, 0, 3]),
      ("ab", "S", [0, 0, 0, 2, 0x61, 0x62]), (.bytes([7]), "x", [0, 0, 0, 1, 7]),
      (.timestamp(2), "T", [0, 0, 0, 0, 0, 0, 0, 2]), (.table(["a": .void]), "F", [0, 0, 0, 3, 1, 0x61, 0x56]),
      (.array([.void, .int8(1)]), "A", [0, 0, 0, 3, 0x56, 0x62, 1]),
    ] as [(FieldValue, Character, [UInt8])])
  func eachTypeHasItsLetter(value: FieldValue, letter: Character, bytes: [UInt8]) {
    var properties = Properties()
    properties.headers = ["h": value]
    let field: [UInt8] = [1, 0x68, letter.asciiValue ?? 0] + bytes
    let expected = header(properties: [0x20, 0, 0, 0, 0, UInt8(field.count)] + field)
    let frames = frames(Message(exchange: "", routingKey: "", properties: properties, body: []))
    #expect(Array(frames.suffix(expected.count)) == expected)
  }

  /// No frame is larger than negotiated, and together they contain the body.
  @Test(arguments: [1, 4087, 4088, 4089, 8176, 8177, 20_000])
  func aBodyTakesAsManyAsItNeeds(bodyBytes: Int) {
    let body = (0..<bodyBytes).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var rest = frames(Message(exchange: "", routingKey: "", body: body))[...]
    var (bodies, sizes): ([UInt8], [Int]) = ([], [])
    while let type = rest.first {
      let size = rest.dropFirst(3).prefix(4).reduce(0) { $0 << 8 | Int($1) }
      #expect(size + 8 <= Self.frameMax)
      #expect(rest.dropFirst(7 + size).first == 0xCE)
      if type == 3 {
        bodies += rest.dropFirst(7).prefix(size)
        sizes.append(size)
      }
      rest = rest.dropFirst(8 + size)
    }
    #expect(bodies == body)
    #expect(sizes.count == (bodyBytes + 4087) / 4088, "\(sizes)")
  }
}
