import Recurrence
import Scheduling

/// The Detail of each reply, without `payload`, which is written last.
extension JSONWriter {
  mutating func write(_ described: Described) {
    let schedule = described.schedule
    write(schedule.definition)
    field("state", schedule.publicState.rawValue)
    field("counter", schedule.counter)
    field("revision", schedule.control.revision)
    field("paused", boolean: schedule.isPaused)
    if let owner = schedule.origin.userID { field("owner", owner) }
    if let beginning = described.history.beginning { field("createdDate", beginning.at) }
    if let pause = schedule.shownPause {
      field("pausedDate", pause.since)
      if let until = pause.until { field("pausedUntil", until) }
    }
    if let reason = schedule.shownPause?.reason ?? schedule.ending?.reason { field("reason", reason) }
    if let next = schedule.nextSlot { field("nextTickDate", next) }
    field("next", instants: described.upcoming)
    write(described.history.tally, sent: schedule.counter)
  }

  mutating func write(_ listed: Listed) {
    field("schedules", objects: listed.schedules) { json, schedule in
      let definition = schedule.definition
      json.field("id", schedule.id.bytes)
      if let group = definition.group { json.field("group", group) }
      if let tags = definition.tags { json.field("tags", texts: tags) }
      json.write(definition.timing)
      if let timezone = definition.timezone { json.field("timezone", timezone) }
      json.field("state", schedule.publicState.rawValue)
      json.field("paused", boolean: schedule.isPaused)
      json.field("counter", schedule.counter)
      if let next = schedule.nextSlot { json.field("nextTickDate", next) }
      json.field("revision", schedule.control.revision)
    }
    if let next = listed.next { field("next", next) }
  }

  private mutating func write(_ tally: Schedule.Tally, sent: Int64) {
    if let last = tally.last {
      field("last") { (json: inout JSONWriter) in
        json.field("scheduledTime", last.slot)
        json.field("sentDate", last.sentAt)
        json.field("lateness", last.latenessMilliseconds)
        json.field("confirmed", last.confirmationMilliseconds)
      }
    }
    field("totals") { (json: inout JSONWriter) in
      json.field("sent", sent)
      json.field("missed", Int64(tally.missed))
      json.field("duplicates", Int64(tally.repeats))
      json.field("nacked", Int64(tally.refusals))
      json.field("unroutable", Int64(tally.returns))
    }
  }
}

extension Schedule {
  /// Its pause, while that holds its ticks back.
  fileprivate var shownPause: Pause? { isPaused ? control.pause : nil }
}
