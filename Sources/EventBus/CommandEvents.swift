package import Scheduling

extension Definition {
  /// A Schedule Start event with this definition, as JSON: the fields that were sent, `payload` byte for byte.
  package var startEvent: [UInt8] {
    commandEvent(.start, capacity: 512 + (payload?.count ?? 0)) { json in
      json.write(self)
      if let payload { json.field("payload", json: payload) }
    }
  }
}

extension ScheduleID {
  /// A Schedule Stop event for this schedule, as JSON.
  package func stopEvent(reason: String) -> [UInt8] {
    commandEvent(.stop, capacity: 512) { json in
      json.field("id", bytes)
      json.field("reason", reason)
    }
  }
}

private func commandEvent(_ name: EventName, capacity: Int, detail: (inout JSONWriter) -> Void) -> [UInt8] {
  var json = JSONWriter(capacity: capacity)
  json.object { json in
    json.field("DetailType", name.rawValue)
    json.field("Detail", object: detail)
  }
  return json.bytes
}
