import Recurrence
import Scheduling

/// A schedule in a list.
struct ScheduleRow {
  var id: String
  var link: String
  var state: String
  /// The field of the Start that says when, and what it means in words.
  var timing: String
  var words: String
  var zone: String
  /// When the next tick is due.
  var next: Moment?
  /// Its slot, where jitter makes it due later.
  var nextSlot: Moment?
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
    state = schedule.nextTick.map { $0.isHeld ? "held" : "live" } ?? "ended"
    timing = definition.timing.fieldText
    words = definition.timing.words
    self.zone = definition.timezone ?? ZoneRules.utc.name
    if let nextTick = schedule.nextTick, !nextTick.isHeld {
      next = Moment(nextTick.due, now: now, in: zone)
      nextSlot = nextTick.slot == nextTick.due ? nil : Moment(nextTick.slot, now: now, in: zone)
    }
    missed = schedule.nextTick?.missed ?? 0
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

  var words: String {
    switch self {
    case .cron(let expression): expression.words
    case .every(let interval): "Every \(interval.text)"
    case .at: "Once"
    case .duration(let delay): "Once, \(delay.text) after its Start"
    }
  }
}

/// A slot to come, with what the clocks do before it.
struct SlotRow {
  var at: Moment
  /// `clocks go forward by 60 minutes`, and when.
  var clockChange: String?

  init(_ slot: ListedSlot, now: Instant, in zone: ZoneRules) {
    at = Moment(slot.instant, now: now, in: zone)
    clockChange = slot.clockChange.map { "\($0.words) at \(Moment($0.instant, now: now, in: zone).wall)" }
  }
}

/// Something that happened, in a list. The pages' script makes the same of what the API tells.
struct EventRow {
  var at: Moment
  var kind: String
  var id: String?
  var link: String?
  var slot: String?
  var slotText: String?
  var lateness: String?
  var confirmed: String?
  var words: String
  var hasWords: Bool

  init(_ entry: RecentEvents.Entry, now: Instant) {
    let event = entry.event
    at = Moment(event.at, now: now)
    kind = event.kind.rawValue
    id = event.id?.text
    link = event.id.map(ScheduleRow.link)
    slot = event.slot?.rfc3339
    slotText = event.slot?.pageText
    lateness = event.latenessMilliseconds.map(Moment.text(milliseconds:))
    confirmed = event.confirmMilliseconds.map(Moment.text(milliseconds:))
    words = event.words
    hasWords = !words.isEmpty
  }
}
