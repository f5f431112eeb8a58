package import Bytes
import Scheduling

/// An event as an AMQP message: properties and body, independent of the AMQP library.
///
/// Constant properties are static; `user_id` is set by the connection. Headers and body are written directly into the batch,
/// not stored, because a burst has a hundred thousand of them.
package struct OutgoingMessage {
  package static let contentType = "application/json"
  /// Persistent.
  package static let deliveryMode: UInt8 = 2
  package static let appID = "pocketwatch"

  let name: EventName
  /// At most 255 bytes: an id has at most 200.
  package let messageID: [UInt8]
  let envelope: OutgoingEnvelope
  let content: Reply.Content
  /// The slot in RFC 3339; nil unless it is a tick.
  let scheduledTime: [UInt8]?

  package var routingKey: String { name.rawValue }
  /// The AMQP property `type`.
  package var type: String { name.rawValue }
  /// The `message_id` of the command that caused the event, in raw bytes.
  package var correlationID: [UInt8]? { envelope.origin.messageID }
  /// The AMQP `timestamp`: whole seconds since 1970 UTC.
  package var timestampSeconds: UInt64 { envelope.time.seconds }

  /// Calls `body` with each header: `schedule-id`, `scheduled-time`, `traceparent`, `tracestate`. Their values are long strings:
  /// a trace may exceed the 255 bytes of a short one.
  package func forEachHeader(_ body: (StaticString, [UInt8]) -> Void) {
    if let schedule = content.scheduleID { body("schedule-id", schedule.bytes) }
    if let scheduledTime { body("scheduled-time", scheduledTime) }
    if let trace = envelope.origin.traceparent { body("traceparent", Array(trace.utf8)) }
    if let trace = envelope.origin.tracestate { body("tracestate", Array(trace.utf8)) }
  }

  /// Appends the body.
  package func writeBody(to output: inout ByteWriter) {
    var json = JSONWriter(appendingTo: output)
    switch content {
    case .event(let event): write(event, to: &json)
    case .described(let described):
      envelope.write(name, payload: described.schedule.definition.payload, to: &json) { $0.write(described) }
    case .listed(let listed): envelope.write(name, payload: nil, to: &json) { $0.write(listed) }
    }
    output = json.finish()
  }

  private func write(_ event: OutgoingEvent, to json: inout JSONWriter) {
    switch event {
    case .tick(let tick):
      envelope.write(name, payload: tick.definition.payload, to: &json) {
        $0.write(tick, id: messageID, slot: scheduledTime ?? [])
      }
    case .started(let started):
      envelope.write(name, payload: started.definition.payload, to: &json) { $0.write(started) }
    case .stopped(let stopped):
      envelope.write(name, payload: stopped.definition?.payload, to: &json) { $0.write(stopped) }
    case .controlled(let controlled):
      envelope.write(name, payload: controlled.shownDefinition?.payload, to: &json) { $0.write(controlled) }
    case .batchDone(let done):
      envelope.write(name, payload: nil, to: &json) { $0.write(done) }
    case .rejected(let rejection):
      envelope.write(name, payload: nil, to: &json) { $0.write(rejection, to: correlationID) }
    }
  }

  package var body: [UInt8] {
    var output = ByteWriter(capacity: 1024)
    writeBody(to: &output)
    return output.array
  }
}
