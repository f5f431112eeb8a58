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
  /// A Schedule Stop event for this schedule, as JSON.
  package func stopEvent(reason: String) -> [UInt8] {
    commandEvent(.stop, capacity: 512) { json in
      json.field("id", bytes)
      json.field("reason", reason)
    }
  }
}

extension ScheduleID {
  /// A Schedule Pause event, as JSON.
  ///
  /// - Parameters:
  ///   - until: RFC 3339; passed on as it is, since the service checks it.
  ///   - length: A duration, likewise; instead of `until`.
  package func pauseEvent(until: String? = nil, for length: String? = nil, reason: String? = nil) -> [UInt8] {
    commandEvent(.pause, capacity: 512) { json in
      json.field("id", bytes)
      if let until { json.field("until", until) }
      if let length { json.field("for", length) }
      if let reason { json.field("reason", reason) }
    }
  }

  /// A Schedule Resume event, as JSON.
  package func resumeEvent(misfirePolicy: MisfirePolicy? = nil, reason: String? = nil) -> [UInt8] {
    commandEvent(.resume, capacity: 512) { json in
      json.field("id", bytes)
      if let misfirePolicy { json.field("misfirePolicy", misfirePolicy.rawValue) }
      if let reason { json.field("reason", reason) }
    }
  }

  /// A Schedule Trigger event, as JSON.
  ///
  /// - Parameter payload: JSON.
  package func triggerEvent(payload: [UInt8]? = nil) -> [UInt8] {
    commandEvent(.trigger, capacity: 512 + (payload?.count ?? 0)) { json in
      json.field("id", bytes)
      if let payload { json.field("payload", json: payload) }
    }
  }
}

extension BatchCommand {
  /// Its event, as JSON.
  package var event: [UInt8] {
    commandEvent(name, capacity: 1024) { json in
      json.write(selector)
      json.field("max", Int64(maximum))
      switch action {
      case .stop(let reason): json.field("reason", reason)
      case .pause(let end, let reason, _):
        switch end {
        case .until(let instant): json.field("until", instant.rfc3339)
        case .after(let length): json.field("for", length.text)
        case nil: break
        }
        if let reason { json.field("reason", reason) }
      case .resume(let policy, let reason):
        if let policy { json.field("misfirePolicy", policy.rawValue) }
        if let reason { json.field("reason", reason) }
      }
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
