extension Message {
  /// Throws `.invalidMessage` when the message does not fit into AMQP frames.
  ///
  /// Checked before the C library is called, because it notices in the middle of sending, and the half-sent message
  /// costs the connection: the next good publish is answered with 505 UNEXPECTED_FRAME.
  func validate(frameMax: Int) throws(AMQPError) {
    for (name, length) in properties.shortStrings + [
      ("exchange", exchange.utf8.count), ("routing key", routingKey.utf8.count),
    ] where length > 255 {
      throw AMQPError(.invalidMessage, "its \(name) has \(length) bytes; 255 is the limit")
    }
    if let name = properties.headers.overlongName {
      throw AMQPError(.invalidMessage, "the header \"\(name.prefix(64))…\" has a name of over 255 bytes")
    }
    let size = properties.encodedSize
    if size > frameMax - Self.headerFrameOverhead {
      throw AMQPError(
        .invalidMessage,
        "its properties take \(size) bytes; the broker's frames have room for \(frameMax - Self.headerFrameOverhead)")
    }
  }

  /// Frame header and end (8 bytes), class, weight and body size (12), property flags (2).
  private static let headerFrameOverhead = 22
}

extension Properties {
  /// The properties that AMQP limits to 255 bytes, with their length.
  var shortStrings: [(name: String, length: Int)] {
    [
      ("content_type", contentType?.utf8.count), ("content_encoding", contentEncoding?.utf8.count),
      ("correlation_id", correlationID?.count), ("reply_to", replyTo?.utf8.count),
      ("expiration", expiration?.utf8.count), ("message_id", messageID?.count), ("type", type?.utf8.count),
      ("user_id", userID?.utf8.count), ("app_id", appID?.utf8.count),
    ].compactMap { name, length in length.map { (name, $0) } }
  }

  /// Bytes in a header frame, the flags not counted.
  var encodedSize: Int {
    shortStrings.reduce(0) { $0 + 1 + $1.length } + (headers.isEmpty ? 0 : headers.encodedSize)
      + (deliveryMode == nil ? 0 : 1) + (priority == nil ? 0 : 1) + (timestamp == nil ? 0 : 8)
  }
}
