import Recurrence
package import Scheduling

extension Definition {
  /// A Schedule Start event with this definition, as JSON: the fields that were sent, `payload` byte for byte.
  ///
  /// - Parameter paused: Whether the schedule begins paused; nil to leave a pause as it is.
  package func startEvent(paused: Bool? = nil) -> [UInt8] {
    commandEvent(.start, capacity: 512 + (payload?.count ?? 0)) { json in
      json.write(self)
      if let paused { json.field("paused", boolean: paused) }
      if let payload { json.field("payload", json: payload) }
    }
  }
}

extension ScheduleID {
  /// The event that asks for this of this schedule, as JSON.
  package func event(_ action: BatchCommand.Action) -> [UInt8] {
    commandEvent(action.name, capacity: 512) { json in
      json.field("id", bytes)
      json.write(action)
    }
  }

  /// A Schedule Trigger event, as JSON.
  package func triggerEvent() -> [UInt8] {
    commandEvent(.trigger, capacity: 512) { json in json.field("id", bytes) }
  }
}

extension BatchCommand {
  /// Its event, as JSON.
  package var event: [UInt8] {
    commandEvent(name, capacity: 1024) { json in
      json.write(selector)
      json.field("max", Int64(maximum))
      json.write(action)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ action: BatchCommand.Action) {
    switch action {
    case .stop(let reason): field("reason", reason)
    case .pause(let end, let reason, _):
      switch end {
      case .until(let instant): field("until", instant.rfc3339)
      case .after(let length): field("for", length.text)
      case nil: break
      }
      if let reason { field("reason", reason) }
    case .resume(let policy, let reason):
      if let policy { field("misfirePolicy", policy.rawValue) }
      if let reason { field("reason", reason) }
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
