import Recurrence
import Scheduling

/// What surrounds the Detail of an event in the body.
struct OutgoingEnvelope {
  var source: String
  /// The message from which the event follows.
  var origin: Origin
  var time: SendingTime

  /// - Parameters:
  ///   - payload: JSON, the last field of the Detail.
  ///   - detail: writes the other fields.
  func write(
    _ name: EventName, payload: [UInt8]?, to json: inout JSONWriter, detail: (inout JSONWriter) -> Void
  ) {
    json.object { json in
      json.field("Source", source)
      json.field("DetailType", name.rawValue)
      json.field("Time", time.text)
      json.field("Detail") { (json: inout JSONWriter) in
        detail(&json)
        if let payload { json.field("payload", json: payload) }
      }
    }
  }
}
