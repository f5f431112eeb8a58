import CRabbitMQ

extension Properties {
  init(_ properties: amqp_basic_properties_t) {
    func has(_ flag: CInt) -> Bool { properties._flags & amqp_flags_t(flag) != 0 }
    if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { contentType = properties.content_type.string }
    if has(AMQP_BASIC_CONTENT_ENCODING_FLAG) { contentEncoding = properties.content_encoding.string }
    if has(AMQP_BASIC_HEADERS_FLAG) { headers = Table(properties.headers) }
    if has(AMQP_BASIC_DELIVERY_MODE_FLAG) { deliveryMode = DeliveryMode(rawValue: properties.delivery_mode) }
    if has(AMQP_BASIC_PRIORITY_FLAG) { priority = properties.priority }
    if has(AMQP_BASIC_CORRELATION_ID_FLAG) { correlationID = properties.correlation_id.array }
    if has(AMQP_BASIC_REPLY_TO_FLAG) { replyTo = properties.reply_to.string }
    if has(AMQP_BASIC_EXPIRATION_FLAG) { expiration = properties.expiration.string }
    if has(AMQP_BASIC_MESSAGE_ID_FLAG) { messageID = properties.message_id.array }
    if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = properties.timestamp }
    if has(AMQP_BASIC_TYPE_FLAG) { type = properties.type.string }
    if has(AMQP_BASIC_USER_ID_FLAG) { userID = properties.user_id.string }
    if has(AMQP_BASIC_APP_ID_FLAG) { appID = properties.app_id.string }
  }

  func encoded(in arena: Arena) -> amqp_basic_properties_t {
    var properties = amqp_basic_properties_t()
    func set<Value>(
      _ flag: CInt, _ field: WritableKeyPath<amqp_basic_properties_t, Value>, _ value: Value?
    ) {
      guard let value else { return }
      properties._flags |= amqp_flags_t(flag)
      properties[keyPath: field] = value
    }
    set(AMQP_BASIC_CONTENT_TYPE_FLAG, \.content_type, contentType.map(arena.bytes))
    set(AMQP_BASIC_CONTENT_ENCODING_FLAG, \.content_encoding, contentEncoding.map(arena.bytes))
    set(AMQP_BASIC_HEADERS_FLAG, \.headers, headers.isEmpty ? nil : headers.encoded(in: arena))
    set(AMQP_BASIC_DELIVERY_MODE_FLAG, \.delivery_mode, deliveryMode?.rawValue)
    set(AMQP_BASIC_PRIORITY_FLAG, \.priority, priority)
    set(AMQP_BASIC_CORRELATION_ID_FLAG, \.correlation_id, correlationID.map(arena.bytes))
    set(AMQP_BASIC_REPLY_TO_FLAG, \.reply_to, replyTo.map(arena.bytes))
    set(AMQP_BASIC_EXPIRATION_FLAG, \.expiration, expiration.map(arena.bytes))
    set(AMQP_BASIC_MESSAGE_ID_FLAG, \.message_id, messageID.map(arena.bytes))
    set(AMQP_BASIC_TIMESTAMP_FLAG, \.timestamp, timestamp)
    set(AMQP_BASIC_TYPE_FLAG, \.type, type.map(arena.bytes))
    set(AMQP_BASIC_USER_ID_FLAG, \.user_id, userID.map(arena.bytes))
    set(AMQP_BASIC_APP_ID_FLAG, \.app_id, appID.map(arena.bytes))
    return properties
  }
}
