import Recurrence
import Scheduling

/// What surrounds the Detail of an event: the envelope in the body, and the AMQP properties.
struct OutgoingEnvelope {
  var source: String
  /// The message from which the event follows.
  var origin: Origin
  var time: SendingTime

  /// - Parameters:
  ///   - id: the `message_id`.
  ///   - scheduledTime: the slot in RFC 3339, of a tick.
  ///   - payload: JSON, the last field of the Detail.
  ///   - detail: writes the other fields.
  func message(
    _ name: EventName, id: [UInt8], schedule: ScheduleID?, scheduledTime: [UInt8]? = nil, payload: [UInt8]? = nil,
    detail: (inout JSONWriter) -> Void
  ) -> OutgoingMessage {
    OutgoingMessage(
      name: name, messageID: id, correlationID: origin.messageID,
      headers: headers(schedule: schedule, scheduledTime: scheduledTime),
      timestampSeconds: time.seconds,
      body: body(name, payload: payload, detail: detail))
  }

  private func headers(schedule: ScheduleID?, scheduledTime: [UInt8]?) -> [OutgoingMessage.Header] {
    var headers: [OutgoingMessage.Header] = []
    headers.reserveCapacity(4)
    if let schedule { headers.append(OutgoingMessage.Header("schedule-id", schedule.bytes)) }
    if let scheduledTime { headers.append(OutgoingMessage.Header("scheduled-time", scheduledTime)) }
    if let trace = origin.traceparent { headers.append(OutgoingMessage.Header("traceparent", Array(trace.utf8))) }
    if let trace = origin.tracestate { headers.append(OutgoingMessage.Header("tracestate", Array(trace.utf8))) }
    return headers
  }

  private func body(_ name: EventName, payload: [UInt8]?, detail: (inout JSONWriter) -> Void) -> [UInt8] {
    // Room for the usual fields; a long id or expression makes the array grow once.
    var json = JSONWriter(capacity: 768 + (payload?.count ?? 0))
    json.object { json in
      json.field("Source", source)
      json.field("DetailType", name.rawValue)
      json.field("Time", time.text)
      json.field("Detail") { (json: inout JSONWriter) in
        detail(&json)
        if let payload { json.field("payload", json: payload) }
      }
    }
    return json.bytes
  }
}
