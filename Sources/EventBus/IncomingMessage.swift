/// The parts of a message of the command queue that the decoder needs, independent of the AMQP library.
package struct IncomingMessage: Sendable {
  /// The longest body that is accepted, in bytes. Longer ones are rejected.
  package static let maximumBodySize = 256 * 1024

  package var routingKey: [UInt8]
  /// The AMQP property in raw bytes. Identifies a repeated command.
  package var messageID: [UInt8]?
  /// The AMQP properties in raw bytes: where the client expects a reply, and how it recognizes it.
  package var replyTo: [UInt8]?
  package var correlationID: [UInt8]?
  /// W3C trace context from the headers.
  package var traceparent: String?
  package var tracestate: String?
  /// The AMQP property: the sender's login, validated by the broker.
  package var userID: String?
  package var body: [UInt8]
  /// The declared size in bytes. Larger than `body` when the body was over the limit and discarded.
  package var bodySize: Int

  package init(
    routingKey: [UInt8], messageID: [UInt8]? = nil, replyTo: [UInt8]? = nil, correlationID: [UInt8]? = nil,
    traceparent: String? = nil, tracestate: String? = nil, userID: String? = nil, body: [UInt8], bodySize: Int? = nil
  ) {
    self.routingKey = routingKey
    self.messageID = messageID
    self.replyTo = replyTo
    self.correlationID = correlationID
    self.traceparent = traceparent
    self.tracestate = tracestate
    self.userID = userID
    self.body = body
    self.bodySize = bodySize ?? body.count
  }
}
