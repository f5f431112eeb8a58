package import Recurrence

/// Where a delayed message came from, and where it goes.
package struct MessageRoute: Hashable, Sendable, Comparable {
  /// The exchange to which it was published.
  package var front: String
  /// The exchange to which it is published when its delay is over.
  package var back: String

  package init(front: String, back: String) {
    self.front = front
    self.back = back
  }

  package static func < (left: MessageRoute, right: MessageRoute) -> Bool {
    (left.front, left.back) < (right.front, right.back)
  }
}

/// A message of another client that is kept until its delay is over.
package struct PendingMessage: Hashable, Sendable {
  package var summary: Summary
  package var content: Content

  package init(summary: Summary, content: Content) {
    self.summary = summary
    self.content = content
  }

  package var position: MessagePosition { summary.position }

  /// What lists show: everything but the content.
  package struct Summary: Hashable, Sendable {
    /// Its number in the order of arrival, which identifies it.
    package var sequence: Int64
    package var route: MessageRoute
    package var due: Instant
    package var received: Instant
    /// As published.
    package var routingKey: [UInt8]
    /// The AMQP `message_id`, which need not be unique; nil if it has none.
    package var messageID: [UInt8]?
    /// The login that published it, if the broker has validated it.
    package var owner: [UInt8]?
    /// The size of routing key, properties and body.
    package var bytes: Int

    package init(
      sequence: Int64, route: MessageRoute, due: Instant, received: Instant, routingKey: [UInt8], messageID: [UInt8]?,
      owner: [UInt8]?, bytes: Int
    ) {
      self.sequence = sequence
      self.route = route
      self.due = due
      self.received = received
      self.routingKey = routingKey
      self.messageID = messageID
      self.owner = owner
      self.bytes = bytes
    }

    package var position: MessagePosition { MessagePosition(due: due, sequence: sequence) }
  }

  package struct Content: Hashable, Sendable {
    /// The AMQP property block to publish, in wire format. Only the shell decodes it.
    package var properties: [UInt8]
    package var body: [UInt8]

    package init(properties: [UInt8], body: [UInt8]) {
      self.properties = properties
      self.body = body
    }
  }
}

/// A position in the order in which messages are published: by due time, then by arrival.
package struct MessagePosition: Hashable, Comparable, Sendable {
  package var due: Instant
  package var sequence: Int64

  package init(due: Instant, sequence: Int64) {
    self.due = due
    self.sequence = sequence
  }

  /// Before every message that is due at an instant.
  package static func before(_ instant: Instant) -> MessagePosition { MessagePosition(due: instant, sequence: .min) }

  package static func < (left: MessagePosition, right: MessagePosition) -> Bool {
    left.due.milliseconds == right.due.milliseconds
      ? left.sequence < right.sequence : left.due.milliseconds < right.due.milliseconds
  }
}

/// What is pending on one route.
package struct MessageTotals: Hashable, Sendable {
  package var route: MessageRoute
  package var messages: Int
  package var bytes: Int
  /// Nil when nothing is pending.
  package var nextDue: Instant?

  package init(route: MessageRoute, messages: Int = 0, bytes: Int = 0, nextDue: Instant? = nil) {
    self.route = route
    self.messages = messages
    self.bytes = bytes
    self.nextDue = nextDue
  }
}
