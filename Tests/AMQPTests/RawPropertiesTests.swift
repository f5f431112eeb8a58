import AMQPTestKit
import Testing

@testable import AMQP

/// Property blocks of other clients, read and sent on byte for byte.
struct RawPropertiesTests {
  private let full = PropertyBlock.full

  @Test func findsEachPropertyAmongAll() throws {
    let raw = try RawProperties(full)
    let texts: [(ShortProperty, String)] = [
      (.contentType, "text/plain"), (.contentEncoding, "identity"), (.correlationID, "correlation"),
      (.replyTo, "reply"),
      (.expiration, "60000"), (.messageID, "id"), (.type, "type"), (.userID, "user"), (.appID, "app"),
    ]
    for (property, text) in texts { #expect(raw[property] == Array(text.utf8), "\(text)") }
    #expect(raw.deliveryMode == .persistent)
    #expect(raw.headerNames.count == 20)
    #expect(raw.headerNames.prefix(3) == ["void", "boolean", "int8"])
    #expect(raw.bytes == full)
  }

  @Test func anAbsentPropertyIsNil() throws {
    let raw = try RawProperties([0, 0x80, 0])  // an empty message_id, and nothing else
    #expect(raw.messageID == [])
    #expect(raw.userID == nil)
    #expect(raw.deliveryMode == nil)
    #expect(raw.headerNames.isEmpty)
    #expect(RawProperties.none.messageID == nil)
  }

  @Test func headersOfEachScalarTypeAreRead() throws {
    let raw = try RawProperties(full)
    let expected: [(StaticString, FieldValue?)] = [
      ("int8", .int8(-2)), ("uint8", .uint8(2)), ("int16", .int16(-2)), ("uint16", .uint16(2)), ("int32", .int32(-2)),
      ("uint32", .uint32(.max)), ("int64", .int64(-2)), ("uint64", .uint64(.max)), ("float", .float(1.5)),
      ("double", .double(-2.5)), ("text", "é"), ("empty", ""), ("void", nil), ("table", nil), ("missing", nil),
    ]
    for (name, value) in expected { #expect(raw.scalarHeader(name) == value, "\(name)") }
  }

  /// What is cut anywhere, or has a byte more, is an error and not a crash.
  @Test func everyOtherLengthIsMalformed() {
    for length in full.indices {
      #expect(throws: MalformedProperties.self, "\(length) bytes") { try RawProperties(Array(full.prefix(length))) }
    }
    #expect(throws: MalformedProperties.self) { try RawProperties(full + [0]) }
  }

  @Test(
    arguments: [
      [0, 1, 0, 0], [0, 2], [0x20, 0, 0xFF, 0xFF, 0xFF, 0xFF], [0x20, 0, 0, 0, 0, 2, 0, 0x3F],
      [0x20, 0, 0, 0, 0, 8, 0, 0x41, 0, 0, 0, 2, 0x74, 1, 0],  // an array longer than its table
      [0x20, 0, 0, 0, 0, 8, 0, 0x41, 0, 0, 0, 2, 0x49, 1],  // a value longer than its array
      [0x20, 0, 0, 0, 0, 6, 0, 0x53, 0xFF, 0xFF, 0xFF, 0xFF],
    ] as [[UInt8]])
  func brokenBlocksAreMalformed(block: [UInt8]) {
    #expect(throws: MalformedProperties.self) { try RawProperties(block) }
  }

  @Test func depthIsBoundedBySizeOnly() throws {
    let block = PropertyBlock.nested(26_000)
    #expect(try RawProperties(block).headerNames == ["deep"])
    #expect(throws: MalformedProperties.self) { try RawProperties(Array(block.dropLast())) }
  }

  /// Bytes changed at random are refused, or can be read and sent on.
  @Test(arguments: 0..<100)
  func changedBytesNeverCrash(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      var block = full
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        block[Int.random(in: block.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let raw = try? RawProperties(block) else { continue }
      let forwarded = raw.forwarded([.negatingDelay, .withoutUserID, .withoutDeliveryCount, .withoutAcquiredCount])
      #expect((try? RawProperties(forwarded.bytes)) == forwarded)
      #expect(forwarded.userID == nil)
      #expect(raw.forwarded([]) == raw)
    }
  }

  /// A block and the same properties written one by one make the same frames, and the same fingerprint of a return.
  @Test func isPublishedAsItIs() throws {
    var properties = Properties()
    properties.headers = ["x": .int8(1)]
    properties.messageID = [9, 0xFF]
    properties.appID = "app"
    let raw = RawMessage(
      exchange: "e", routingKey: Array("key".utf8), mandatory: true, properties: try RawProperties(properties.encoded),
      body: [1])
    let message = Message(exchange: "e", routingKey: "key", mandatory: true, properties: properties, body: [1])
    let batch = MessageBatch(frameMax: 4096) { $0.add(raw, number: 1) }
    let expected = MessageBatch(frameMax: 4096) { $0.add(message, number: 1) }
    #expect(batch.withBytes { Array($0) } == expected.withBytes { Array($0) })
    #expect(batch.entries.map(\.fingerprint) == expected.entries.map(\.fingerprint))
  }

  @Test func aRoutingKeyOfAnyBytesIsPublished() {
    let message = RawMessage(exchange: "", routingKey: [0xFF, 0], properties: .none, body: [])
    let frames = MessageBatch(frameMax: 4096) { $0.add(message, number: 1) }.withBytes { Array($0) }
    #expect(Array(frames[14..<17]) == [2, 0xFF, 0])
    let long = RawMessage(exchange: "", routingKey: Array(repeating: 1, count: 256), properties: .none, body: [])
    #expect(MessageBatch(frameMax: 4096) { $0.add(long, number: 1) }.unsendable.count == 1)
  }

  @Test func aDeliveryHasTheBlockIfItIsKept() throws {
    var content = ContentAssembly(maximumBodyBytes: 1)
    for block in [full, nil] {
      try content.open(.delivery(tag: 1, consumerTag: "", redelivered: false, exchange: "", routingKey: []))
      guard case .delivery(let delivery) = try content.add(.init(Properties(), block: block, bodySize: 0)) else {
        Issue.record("no delivery")
        return
      }
      #expect(delivery.propertyBlock == block)
      #expect(delivery.heldBytes == block?.count ?? 0)
    }
  }
}
