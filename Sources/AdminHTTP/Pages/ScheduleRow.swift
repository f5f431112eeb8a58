import Recurrence
import Scheduling

/// A schedule in a list, and in JSON.
struct ScheduleRow: Encodable {
  var id: String
  var link: String
  var state: String
  /// The field of the Start that says when, and what it means in words.
  var timing: String
  var words: String
  var zone: String
  var next: Moment?
  /// Earlier slots that the next tick stands for.
  var missed: Int
  /// Ticks sent and confirmed.
  var sent: Int64
  var ended: Moment?
  var reason: String?

  /// - Parameter zone: The rules of the schedule's zone; nil when the machine has none.
  init(_ schedule: Schedule, now: Instant, in zone: ZoneRules?) {
    let definition = schedule.definition
    id = schedule.id.text
    link = Self.link(to: schedule.id)
    state = schedule.pending.map { $0.isHeld ? "held" : "live" } ?? "ended"
    timing = definition.timing.fieldText
    words = definition.timing.words
    self.zone = definition.timezone ?? ZoneRules.utc.name
    next = schedule.pending.flatMap { pending in
      // A slot that has passed is not late before its jitter has.
      let instant = pending.slot < now ? pending.due : pending.slot
      return pending.isHeld ? nil : Moment(instant, now: now, in: zone)
    }
    missed = schedule.pending?.missed ?? 0
    sent = schedule.counter
    ended = schedule.ending.map { Moment($0.at, now: now, in: zone) }
    reason = schedule.ending?.reason
  }

  /// With the id as a query: as part of the path a browser would take `..` for a way up.
  static func link(to id: ScheduleID) -> String { "/schedule?id=" + percentEncoded(id.text) }
}

extension Timing {
  fileprivate var fieldText: String {
    switch self {
    case .cron(let expression): "cron \(expression.text)"
    case .every(let interval): "every \(interval.text)"
    case .at(let instant): "at \(instant.rfc3339)"
    case .duration(let delay): "duration \(delay.text)"
    }
  }

  fileprivate var words: String {
    switch self {
    case .cron(let expression): expression.words
    case .every(let interval): "Every \(interval.text)"
    case .at: "Once"
    case .duration(let delay): "Once, \(delay.text) after its Start"
    }
  }
}

/// A slot to come, with what the clocks do before it.
struct SlotRow: Encodable {
  var at: Moment
  /// `clocks go forward by 60 minutes`, and when.
  var clockChange: String?

  init(_ slot: ListedSlot, now: Instant, in zone: ZoneRules) {
    at = Moment(slot.instant, now: now, in: zone)
    clockChange = slot.clockChange.map { "\($0.words) at \(Moment($0.instant, now: now, in: zone).wall)" }
  }
}

/// Something that happened, in a list and in JSON.
struct EventRow: Encodable {
  var number: Int
  var at: Moment
  var kind: String
  /// The kind as people say it.
  var label: String
  var id: String?
  var link: String?
  var slot: String?
  var latenessMilliseconds: Int64?
  var confirmMilliseconds: Int64?
  var words: String
  // For the pages.
  var slotText: String?
  var hasWords: Bool

  private enum CodingKeys: CodingKey {
    case number, at, kind, label, id, link, slot, latenessMilliseconds, confirmMilliseconds, words
  }

  init(_ entry: RecentEvents.Entry, now: Instant) {
    let event = entry.event
    number = entry.number
    at = Moment(event.at, now: now)
    kind = event.kind.rawValue
    label = event.kind == .givenUp ? "given up" : kind
    id = event.id?.text
    link = event.id.map(ScheduleRow.link)
    slot = event.slot?.rfc3339
    latenessMilliseconds = event.latenessMilliseconds
    confirmMilliseconds = event.confirmMilliseconds
    words = event.words
    slotText = event.slot?.pageText
    hasWords = !words.isEmpty
  }
}
