import Recurrence
package import Scheduling

extension Schedule {
  /// The schedule as it is stored, as one line of JSON for people's tools: its definition and how far it has come.
  package var json: [UInt8] {
    var json = JSONWriter(capacity: 512 + (definition.payload?.count ?? 0))
    json.object { json in
      json.write(definition)
      json.field("generation", generation)
      json.field("counter", counter)
      switch state {
      case .live(let pending):
        json.field("state", "live")
        json.field("nextTickDate", pending.slot.rfc3339)
        json.field("due", pending.due.rfc3339)
        if pending.missed > 0 { json.field("missed", Int64(pending.missed)) }
      case .ended(let ending):
        json.field("state", "ended")
        json.field("ended", ending.at.rfc3339)
        if let reason = ending.reason { json.field("reason", reason) }
        json.flag("owesStopped", ending.owesStopped)
      }
      if let payload = definition.payload { json.field("payload", json: payload) }
    }
    return json.bytes
  }
}
