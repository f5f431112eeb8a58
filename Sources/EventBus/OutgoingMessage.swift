/// An event as the broker takes it: properties and body, free of any AMQP library.
///
/// What is the same for all stands as constants here; `user_id` is the connection's matter.
package struct OutgoingMessage: Hashable, Sendable {
  package static let contentType = "application/json"
  /// Persistent.
  package static let deliveryMode: UInt8 = 2
  package static let appID = "pocketwatch"

  /// An AMQP header whose value is a long string, since an id fits the short one's 255 bytes but a trace does not.
  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: [UInt8]

    package init(_ name: String, _ value: [UInt8]) {
      self.name = name
      self.value = value
    }
  }

  package var name: EventName
  /// At most 255 bytes: an id has at most 200.
  package var messageID: [UInt8]
  /// The `message_id` of the command from which this follows, raw.
  package var correlationID: [UInt8]?
  /// `schedule-id`, `scheduled-time`, `traceparent`, `tracestate`, those that apply.
  package var headers: [Header]
  /// The AMQP `timestamp`: whole seconds since 1970 UTC.
  package var timestampSeconds: UInt64
  package var body: [UInt8]

  /// Where it goes on the event bus.
  package var routingKey: String { name.rawValue }
  /// The AMQP property `type`.
  package var type: String { name.rawValue }
}
