package import Recurrence
package import Scheduling

/// The time at which messages leave: the envelope's `Time` and the AMQP `timestamp`. Written once for all that leave together.
package struct SendingTime: Sendable {
  let text: String
  let seconds: UInt64

  package init(_ instant: Instant) {
    text = instant.rfc3339
    seconds = UInt64(clamping: instant.milliseconds / 1000)
  }
}

/// Turns what the scheduler says into messages for the bus.
package struct EventEncoder: Sendable {
  /// `Source` of every event.
  private let source: String
  private let random: @Sendable () -> UInt64

  /// - Parameters:
  ///   - stack: the stack's name, validated by the configuration; events come from `com.<stack>`.
  ///   - random: 64 random bits at each call, for the `message_id` of a Schedule Rejected.
  package init(
    stack: String, random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
  ) {
    source = "com.\(stack)"
    self.random = random
  }

  package func encode(_ publication: Publication, at time: SendingTime) -> OutgoingMessage {
    var message = OutgoingMessage()
    encode(publication, at: time, into: &message)
    return message
  }

  /// As above, into an event of before, whose memory is used again.
  package func encode(_ publication: Publication, at time: SendingTime, into message: inout OutgoingMessage) {
    let envelope = OutgoingEnvelope(source: source, origin: publication.origin, time: time)
    switch publication.event {
    case .tick(let tick):
      let id = tick.definition.id
      let slot = tick.slot.rfc3339
      message.messageID.set(id, slot)
      envelope.write(
        .tick, schedule: id, scheduledTime: slot, payload: tick.definition.payload, into: &message
      ) { $0.write(tick, id: $1, slot: slot) }
    case .started(let started):
      let id = started.definition.id
      message.messageID.set(id, "\(started.generation)/started")
      envelope.write(.started, schedule: id, payload: started.definition.payload, into: &message) { json, _ in
        json.write(started)
      }
    case .stopped(let stopped):
      message.messageID.set(stopped.id, "\(stopped.generation)/stopped")
      envelope.write(.stopped, schedule: stopped.id, payload: stopped.definition?.payload, into: &message) { json, _ in
        json.write(stopped)
      }
    case .rejected(let rejection):
      message.messageID = RandomUUID.text(from: random)
      envelope.write(.rejected, schedule: rejection.id, into: &message) { json, _ in
        json.write(rejection, to: publication.origin.messageID)
      }
    }
  }
}

extension [UInt8] {
  /// Becomes `<id>@<suffix>`, the form of all our message ids that must be the same on every repeat.
  fileprivate mutating func set(_ id: ScheduleID, _ suffix: String) {
    removeAll(keepingCapacity: true)
    append(contentsOf: id.bytes)
    append(UInt8(ascii: "@"))
    append(contentsOf: suffix.utf8)
  }
}
