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
    if has(AMQP_BASIC_REPLY_TO_FLAG) { replyTo = properties.reply_to.array }
    if has(AMQP_BASIC_EXPIRATION_FLAG) { expiration = properties.expiration.string }
    if has(AMQP_BASIC_MESSAGE_ID_FLAG) { messageID = properties.message_id.array }
    if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = properties.timestamp }
    if has(AMQP_BASIC_TYPE_FLAG) { type = properties.type.string }
    if has(AMQP_BASIC_USER_ID_FLAG) { userID = properties.user_id.string }
    if has(AMQP_BASIC_APP_ID_FLAG) { appID = properties.app_id.string }
  }
}
