/// A message from the command queue: what the decoder needs of it, free of any AMQP library.
package struct IncomingMessage: Sendable {
  /// The longest body that is read. Senders of more get a rejection.
  package static let maximumBodySize = 256 * 1024

  package var routingKey: [UInt8]
  /// The AMQP property, raw; what makes a repeated command recognisable.
  package var messageID: [UInt8]?
  /// W3C trace context from the headers.
  package var traceparent: String?
  package var tracestate: String?
  /// The AMQP property: the sender's login, as the broker has found it to be.
  package var userID: String?
  package var body: [UInt8]
  /// The size that was announced: larger than `body` when the body was over the limit and therefore dropped.
  package var bodySize: Int

  package init(
    routingKey: [UInt8], messageID: [UInt8]? = nil, traceparent: String? = nil, tracestate: String? = nil,
    userID: String? = nil, body: [UInt8], bodySize: Int? = nil
  ) {
    self.routingKey = routingKey
    self.messageID = messageID
    self.traceparent = traceparent
    self.tracestate = tracestate
    self.userID = userID
    self.body = body
    self.bodySize = bodySize ?? body.count
  }
}
