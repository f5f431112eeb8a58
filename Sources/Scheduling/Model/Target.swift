/// The event that a schedule publishes instead of its tick, and where. Only the fields that the client sent.
package struct Target: Hashable, Sendable {
  package enum Body: String, CaseIterable, Sendable {
    /// An event with the payload as its `Detail`.
    case event
    /// The bytes of the payload alone.
    case payload
  }

  package enum HeaderValue: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
  }

  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: HeaderValue

    package init(name: String, value: HeaderValue) {
      self.name = name
      self.value = value
    }
  }

  /// Nil is the event bus.
  package var exchange: String?
  /// Nil is `detailType`.
  package var routingKey: String?
  /// The DetailType of the event. Nil only if there is a routing key, and the body is the payload.
  package var detailType: String?
  /// The Source of the event; nil is that of the scheduler's events.
  package var source: String?
  /// Nil is `event`.
  package var body: Body?
  /// Of a body that is the payload; nil is `application/json`.
  package var contentType: String?
  /// In the order sent; names are unique.
  package var headers: [Header]?
  /// After how many milliseconds a queue drops the message, in digits.
  package var expiration: String?
  package var priority: UInt8?

  package init(
    exchange: String? = nil, routingKey: String? = nil, detailType: String? = nil, source: String? = nil,
    body: Body? = nil, contentType: String? = nil, headers: [Header]? = nil, expiration: String? = nil,
    priority: UInt8? = nil
  ) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.detailType = detailType
    self.source = source
    self.body = body
    self.contentType = contentType
    self.headers = headers
    self.expiration = expiration
    self.priority = priority
  }

  /// The routing key on the wire.
  package var key: String { routingKey ?? detailType ?? "" }
}

extension Target {
  /// Appends the fields to a hash, each tagged, defaults as if they were absent. The encoding must never change, since
  /// hashes are stored.
  func append(to hash: inout SipHash, as field: UInt8) {
    func add(_ tag: UInt8, _ text: String) {
      hash.append([field, tag])
      hash.append(length: text.utf8.count)
      hash.append(text.utf8)
    }
    if let exchange { add(1, exchange) }
    add(2, key)
    if let detailType { add(3, detailType) }
    if let source { add(4, source) }
    if body == .payload { add(5, contentType ?? Self.defaultContentType) }
    // In order of names: the order in which a client sends them means nothing.
    for header in (headers ?? []).sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
      add(6, header.name)
      switch header.value {
      case .text(let text): add(7, text)
      case .integer(let number): add(8, String(number))
      case .boolean(let value): add(9, value ? "true" : "false")
      }
    }
    if let expiration { add(10, expiration) }
    if let priority { add(11, String(priority)) }
  }

  package static let defaultContentType = "application/json"
}

extension SipHash {
  fileprivate mutating func append(length: Int) {
    for shift in stride(from: 0, to: 64, by: 8) { append(CollectionOfOne(UInt8(truncatingIfNeeded: length >> shift))) }
  }
}
