import Bytes
import CRabbitMQ

/// The frames of a message: its method, its header with the properties, and its body in as many as it takes (AMQP 0-9-1,
/// section 4.2). What does not fit was refused before, see `Message.validate`.
extension ByteWriter {
  mutating func append(_ message: Message, frameMax: Int) {
    let method = beginFrame(AMQP_FRAME_METHOD)
    append(bigEndian: UInt32(AMQP_BASIC_PUBLISH_METHOD))
    append(bigEndian: UInt16(0))  // reserved
    append(shortString: message.exchange)
    append(shortString: message.routingKey)
    append(message.mandatory ? 1 : 0)
    endFrame(method)
    let header = beginFrame(AMQP_FRAME_HEADER)
    append(bigEndian: UInt16(AMQP_BASIC_CLASS))
    append(bigEndian: UInt16(0))  // weight, unused
    append(bigEndian: UInt64(message.body.count))
    append(message.properties)
    endFrame(header)
    let room = frameMax - MessageFrame.overhead
    for start in stride(from: 0, to: message.body.count, by: room) {
      let body = beginFrame(AMQP_FRAME_BODY)
      message.body[start..<min(start + room, message.body.count)].withUnsafeBytes { append($0) }
      endFrame(body)
    }
  }

  /// Begins a frame of the channel, and returns where its length is to be written.
  private mutating func beginFrame(_ type: CInt) -> Int {
    append(UInt8(type))
    append(bigEndian: Connection.channel)
    return beginCounted()
  }

  private mutating func endFrame(_ place: Int) {
    endCounted(place)
    append(UInt8(AMQP_FRAME_END))
  }

  private mutating func append(_ properties: Properties) {
    let place = count
    append(bigEndian: UInt16(0))
    // In the order of their flags.
    var flags: CInt = 0
    append(properties.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, &flags)
    append(properties.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, &flags)
    if !properties.headers.isEmpty {
      flags |= AMQP_BASIC_HEADERS_FLAG
      append(properties.headers)
    }
    append(properties.deliveryMode?.rawValue, AMQP_BASIC_DELIVERY_MODE_FLAG, &flags)
    append(properties.priority, AMQP_BASIC_PRIORITY_FLAG, &flags)
    append(properties.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, &flags)
    append(properties.replyTo, AMQP_BASIC_REPLY_TO_FLAG, &flags)
    append(properties.expiration, AMQP_BASIC_EXPIRATION_FLAG, &flags)
    append(properties.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, &flags)
    append(properties.timestamp, AMQP_BASIC_TIMESTAMP_FLAG, &flags)
    append(properties.type, AMQP_BASIC_TYPE_FLAG, &flags)
    append(properties.userID, AMQP_BASIC_USER_ID_FLAG, &flags)
    append(properties.appID, AMQP_BASIC_APP_ID_FLAG, &flags)
    put(bigEndian: UInt16(flags), at: place)
  }

  private mutating func append(_ text: String?, _ flag: CInt, _ flags: inout CInt) {
    guard let text else { return }
    flags |= flag
    append(shortString: text)
  }

  private mutating func append(_ bytes: [UInt8]?, _ flag: CInt, _ flags: inout CInt) {
    guard let bytes else { return }
    flags |= flag
    append(shortString: bytes)
  }

  private mutating func append(_ byte: UInt8?, _ flag: CInt, _ flags: inout CInt) {
    guard let byte else { return }
    flags |= flag
    append(byte)
  }

  private mutating func append(_ number: UInt64?, _ flag: CInt, _ flags: inout CInt) {
    guard let number else { return }
    flags |= flag
    append(bigEndian: number)
  }
}

/// Where things stand in a frame.
enum MessageFrame {
  /// Type, channel and length before the payload.
  static let headerBytes = 7
  /// The header, and the byte that ends the frame.
  static let overhead = 8
}
