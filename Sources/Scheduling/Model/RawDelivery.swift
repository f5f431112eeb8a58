/// A command as delivered and not decoded, as the inbox stores it.
package struct RawDelivery: Hashable, Sendable {
  package var routingKey: [UInt8]
  /// The AMQP property block in wire format. Only the shell decodes it.
  package var properties: [UInt8]
  package var body: [UInt8]

  package init(routingKey: [UInt8], properties: [UInt8], body: [UInt8]) {
    self.routingKey = routingKey
    self.properties = properties
    self.body = body
  }

  /// Its approximate size in memory, in bytes.
  var byteCount: Int { routingKey.count + properties.count + body.count }
}

/// A redelivered command on its way into the inbox.
package struct InboxArrival: Hashable, Sendable {
  package var raw: RawDelivery
  /// How often the broker had delivered it before. Of two commands, the one with more deliveries is older.
  package var deliveries: Int64

  package init(raw: RawDelivery, deliveries: Int64) {
    self.raw = raw
    self.deliveries = deliveries
  }
}

/// A position in the inbox, in the order in which its commands were sent.
///
/// A quorum queue appends what a consumer held to what was returned before. After two consumers have ended, commands
/// are therefore not redelivered in the order in which they were sent. But each end raised the delivery count of what
/// was returned: sorted by descending count, and by arrival for equal counts, redelivered commands are in sending
/// order.
package struct InboxPosition: Hashable, Comparable, Sendable {
  /// Commands that were redelivered together form a batch; a later batch is newer.
  package var batch: Int64
  package var deliveries: Int64
  /// The order of arrival.
  package var sequence: Int64

  package init(batch: Int64, deliveries: Int64, sequence: Int64) {
    self.batch = batch
    self.deliveries = deliveries
    self.sequence = sequence
  }

  package static func < (left: InboxPosition, right: InboxPosition) -> Bool {
    (left.batch, -left.deliveries, left.sequence) < (right.batch, -right.deliveries, right.sequence)
  }
}

/// A command in the inbox.
package struct InboxRow: Hashable, Sendable {
  package var position: InboxPosition
  package var raw: RawDelivery
  /// How often a process had begun to decide it and ended before it was decided.
  package var tries: Int
  /// Nil until it is decided.
  package var answer: RememberedCommand.Answer?

  package init(position: InboxPosition, raw: RawDelivery, tries: Int, answer: RememberedCommand.Answer? = nil) {
    self.position = position
    self.raw = raw
    self.tries = tries
    self.answer = answer
  }
}

/// Consecutive commands of the inbox.
package struct InboxPage: Sendable {
  /// No further row is added to a page that has this many bytes.
  package static let maximumBytes = 4 << 20

  package var rows: [InboxRow]
  /// Whether no row follows in the complete batches.
  package var isLast: Bool
  /// Schedules on which an inbox command without `message_id` was applied. Later commands on them, up to and including
  /// this batch, are applied even if they were answered before.
  package var reapplied: [ScheduleID: Int64]

  package init(rows: [InboxRow] = [], isLast: Bool = true, reapplied: [ScheduleID: Int64] = [:]) {
    self.rows = rows
    self.isLast = isLast
    self.reapplied = reapplied
  }
}
