package import Recurrence
package import Scheduling

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

  /// - Parameter now: the time of sending: the envelope's `Time` and the AMQP `timestamp`.
  package func encode(_ publication: Publication, now: Instant) -> OutgoingMessage {
    let origin = publication.origin
    switch publication.event {
    case .tick(let tick):
      let slot = tick.slot.rfc3339
      let tickID = tick.definition.id.bytes + "@\(slot)".utf8
      var message = message(.tick, id: tickID, scheduleID: tick.definition.id, origin: origin, now: now)
      message.headers.insert(OutgoingMessage.Header("scheduled-time", Array(slot.utf8)), at: 1)
      message.body = body(.tick, payload: tick.definition.payload, now: now) { json in
        json.write(tick, id: tickID, slot: slot)
      }
      return message
    case .started(let started):
      let id = started.definition.id
      var message = message(
        .started, id: Self.outcomeID(id, started.generation, "started"), scheduleID: id, origin: origin, now: now)
      message.body = body(.started, payload: started.definition.payload, now: now) { $0.write(started) }
      return message
    case .stopped(let stopped):
      var message = message(
        .stopped, id: Self.outcomeID(stopped.id, stopped.generation, "stopped"), scheduleID: stopped.id,
        origin: origin, now: now)
      message.body = body(.stopped, payload: stopped.definition?.payload, now: now) { $0.write(stopped) }
      return message
    case .rejected(let rejection):
      var message = message(
        .rejected, id: RandomUUID.text(from: random), scheduleID: rejection.id, origin: origin, now: now)
      message.body = body(.rejected, payload: nil, now: now) { $0.write(rejection, to: origin.messageID) }
      return message
    }
  }

  private static func outcomeID(_ id: ScheduleID, _ generation: Int64, _ outcome: String) -> [UInt8] {
    id.bytes + "@\(generation)/\(outcome)".utf8
  }

  /// A message with everything but its body.
  private func message(
    _ name: EventName, id: [UInt8], scheduleID: ScheduleID?, origin: Origin, now: Instant
  ) -> OutgoingMessage {
    var headers: [OutgoingMessage.Header] = []
    if let scheduleID { headers.append(OutgoingMessage.Header("schedule-id", scheduleID.bytes)) }
    if let trace = origin.traceparent { headers.append(OutgoingMessage.Header("traceparent", Array(trace.utf8))) }
    if let trace = origin.tracestate { headers.append(OutgoingMessage.Header("tracestate", Array(trace.utf8))) }
    return OutgoingMessage(
      name: name, messageID: id, correlationID: origin.messageID, headers: headers,
      timestampSeconds: UInt64(clamping: now.milliseconds / 1000), body: [])
  }

  /// The envelope around a Detail, its `payload` last.
  private func body(
    _ name: EventName, payload: [UInt8]?, now: Instant, detail: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    // Room for the envelope and the usual fields; a long id or expression makes the array grow once.
    var json = JSONWriter(capacity: 768 + (payload?.count ?? 0))
    json.object { json in
      json.field("Source", source)
      json.field("DetailType", name.rawValue)
      json.field("Time", now.rfc3339)
      json.field("Detail") { (json: inout JSONWriter) in
        detail(&json)
        if let payload { json.field("payload", json: payload) }
      }
    }
    return json.bytes
  }
}
