package import Scheduling

extension Definition {
  /// The Schedule Start event that would make this schedule, as JSON: the fields that were sent, `payload` as it was.
  package var startEvent: [UInt8] {
    var json = JSONWriter(capacity: 512 + (payload?.count ?? 0))
    json.object { json in
      json.field("DetailType", "Schedule Start")
      json.field("Detail") { json in
        json.write(self)
        if let payload { json.field("payload", json: payload) }
      }
    }
    return json.bytes
  }
}

extension ScheduleID {
  /// The Schedule Stop event for this schedule, as JSON.
  package func stopEvent(reason: String) -> [UInt8] {
    var json = JSONWriter(capacity: 512)
    json.object { json in
      json.field("DetailType", "Schedule Stop")
      json.field("Detail") { json in
        json.field("id", bytes)
        json.field("reason", reason)
      }
    }
    return json.bytes
  }
}
