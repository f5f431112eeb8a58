import AMQP
import Testing

struct MessageValidationTests {
  private static let tooLong = String(repeating: "x", count: 256)
  private static let frameMax = 131_072

  private func message(_ change: (inout Message) -> Void) -> Message {
    var message = Message(exchange: "e", routingKey: "k", body: [])
    change(&message)
    return message
  }

  /// A property, and how to make it too long.
  struct Overlong: CustomTestStringConvertible {
    var name: String
    var change: @Sendable (inout Message) -> Void
    var testDescription: String { name }

    init(_ name: String, _ change: @escaping @Sendable (inout Message) -> Void) {
      self.name = name
      self.change = change
    }
  }

  @Test(arguments: [
    Overlong("exchange") { $0.exchange = tooLong },
    Overlong("routing key") { $0.routingKey = tooLong },
    Overlong("content_type") { $0.properties.contentType = tooLong },
    Overlong("content_encoding") { $0.properties.contentEncoding = tooLong },
    Overlong("correlation_id") { $0.properties.correlationID = Array(tooLong.utf8) },
    Overlong("reply_to") { $0.properties.replyTo = Array(tooLong.utf8) },
    Overlong("expiration") { $0.properties.expiration = tooLong },
    Overlong("message_id") { $0.properties.messageID = Array(tooLong.utf8) },
    Overlong("type") { $0.properties.type = tooLong },
    Overlong("user_id") { $0.properties.userID = tooLong },
    Overlong("app_id") { $0.properties.appID = tooLong },
  ])
  func refusesOver255Bytes(_ overlong: Overlong) throws {
    let error = try #require(throws: AMQPError.self) {
      try message(overlong.change).validate(frameMax: Self.frameMax)
    }
    #expect(error.kind == .invalidMessage)
    #expect(error.text == "its \(overlong.name) has 256 bytes; 255 is the limit")
  }

  @Test func countsBytesAndNotCharacters() throws {
    try message { $0.routingKey = String(repeating: "é", count: 127) }.validate(frameMax: Self.frameMax)
    #expect(throws: AMQPError.self) {
      try message { $0.routingKey = String(repeating: "é", count: 128) }.validate(frameMax: Self.frameMax)
    }
  }

  @Test(
    arguments: [
      [tooLong: .void], ["a": .table([tooLong: .void])], ["a": .array([.void, .table([tooLong: .void])])],
    ] as [Table])
  func refusesLongHeaderNames(headers: Table) throws {
    let error = try #require(throws: AMQPError.self) {
      try message { $0.properties.headers = headers }.validate(frameMax: Self.frameMax)
    }
    #expect(error.text.contains("header name"))
  }

  /// Sizes computed by hand from AMQP 0-9-1, 4.2.5: the message fits into that size, and not into one byte less.
  @Test(
    arguments: [
      (["": .void], 4 + 2), (["ab": true], 4 + 4 + 1), (["a": .int8(1), "b": .uint8(1)], 4 + 2 * 4),
      (["a": .int16(1)], 4 + 3 + 2), (["a": .uint16(1)], 4 + 3 + 2), (["a": .int32(1)], 4 + 3 + 4),
      (["a": .uint32(1)], 4 + 3 + 4), (["a": .float(1)], 4 + 3 + 4), (["a": .decimal(scale: 1, value: 1)], 4 + 3 + 5),
      (["a": .int64(1)], 4 + 3 + 8), (["a": .uint64(1)], 4 + 3 + 8), (["a": .double(1)], 4 + 3 + 8),
      (["a": .timestamp(1)], 4 + 3 + 8), (["a": "xyz"], 4 + 3 + 4 + 3), (["a": .bytes([1, 2])], 4 + 3 + 4 + 2),
      (["é": .table(["b": .void])], 4 + 4 + 4 + 3), (["a": .array([.void, .int32(1)])], 4 + 3 + 4 + 1 + 5),
    ] as [(Table, Int)])
  func countsHeaderBytes(headers: Table, size: Int) throws {
    let overhead = 22
    let message = message { $0.properties.headers = headers }
    try message.validate(frameMax: overhead + size)
    #expect(throws: AMQPError.self) { try message.validate(frameMax: overhead + size - 1) }
  }

  @Test func countsPropertyBytes() throws {
    let message = message {
      $0.properties.contentType = "a"
      $0.properties.messageID = [1, 2]
      $0.properties.deliveryMode = .persistent
      $0.properties.priority = 1
      $0.properties.timestamp = 1
    }
    try message.validate(frameMax: 22 + 2 + 3 + 1 + 1 + 8)
    #expect(throws: AMQPError.self) { try message.validate(frameMax: 22 + 14) }
  }
}

extension Message {
  /// Throws the error that prevents sending.
  fileprivate func validate(frameMax: Int) throws(AMQPError) {
    let batch = MessageBatch(frameMax: frameMax) { $0.add(self, number: 1) }
    guard let refused = batch.unsendable.first else { return }
    #expect(batch.withBytes(\.count) == 0, "nothing is left of it")
    throw refused.error
  }
}
