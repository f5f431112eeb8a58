package import Bytes
package import Scheduling

/// What a schedule with a target publishes instead of a tick, as an AMQP message, independent of the AMQP library.
package struct TargetMessage {
  /// A tick's, by which repeats are recognised.
  package let messageID: [UInt8]
  package let target: Target
  /// The raw payload; nil without one.
  private let payload: [UInt8]?
  private let envelope: OutgoingEnvelope
  private let scheduleID: [UInt8]
  private let scheduledTime: [UInt8]

  fileprivate init(_ tick: Tick, _ target: Target, _ message: OutgoingMessage) {
    messageID = message.messageID
    self.target = target
    payload = tick.definition.payload
    envelope = message.envelope
    scheduleID = tick.definition.id.bytes
    scheduledTime = message.scheduledTime ?? []
  }

  package var contentType: String {
    target.body == .payload ? target.contentType ?? Target.defaultContentType : OutgoingMessage.contentType
  }

  /// The AMQP property `type`; nil without a detailType.
  package var type: String? { target.detailType }
  package var correlationID: [UInt8]? { envelope.origin.messageID }
  package var timestampSeconds: UInt64 { envelope.time.seconds }

  /// Calls `body` with each header that the scheduler sets. The target's own follow them.
  package func forEachHeader(_ body: (StaticString, [UInt8]) -> Void) {
    body("schedule-id", scheduleID)
    body("scheduled-time", scheduledTime)
    if let owner = envelope.origin.userID { body("schedule-owner", Array(owner.utf8)) }
    if let trace = envelope.origin.traceparent { body("traceparent", Array(trace.utf8)) }
    if let trace = envelope.origin.tracestate { body("tracestate", Array(trace.utf8)) }
  }

  package var body: [UInt8] {
    var output = ByteWriter(capacity: 1024)
    writeBody(to: &output)
    return output.array
  }

  /// Appends the body.
  package func writeBody(to output: inout ByteWriter) {
    switch target.body ?? .event {
    case .payload: output.append(payload ?? [])
    case .event:
      var json = JSONWriter(appendingTo: output)
      json.object { json in
        json.field("Source", target.source ?? envelope.source)
        json.field("DetailType", target.detailType ?? "")
        json.field("Time", envelope.time.text)
        json.field("Detail", json: payload ?? Array("{}".utf8))
      }
      output = json.finish()
    }
  }
}

extension EventEncoder {
  /// The message of a tick's target; nil if it has none.
  package func encodeTarget(of tick: Tick, origin: Origin, at time: SendingTime) -> TargetMessage? {
    guard let target = tick.definition.target else { return nil }
    return TargetMessage(tick, target, encode(.tick(tick), origin: origin, at: time))
  }
}
