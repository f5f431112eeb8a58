package import Bytes
import CRabbitMQ

/// A property that is a short string: at most 255 bytes.
package struct ShortProperty {
  let flag: CInt
  let name: StaticString

  package static let contentType = ShortProperty(flag: AMQP_BASIC_CONTENT_TYPE_FLAG, name: "content_type")
  package static let contentEncoding = ShortProperty(flag: AMQP_BASIC_CONTENT_ENCODING_FLAG, name: "content_encoding")
  package static let correlationID = ShortProperty(flag: AMQP_BASIC_CORRELATION_ID_FLAG, name: "correlation_id")
  package static let replyTo = ShortProperty(flag: AMQP_BASIC_REPLY_TO_FLAG, name: "reply_to")
  package static let expiration = ShortProperty(flag: AMQP_BASIC_EXPIRATION_FLAG, name: "expiration")
  package static let messageID = ShortProperty(flag: AMQP_BASIC_MESSAGE_ID_FLAG, name: "message_id")
  package static let type = ShortProperty(flag: AMQP_BASIC_TYPE_FLAG, name: "type")
  package static let userID = ShortProperty(flag: AMQP_BASIC_USER_ID_FLAG, name: "user_id")
  package static let appID = ShortProperty(flag: AMQP_BASIC_APP_ID_FLAG, name: "app_id")
}

/// Properties must be appended in the order of their flags, each once: content type and encoding, headers, delivery mode,
/// priority, correlation id, reply to, expiration, message id, timestamp, type, user id, app id.
extension FrameWriter {
  package mutating func append(_ text: String?, as property: ShortProperty) {
    guard let text else { return }
    raise(property.flag)
    appendShort(text, property.name)
  }

  package mutating func append(_ bytes: [UInt8]?, as property: ShortProperty) {
    guard let bytes else { return }
    raise(property.flag)
    guard appendShort(bytes, property.name) else { return }
    if property.flag == AMQP_BASIC_MESSAGE_ID_FLAG {
      messageID = (self.bytes.count - bytes.count)..<self.bytes.count
    }
  }

  package mutating func append(_ mode: DeliveryMode) {
    raise(AMQP_BASIC_DELIVERY_MODE_FLAG)
    bytes.append(mode.rawValue)
  }

  package mutating func append(priority: UInt8) {
    raise(AMQP_BASIC_PRIORITY_FLAG)
    bytes.append(priority)
  }

  /// In seconds since 1970.
  package mutating func append(timestamp: UInt64) {
    raise(AMQP_BASIC_TIMESTAMP_FLAG)
    bytes.append(bigEndian: timestamp)
  }

  private mutating func append(_ headers: Table) {
    guard !headers.isEmpty else { return }
    if let name = headers.overlongName {
      return fail("the header name \"\(name.prefix(64))…\" is over 255 bytes")
    }
    raise(AMQP_BASIC_HEADERS_FLAG)
    bytes.append(headers)
  }

  /// Appends headers that `content` writes.
  package mutating func appendHeaders(_ content: (inout ByteWriter) -> Void) {
    let start = bytes.beginCounted()
    let begin = bytes.count
    content(&bytes)
    guard bytes.count > begin else { return bytes.truncate(to: start) }
    raise(AMQP_BASIC_HEADERS_FLAG)
    bytes.endCounted(start)
  }

  mutating func append(_ properties: Properties) {
    append(properties.contentType, as: .contentType)
    append(properties.contentEncoding, as: .contentEncoding)
    append(properties.headers)
    if let mode = properties.deliveryMode { append(mode) }
    if let priority = properties.priority { append(priority: priority) }
    append(properties.correlationID, as: .correlationID)
    append(properties.replyTo, as: .replyTo)
    append(properties.expiration, as: .expiration)
    append(properties.messageID, as: .messageID)
    if let timestamp = properties.timestamp { append(timestamp: timestamp) }
    append(properties.type, as: .type)
    append(properties.userID, as: .userID)
    append(properties.appID, as: .appID)
  }

  /// Appends all properties of a block. No other property may be appended.
  package mutating func append(_ properties: RawProperties) {
    assert(flags == 0, "a property block was added to other properties")
    flags = CInt(properties.flags)
    let start = bytes.count
    properties.bytes.withUnsafeBytes { bytes.append(UnsafeRawBufferPointer(rebasing: $0.dropFirst(2))) }
    if let id = properties.value(of: AMQP_BASIC_MESSAGE_ID_FLAG) {
      messageID = (start + id.lowerBound - 1)..<(start + id.upperBound - 2)
    }
  }

  private mutating func raise(_ flag: CInt) {
    assert(flags == 0 || flag < flags & -flags, "properties are out of order")
    flags |= flag
  }

  mutating func appendShort(_ text: String, _ name: StaticString) {
    if isShort(text.utf8.count, name) { bytes.append(shortString: text) }
  }

  /// Returns false if they are too many.
  @discardableResult
  mutating func appendShort(_ bytes: [UInt8], _ name: StaticString) -> Bool {
    guard isShort(bytes.count, name) else { return false }
    self.bytes.append(shortString: bytes)
    return true
  }

  private mutating func isShort(_ length: Int, _ name: StaticString) -> Bool {
    if length > 255 { fail("its \(name) has \(length) bytes; 255 is the limit") }
    return length <= 255
  }
}

extension ByteWriter {
  /// A header that is a long string.
  package mutating func append(header name: StaticString, _ value: [UInt8]) {
    append(UInt8(name.utf8CodeUnitCount))
    append(name)
    append(UInt8(AMQP_FIELD_KIND_UTF8.rawValue))
    append(bigEndian: UInt32(value.count))
    append(value)
  }

  /// A header of a client, with a name of at most 255 bytes.
  package mutating func append(header name: String, _ value: FieldValue) {
    append(Table.Field(name: name, value: value))
  }
}
