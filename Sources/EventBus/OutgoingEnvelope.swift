import Recurrence
import Scheduling

/// What surrounds the Detail of an event: the envelope in the body, and the AMQP properties.
struct OutgoingEnvelope {
  var source: String
  /// The message from which the event follows.
  var origin: Origin
  var time: SendingTime

  /// - Parameters:
  ///   - message: an event of before, whose memory is used again. Its `message_id` is this event's already.
  ///   - scheduledTime: the slot in RFC 3339, of a tick.
  ///   - payload: JSON, the last field of the Detail.
  ///   - detail: writes the other fields; it is given the `message_id`.
  func write(
    _ name: EventName, schedule: ScheduleID?, scheduledTime: String? = nil, payload: [UInt8]? = nil,
    into message: inout OutgoingMessage, detail: (inout JSONWriter, [UInt8]) -> Void
  ) {
    message.name = name
    message.correlationID = origin.messageID
    message.timestampSeconds = time.seconds
    writeHeaders(schedule: schedule, scheduledTime: scheduledTime, into: &message.headers)
    // Room for the usual fields; a long id or expression makes the array grow once.
    var json = JSONWriter(capacity: 768 + (payload?.count ?? 0), reusing: message.takeBody())
    json.object { json in
      json.field("Source", source)
      json.field("DetailType", name.rawValue)
      json.field("Time", time.text)
      json.field("Detail") { (json: inout JSONWriter) in
        detail(&json, message.messageID)
        if let payload { json.field("payload", json: payload) }
      }
    }
    message.body = json.bytes
  }

  private func writeHeaders(
    schedule: ScheduleID?, scheduledTime: String?, into headers: inout [OutgoingMessage.Header]
  ) {
    headers.removeAll(keepingCapacity: true)
    if let schedule { headers.append(OutgoingMessage.Header("schedule-id", schedule.bytes)) }
    if let scheduledTime { headers.append(OutgoingMessage.Header("scheduled-time", Array(scheduledTime.utf8))) }
    if let trace = origin.traceparent { headers.append(OutgoingMessage.Header("traceparent", Array(trace.utf8))) }
    if let trace = origin.tracestate { headers.append(OutgoingMessage.Header("tracestate", Array(trace.utf8))) }
  }
}
