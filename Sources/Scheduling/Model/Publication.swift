/// A message for the broker, with a number of our own by which its confirm is reported.
package struct Publication: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    case event(OutgoingEvent)
    /// An inbox command for the dead queue, as delivered. The broker dead-letters other commands itself.
    case deadLetter(RawDelivery)
  }

  package var number: UInt64
  package var content: Content
  /// The message that it answers or results from: `correlation_id` and trace headers.
  package var origin: Origin

  package init(number: UInt64, content: Content, origin: Origin) {
    self.number = number
    self.content = content
    self.origin = origin
  }

  /// The event, unless it is a dead letter.
  package var event: OutgoingEvent? {
    if case .event(let event) = content { event } else { nil }
  }
}
