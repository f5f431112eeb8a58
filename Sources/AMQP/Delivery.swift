/// A message delivered from a queue.
package struct Delivery: Sendable {
  /// Identifies the delivery in acknowledgements, only on the channel that delivered it.
  package var tag: UInt64
  package var consumerTag: String
  /// Whether the broker may have delivered it before.
  package var redelivered: Bool
  package var exchange: String
  /// As published, in bytes, because it is compared with the message's body.
  package var routingKey: [UInt8]
  package var properties: Properties
  /// The bytes of its property block, for `RawProperties`; nil unless the connection keeps them.
  package var propertyBlock: [UInt8]?
  /// Empty when `bodySize` is over the connection's `maximumBodyBytes`.
  package var body: [UInt8]
  /// The size of the body in bytes, as declared by the sender.
  package var bodySize: UInt64

  /// How often the broker had delivered it before; 0 for a first delivery.
  ///
  /// A quorum queue requeues the deliveries of a consumer to the *tail* of those requeued before, with a higher count. So a
  /// stable sort by descending count restores the order of publishing, whatever failed how often. (Tested by randomly
  /// closing sockets, channels and connections and stopping nodes of RabbitMQ 3.10, 4.0 and 4.3.) On 4.3 some failures,
  /// such as a consumer timeout, leave `x-delivery-count` and raise only `x-acquired-count`. On earlier versions a header of
  /// that name is a client's own.
  package func deliveryCount(by server: ServerInfo) -> Int64 {
    guard redelivered else { return 0 }
    let name = server.countsAcquisitions ? "x-acquired-count" : "x-delivery-count"
    return properties.headers[name]?.integer ?? 0
  }

  /// What counts against a consumer's `maximumBytes`.
  package var heldBytes: Int { body.count + (propertyBlock?.count ?? 0) }

  /// Whether the body was discarded because of its size.
  package var isOversized: Bool { bodySize != UInt64(body.count) }
}

/// An unroutable mandatory message. Its confirm follows.
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
