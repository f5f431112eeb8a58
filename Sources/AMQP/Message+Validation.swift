extension Message {
  /// Throws `.invalidMessage` when the message does not fit into AMQP frames of this size.
  ///
  /// Checked before the C library is called, because it notices in the middle of sending, and the half-sent message
  /// costs the connection: the next good publish is answered with 505 UNEXPECTED_FRAME.
  package func validate(frameMax: Int) throws(AMQPError) {
    try Self.limit("exchange", exchange.utf8.count)
    try Self.limit("routing key", routingKey.utf8.count)
    var size = properties.headers.isEmpty ? 0 : properties.headers.encodedSize
    try properties.forEachShortString { (name, length) throws(AMQPError) in
      try Self.limit(name, length)
      size += 1 + length
    }
    if properties.deliveryMode != nil { size += 1 }
    if properties.priority != nil { size += 1 }
    if properties.timestamp != nil { size += 8 }
    let room = frameMax - Self.headerFrameOverhead
    if size > room {
      throw AMQPError(.invalidMessage, "its properties take \(size) bytes; the broker's frames have room for \(room)")
    }
    if let name = properties.headers.overlongName {
      throw AMQPError(.invalidMessage, "the header name \"\(name.prefix(64))…\" is over 255 bytes")
    }
  }

  /// Frame header and end (8 bytes), class, weight and body size (12), property flags (2).
  private static let headerFrameOverhead = MessageFrame.overhead + 14

  private static func limit(_ name: StaticString, _ length: Int) throws(AMQPError) {
    if length > 255 { throw AMQPError(.invalidMessage, "its \(name) has \(length) bytes; 255 is the limit") }
  }
}

extension Properties {
  /// The properties that are there and that AMQP limits to 255 bytes, with their length.
  @inline(__always)
  fileprivate func forEachShortString(_ body: (StaticString, Int) throws(AMQPError) -> Void) throws(AMQPError) {
    if let contentType { try body("content_type", contentType.utf8.count) }
    if let contentEncoding { try body("content_encoding", contentEncoding.utf8.count) }
    if let correlationID { try body("correlation_id", correlationID.count) }
    if let replyTo { try body("reply_to", replyTo.utf8.count) }
    if let expiration { try body("expiration", expiration.utf8.count) }
    if let messageID { try body("message_id", messageID.count) }
    if let type { try body("type", type.utf8.count) }
    if let userID { try body("user_id", userID.utf8.count) }
    if let appID { try body("app_id", appID.utf8.count) }
  }
}
