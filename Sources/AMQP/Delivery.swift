/// A message as a queue delivered it.
package struct Delivery: Sendable {
  /// Names the delivery in acknowledgements, on the channel that brought it and only there.
  package var tag: UInt64
  package var consumerTag: String
  /// The broker has delivered it before, perhaps without success.
  package var redelivered: Bool
  package var exchange: String
  /// As published, in bytes, because it is compared with what else the message says.
  package var routingKey: [UInt8]
  package var properties: Properties
  /// Empty when `bodySize` is over the connection's `maximumBodyBytes`.
  package var body: [UInt8]
  /// Bytes of the body as the sender declared them.
  package var bodySize: UInt64

  /// How often the broker had delivered it before; 0 for what it delivers for the first time.
  ///
  /// A quorum queue returns what a consumer held to the *tail* of what it returned before, with a higher count. So a stable
  /// sort by descending count restores the order in which messages were published, whatever ended how often. (Tried with
  /// random ends of sockets, channels, connections and nodes on RabbitMQ 3.10, 4.0 and 4.3.) On 4.3 some ends, such as a
  /// consumer timeout, leave `x-delivery-count` and raise only `x-acquired-count`; before, a header of that name is a
  /// client's own.
  package func deliveryCount(by server: ServerInfo) -> Int64 {
    guard redelivered else { return 0 }
    let name = server.countsAcquisitions ? "x-acquired-count" : "x-delivery-count"
    return properties.headers[name]?.integer ?? 0
  }

  /// Whether the body was thrown away because of its size.
  package var isOversized: Bool { bodySize != UInt64(body.count) }
}

/// A mandatory message that no queue took. Its confirm follows.
package struct ReturnedMessage: Sendable {
  /// 312 for "no queue is bound with this routing key".
  package var code: UInt16
  package var text: String
  package var exchange: String
  package var routingKey: [UInt8]
  package var properties: Properties

  package init(code: UInt16, text: String, exchange: String, routingKey: [UInt8], properties: Properties) {
    self.code = code
    self.text = text
    self.exchange = exchange
    self.routingKey = routingKey
    self.properties = properties
  }
}
