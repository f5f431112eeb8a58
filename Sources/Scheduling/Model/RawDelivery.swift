/// A command as it was delivered, not decoded: what the inbox keeps of it.
package struct RawDelivery: Hashable, Sendable {
  package var routingKey: [UInt8]
  /// The AMQP property block in its wire form, for the shell to decode; opaque to everything in between.
  package var properties: [UInt8]
  package var body: [UInt8]

  package init(routingKey: [UInt8], properties: [UInt8], body: [UInt8]) {
    self.routingKey = routingKey
    self.properties = properties
    self.body = body
  }

  /// What it takes in memory, about.
  var byteCount: Int { routingKey.count + properties.count + body.count }
}

/// A redelivered command on its way into the inbox.
package struct InboxArrival: Hashable, Sendable {
  package var raw: RawDelivery
  /// How often the broker had delivered it before. Of two commands the one with more is the older.
  package var deliveries: Int64

  package init(raw: RawDelivery, deliveries: Int64) {
    self.raw = raw
    self.deliveries = deliveries
  }
}

/// A place in the inbox: the order in which its commands were sent.
///
/// A quorum queue returns what a consumer held behind what it returned before, so that the order of arrival is not that of
/// sending once two consumers have ended. But each of these ends raised the count of what it returned: sorted by descending
/// count, and by arrival where counts are equal, redelivered commands stand as they were sent.
package struct InboxPosition: Hashable, Comparable, Sendable {
  /// Batches hold what was redelivered together; a later one is newer.
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
  /// What it was answered; nil until it is decided.
  package var answer: RememberedCommand.Answer?

  package init(position: InboxPosition, raw: RawDelivery, tries: Int, answer: RememberedCommand.Answer? = nil) {
    self.position = position
    self.raw = raw
    self.tries = tries
    self.answer = answer
  }
}

/// Some of the inbox, in order.
package struct InboxPage: Sendable {
  /// A page takes no further row once those in it come to this much.
  package static let maximumBytes = 4 << 20

  package var rows: [InboxRow]
  /// Whether nothing follows in the batches that are complete.
  package var isLast: Bool
  /// Schedules of which a command without `message_id` was applied from the inbox: what is behind it, up to and with this
  /// batch, is applied too, whether it was answered before or not.
  package var reapplied: [ScheduleID: Int64]

  package init(rows: [InboxRow] = [], isLast: Bool = true, reapplied: [ScheduleID: Int64] = [:]) {
    self.rows = rows
    self.isLast = isLast
    self.reapplied = reapplied
  }
}
