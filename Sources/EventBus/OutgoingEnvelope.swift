import Recurrence
import Scheduling

/// The envelope around an event's Detail.
struct OutgoingEnvelope {
  var source: String
  /// The command that caused the event.
  var origin: Origin
  var time: SendingTime

  /// - Parameters:
  ///   - payload: JSON, written as the last field of the Detail.
  ///   - detail: Writes the other fields.
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
