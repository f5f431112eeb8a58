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
    if let beginning = described.history.beginning {
      if let owner = beginning.userID { field("owner", owner) }
      field("createdDate", beginning.at)
    }
    if let pause = schedule.shownPause {
      field("pausedDate", pause.since)
      if let until = pause.until { field("pausedUntil", until) }
    }
    if let reason = schedule.shownPause?.reason ?? schedule.ending?.reason { field("reason", reason) }
    if let next = schedule.nextSlot { field("nextTickDate", next) }
    field("next", instants: described.upcoming)
    write(described.history.tally, sent: schedule.counter)
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
