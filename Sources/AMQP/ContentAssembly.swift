/// Puts messages together from their frames: a method, a header, and body frames until the size in the header is reached
/// (AMQP 0-9-1, 4.2.6). Never keeps more of a body than the limit, whatever the header promises.
package struct ContentAssembly {
  /// The method that opened the content.
  package enum Opening {
    case delivery(tag: UInt64, consumerTag: String, redelivered: Bool, exchange: String, routingKey: [UInt8])
    case returned(code: UInt16, text: String, exchange: String, routingKey: [UInt8])
  }

  private enum State {
    case idle
    case opened(Opening)
    case header(Opening, Properties, bodySize: UInt64, remaining: UInt64)
  }

  /// A frame that came when another was due. The text says which.
  package struct Violation: Error {
    package var text: String

    package init(text: String) { self.text = text }
  }

  let maximumBodyBytes: Int
  private var state = State.idle
  private var body: [UInt8] = []

  package init(maximumBodyBytes: Int) { self.maximumBodyBytes = maximumBodyBytes }

  /// Forgets a half-received message: its channel is gone.
  package mutating func reset() {
    state = .idle
    body = []
  }

  package mutating func open(_ opening: Opening) throws(Violation) {
    guard case .idle = state else { throw Violation(text: "a message began inside another") }
    state = .opened(opening)
  }

  /// Returns the message when it has no body.
  package mutating func addHeader(_ properties: Properties, bodySize: UInt64) throws(Violation) -> Connection.Event? {
    guard case .opened(let opening) = state else { throw Violation(text: "a content header came without its method") }
    state = .header(opening, properties, bodySize: bodySize, remaining: bodySize)
    if keepsBody(opening, bodySize) { body.reserveCapacity(Int(bodySize)) }
    return finishedMessage()
  }

  /// Returns the message when its body is complete.
  package mutating func addBody(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Connection.Event? {
    guard case .header(let opening, let properties, let bodySize, let remaining) = state else {
      throw Violation(text: "a body frame came without its header")
    }
    guard UInt64(bytes.count) <= remaining else { throw Violation(text: "a body is longer than its header says") }
    if keepsBody(opening, bodySize) { body += bytes }
    state = .header(opening, properties, bodySize: bodySize, remaining: remaining - UInt64(bytes.count))
    return finishedMessage()
  }

  private func keepsBody(_ opening: Opening, _ bodySize: UInt64) -> Bool {
    guard case .delivery = opening else { return false }
    return bodySize <= UInt64(max(0, maximumBodyBytes))
  }

  private mutating func finishedMessage() -> Connection.Event? {
    guard case .header(let opening, let properties, let bodySize, remaining: 0) = state else { return nil }
    defer { reset() }
    switch opening {
    case .delivery(let tag, let consumerTag, let redelivered, let exchange, let routingKey):
      return .delivery(
        Delivery(
          tag: tag, consumerTag: consumerTag, redelivered: redelivered, exchange: exchange, routingKey: routingKey,
          properties: properties, body: body, bodySize: bodySize))
    case .returned(let code, let text, let exchange, let routingKey):
      return .returned(
        ReturnedMessage(code: code, text: text, exchange: exchange, routingKey: routingKey, properties: properties))
    }
  }
}
