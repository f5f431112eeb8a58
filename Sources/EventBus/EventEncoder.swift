package import Recurrence
package import Scheduling

/// The sending time of a batch of messages, formatted once: the envelope's `Time` and the AMQP `timestamp`.
package struct SendingTime: Sendable {
  let text: String
  let seconds: UInt64

  package init(_ instant: Instant) {
    text = instant.rfc3339
    seconds = UInt64(clamping: instant.milliseconds / 1000)
  }
}

/// Encodes the scheduler's events into messages for the bus.
package struct EventEncoder: Sendable {
  /// `Source` of every event.
  private let source: String
  private let random: @Sendable () -> UInt64

  /// - Parameters:
  ///   - stack: The stack's name, validated by the configuration. The `Source` of events is `com.<stack>`.
  ///   - random: Returns 64 random bits, for a unique `message_id`.
  package init(
    stack: String, random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
  ) {
    source = "com.\(stack)"
    self.random = random
  }

  /// - Parameter origin: The command that caused the event.
  package func encode(_ event: OutgoingEvent, origin: Origin, at time: SendingTime) -> OutgoingMessage {
    func message(_ name: EventName, id: [UInt8], scheduledTime: [UInt8]? = nil) -> OutgoingMessage {
      self.message(name, id: id, .event(event), origin: origin, at: time, scheduledTime: scheduledTime)
    }
    switch event {
    case .tick(let tick):
      let slot = tick.slot.withRFC3339 { Array($0) }
      let suffix = tick.isTriggered ? slot + Array("/trigger".utf8) : slot
      return message(.tick, id: Self.join(tick.definition.id, suffix), scheduledTime: slot)
    case .started(let started) where started.isRepeated || started.effect == .kept:
      return message(.started, id: RandomUUID.text(from: random))
    case .started(let started):
      return message(.started, id: Self.join(started.definition.id, "\(started.generation)/started"))
    case .stopped(let stopped) where stopped.isRepeated:
      return message(.stopped, id: RandomUUID.text(from: random))
    case .stopped(let stopped):
      return message(.stopped, id: Self.join(stopped.id, "\(stopped.generation)/stopped"))
    case .controlled(let controlled) where controlled.isOwed:
      let suffix = "\(controlled.generation)/resumed/\(controlled.revision)"
      return message(controlled.name, id: Self.join(controlled.id, suffix))
    case .controlled(let controlled):
      return message(controlled.name, id: RandomUUID.text(from: random))
    case .batchDone:
      return message(.batchDone, id: RandomUUID.text(from: random))
    case .rejected:
      return message(.rejected, id: RandomUUID.text(from: random))
    }
  }

  /// - Parameter origin: The message that is replied to.
  package func encode(_ reply: Reply.Content, origin: Origin, at time: SendingTime) -> OutgoingMessage {
    switch reply {
    case .event(let event): encode(event, origin: origin, at: time)
    case .described: message(.described, id: RandomUUID.text(from: random), reply, origin: origin, at: time)
    case .listed: message(.listed, id: RandomUUID.text(from: random), reply, origin: origin, at: time)
    }
  }

  private func message(
    _ name: EventName, id: [UInt8], _ content: Reply.Content, origin: Origin, at time: SendingTime,
    scheduledTime: [UInt8]? = nil
  ) -> OutgoingMessage {
    OutgoingMessage(
      name: name, messageID: id, envelope: OutgoingEnvelope(source: source, origin: origin, time: time),
      content: content, scheduledTime: scheduledTime)
  }

  /// `<id>@<suffix>`, the form of message ids that must be equal on duplicates.
  private static func join(_ id: ScheduleID, _ suffix: String) -> [UInt8] { join(id, Array(suffix.utf8)) }

  private static func join(_ id: ScheduleID, _ suffix: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(id.bytes.count + 1 + suffix.count)
    bytes += id.bytes
    bytes.append(UInt8(ascii: "@"))
    bytes += suffix
    assert(bytes.count <= 255, "a message_id longer than AMQP allows")
    return bytes
  }
}
