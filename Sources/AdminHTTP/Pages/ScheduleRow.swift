import Recurrence
import Scheduling

/// A row of the schedules table.
struct ScheduleRow {
  var id: String
  var link: String
  var state: String
  /// The timing field of its Start, and its meaning in plain English.
  var timing: String
  var description: String
  var zone: String
  /// Due time of the next tick.
  var next: Moment?
  /// Slot of the next tick, when jitter makes it due later.
  var nextSlot: Moment?
  /// Missed slots folded into the next tick.
  var missed: Int
  /// Ticks sent and confirmed.
  var sent: Int64
  var group: String?
  var tags: [String]
  var pause: PauseRow?
  var ended: Moment?
  /// Of its end or its pause.
  var reason: String?

  /// - Parameter zone: The rules of the schedule's zone; nil when they cannot be loaded.
  init(_ schedule: Schedule, now: Instant, in zone: ZoneRules?) {
    let definition = schedule.definition
    id = schedule.id.text
    link = Self.link(to: schedule.id)
    state = schedule.stateName
    timing = definition.timing.fieldText
    description = definition.timing.description
    self.zone = definition.timezone ?? ZoneRules.utc.name
    if let nextTick = schedule.comingTick {
      next = Moment(nextTick.due, now: now, in: zone)
      nextSlot = nextTick.slot == nextTick.due ? nil : Moment(nextTick.slot, now: now, in: zone)
    }
    missed = schedule.nextTick?.missed ?? 0
    sent = schedule.counter
    group = definition.group
    tags = definition.tags ?? []
    let pause = schedule.isPaused ? schedule.control.pause : nil
    self.pause = pause.map { PauseRow($0, now: now, in: zone) }
    ended = schedule.ending.map { Moment($0.at, now: now, in: zone) }
    reason = schedule.ending?.reason ?? pause?.reason
  }

  /// The id is a query parameter: in a path, browsers resolve `..`.
  static func link(to id: ScheduleID) -> String { "/schedule?id=" + percentEncoded(id.text) }
}

/// A pause.
struct PauseRow {
  var since: Moment
  /// When it ends automatically.
  var until: Moment?

  init(_ pause: Schedule.Pause, now: Instant, in zone: ZoneRules?) {
    since = Moment(pause.since, now: now, in: zone)
    until = pause.until.map { Moment($0, now: now, in: zone) }
  }
}

extension Timing {
  /// The field of the Start, such as `cron 0 9 * * *`.
  fileprivate var fieldText: String {
    switch self {
    case .cron(let expression): "cron \(expression.text)"
    case .every(let interval): "every \(interval.text)"
    case .at(let instant): "at \(instant.rfc3339)"
    case .duration(let delay): "duration \(delay.text)"
    }
  }
}

/// A row of a table of slots.
struct SlotRow {
  var at: Moment
  /// `clocks go forward by 60 minutes`, and when.
  var clockChange: String?

  init(_ slot: ListedSlot, now: Instant, in zone: ZoneRules) {
    at = Moment(slot.instant, now: now, in: zone)
    clockChange = slot.clockChange.map { "\($0.explanation) at \(Moment($0.instant, now: now, in: zone).wall)" }
  }
}

/// A row of an events table. The script builds the same row from an event of the API.
struct EventRow {
  var at: Moment
  var kind: String
  var id: String?
  var link: String?
  var slot: String?
  var slotText: String?
  var lateness: String?
  var confirmed: String?
  var detail: String
  var hasDetail: Bool

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
    detail = event.detail
    hasDetail = !detail.isEmpty
  }
}
