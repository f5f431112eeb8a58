import Recurrence
package import Scheduling

extension Schedule {
  /// The stored schedule as one line of JSON, for `pocketwatch inspect`: definition, progress, and delivery results.
  package func json(_ history: History) -> [UInt8] {
    var json = JSONWriter(capacity: 512 + (definition.payload?.count ?? 0))
    json.object { json in
      json.write(definition)
      json.field("generation", generation)
      json.field("counter", counter)
      json.field("revision", control.revision)
      json.field("state", stateName)
      switch state {
      case .live where isPaused:
        if let pause = control.pause { json.write(pause) }
      case .live(let nextTick) where nextTick.isHeld:
        break  // it has no slot
      case .live(let nextTick):
        json.field("nextTickDate", nextTick.slot)
        json.field("due", nextTick.due)
        if nextTick.missed > 0 { json.field("missed", Int64(nextTick.missed)) }
      case .ended(let ending):
        json.field("ended", ending.at)
        if let reason = ending.reason { json.field("reason", reason) }
        json.flag("owesStopped", ending.owesStopped)
      }
      if let beginning = history.beginning { json.field("startedAt", beginning.at) }
      if let messageID = origin.messageID { json.field("messageId", String(decoding: messageID, as: UTF8.self)) }
      if let userID = origin.userID { json.field("userId", userID) }
      json.field("ticks", object: { $0.write(history.tally, sent: counter) })
      if let payload = definition.payload { json.field("payload", json: payload) }
    }
    return json.bytes
  }
}

extension JSONWriter {
  /// The delivery results of a schedule's ticks.
  fileprivate mutating func write(_ tally: Schedule.Tally, sent: Int64) {
    field("sent", sent)
    field("missed", Int64(tally.missed))
    field("repeated", Int64(tally.repeats))
    field("nacked", Int64(tally.refusals))
    field("returned", Int64(tally.returns))
    guard let last = tally.last else { return }
    field(
      "last",
      object: { json in
        json.field("scheduledTime", last.slot)
        json.field("sentAt", last.sentAt)
        if last.jitterMilliseconds > 0 { json.field("jitterMilliseconds", last.jitterMilliseconds) }
        json.field("latenessMilliseconds", last.latenessMilliseconds)
        json.field("confirmMilliseconds", last.confirmationMilliseconds)
      })
  }
}
