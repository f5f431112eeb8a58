/// Assembles messages from their frames: a method, a header, and body frames up to the size in the header (AMQP 0-9-1,
/// 4.2.6). Never keeps a body longer than the limit, whatever its header declares.
package struct ContentAssembly {
  /// The method that precedes the content.
  package enum Opening {
    case delivery(tag: UInt64, consumerTag: String, redelivered: Bool, exchange: String, routingKey: [UInt8])
    case returned(code: UInt16, text: String, exchange: String, routingKey: [UInt8])
  }

  private enum State {
    case idle
    case opened(Opening)
    case header(Opening, Header, remaining: UInt64)
  }

  /// The content header.
  package struct Header {
    package var properties: Properties
    /// Nil unless it is to be kept.
    package var propertyBlock: [UInt8]?
    package var bodySize: UInt64

    package init(_ properties: Properties, block: [UInt8]? = nil, bodySize: UInt64) {
      self.properties = properties
      propertyBlock = block
      self.bodySize = bodySize
    }
  }

  /// A frame that is not allowed in the current state.
  package struct Violation: Error {
    package var text: String

    package init(text: String) { self.text = text }
  }

  let maximumBodyBytes: Int
  private var state = State.idle
  private var body: [UInt8] = []

  package init(maximumBodyBytes: Int) { self.maximumBodyBytes = maximumBodyBytes }

  /// Discards a partly received message, when its channel is closed.
  package mutating func reset() {
    state = .idle
    body = []
  }

  package mutating func open(_ opening: Opening) throws(Violation) {
    guard case .idle = state else { throw Violation(text: "a message began before the previous one was complete") }
    state = .opened(opening)
  }

  /// Returns the message when it has no body.
  package mutating func add(_ header: Header) throws(Violation) -> Connection.Event? {
    guard case .opened(let opening) = state else {
      throw Violation(text: "received a content header without its method")
    }
    state = .header(opening, header, remaining: header.bodySize)
    if keepsBody(opening, header.bodySize) { body.reserveCapacity(Int(header.bodySize)) }
    return finishedMessage()
  }

  /// Returns the message when its body is complete.
  package mutating func addBody(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Connection.Event? {
    guard case .header(let opening, let header, let remaining) = state else {
      throw Violation(text: "received a body frame without its header")
    }
    guard UInt64(bytes.count) <= remaining else { throw Violation(text: "a body is longer than its header declares") }
    if keepsBody(opening, header.bodySize) { body += bytes }
    assert(body.count <= max(0, maximumBodyBytes), "more of a body was kept than the limit")
    state = .header(opening, header, remaining: remaining - UInt64(bytes.count))
    return finishedMessage()
  }

  private func keepsBody(_ opening: Opening, _ bodySize: UInt64) -> Bool {
    guard case .delivery = opening else { return false }
    return bodySize <= UInt64(max(0, maximumBodyBytes))
  }

  private mutating func finishedMessage() -> Connection.Event? {
    guard case .header(let opening, let header, remaining: 0) = state else { return nil }
    defer { reset() }
    let size = header.bodySize
    assert(UInt64(body.count) == (keepsBody(opening, size) ? size : 0), "a body was kept in part")
    switch opening {
    case .delivery(let tag, let consumerTag, let redelivered, let exchange, let routingKey):
      return .delivery(
        Delivery(
          tag: tag, consumerTag: consumerTag, redelivered: redelivered, exchange: exchange, routingKey: routingKey,
          properties: header.properties, propertyBlock: header.propertyBlock, body: body, bodySize: size))
    case .returned(let code, let text, let exchange, let routingKey):
      return .returned(
        ReturnedMessage(
          code: code, text: text, exchange: exchange, routingKey: routingKey,
          properties: header.properties))
    }
  }
}
