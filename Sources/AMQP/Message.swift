/// A message to publish.
package struct Message: Sendable, Hashable {
  package var exchange: String
  package var routingKey: String
  /// Asks the broker to return the message when it is unroutable.
  package var mandatory: Bool
  package var properties: Properties
  package var body: [UInt8]

  package init(
    exchange: String, routingKey: String, mandatory: Bool = false, properties: Properties = Properties(), body: [UInt8]
  ) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.mandatory = mandatory
    self.properties = properties
    self.body = body
  }
}

/// A message of another client, to be sent on as it came.
package struct RawMessage: Sendable, Hashable {
  package var exchange: String
  /// At most 255 bytes.
  package var routingKey: [UInt8]
  /// Asks the broker to return the message when it is unroutable.
  package var mandatory: Bool
  package var properties: RawProperties
  package var body: [UInt8]

  package init(
    exchange: String, routingKey: [UInt8], mandatory: Bool = false, properties: RawProperties, body: [UInt8]
  ) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.mandatory = mandatory
    self.properties = properties
    self.body = body
  }
}

/// The properties of a message (AMQP 0-9-1, basic class). All but `headers` and the numbers are at most 255 bytes.
///
/// Clients may put any bytes into any of them. The two ids and `reply_to` are compared and sent back, so they stay bytes.
/// In the others, which are only read, invalid UTF-8 becomes U+FFFD.
package struct Properties: Sendable, Hashable {
  package var contentType: String?
  package var contentEncoding: String?
  package var headers = Table()
  package var deliveryMode: DeliveryMode?
  package var priority: UInt8?
  package var correlationID: [UInt8]?
  package var replyTo: [UInt8]?
  /// Milliseconds in decimal digits.
  package var expiration: String?
  package var messageID: [UInt8]?
  /// Seconds since 1970.
  package var timestamp: UInt64?
  package var type: String?
  /// The broker closes the channel (406) for any but the login's own name.
  package var userID: String?
  package var appID: String?

  package init() {}
}

/// Whether a durable queue keeps the message across a restart of the broker.
package struct DeliveryMode: RawRepresentable, Sendable, Hashable {
  package var rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let transient = DeliveryMode(rawValue: 1)
  package static let persistent = DeliveryMode(rawValue: 2)
}
