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
    let envelope = OutgoingEnvelope(source: source, origin: publication.origin, time: time)
    switch publication.event {
    case .tick(let tick):
      let id = tick.definition.id
      let slot = tick.slot.withRFC3339 { Array($0) }
      let tickID = Self.join(id, slot)
      return envelope.message(
        .tick, id: tickID, schedule: id, scheduledTime: slot, payload: tick.definition.payload
      ) { $0.write(tick, id: tickID, slot: slot) }
    case .started(let started):
      let id = started.definition.id
      return envelope.message(
        .started, id: Self.join(id, "\(started.generation)/started"), schedule: id, payload: started.definition.payload
      ) { $0.write(started) }
    case .stopped(let stopped):
      return envelope.message(
        .stopped, id: Self.join(stopped.id, "\(stopped.generation)/stopped"), schedule: stopped.id,
        payload: stopped.definition?.payload
      ) { $0.write(stopped) }
    case .rejected(let rejection):
      return envelope.message(.rejected, id: RandomUUID.text(from: random), schedule: rejection.id) {
        $0.write(rejection, to: publication.origin.messageID)
      }
    }
  }

  /// `<id>@<suffix>`, the form of all our message ids that must be the same on every repeat.
  private static func join(_ id: ScheduleID, _ suffix: String) -> [UInt8] { join(id, Array(suffix.utf8)) }

  private static func join(_ id: ScheduleID, _ suffix: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(id.bytes.count + 1 + suffix.count)
    bytes += id.bytes
    bytes.append(UInt8(ascii: "@"))
    bytes += suffix
    return bytes
  }
}
