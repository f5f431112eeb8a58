import Recurrence
import Scheduling

// What `/api/v1` answers, as ops/openapi.yaml describes it: programs rely on it. Pages have models of their own. A member
// without a value is left out.

/// The service at a glance.
struct APIOverview: Encodable {
  struct Part: Encodable {
    var name: String
    var healthy: Bool
    var message: String
  }

  struct Counts: Encodable {
    var live: Int
    var ended: Int
  }

  /// A number that was counted no further than a bound.
  struct Bounded: Encodable {
    var count: Int
    /// Whether there may be more.
    var isAtLeast: Bool

    init(_ count: BoundedCount) { (self.count, isAtLeast) = (count.value, count.isAtLeast) }
  }

  struct Due: Encodable {
    var withinMinute: Bounded
    var withinHour: Bounded
    /// When the next tick is due.
    var next: String?
  }

  struct Lateness: Encodable {
    var p50: Int64
    var p99: Int64
  }

  var version: String
  var now: String
  var startedAt: String
  var ready: Bool
  /// Why it is not ready.
  var reason: String?
  var parts: [Part]
  var schedules: Counts
  var due: Due
  /// Of recent ticks.
  var latenessMilliseconds: Lateness?
  /// What was counted since the start, by name.
  var totals: [String: Int64]
  /// What went wrong recently, newest first.
  var problems: [APIEvent]

  init(_ overview: Overview, _ status: AdminStatus, problems: [RecentEvents.Entry]) {
    version = overview.version
    now = status.now.rfc3339
    startedAt = overview.startedAt.rfc3339
    reason = status.reason
    ready = reason == nil
    parts = overview.parts.map { Part(name: $0.name, healthy: $0.isWell, message: $0.words) }
    schedules = Counts(live: overview.counts.live, ended: overview.counts.ended)
    due = Due(
      withinMinute: Bounded(overview.dueWithinMinute), withinHour: Bounded(overview.dueWithinHour),
      next: overview.nextDue?.rfc3339)
    latenessMilliseconds = overview.lateness.map { Lateness(p50: $0.median, p99: $0.worstInHundred) }
    totals = Dictionary(overview.totals.map { ($0.key, $0.value) }) { $1 }
    self.problems = problems.reversed().map(APIEvent.init)
  }
}

/// A page of the list.
struct APIScheduleList: Encodable {
  var schedules: [APISchedule]
  /// The address of the next page; none behind the last.
  var nextLink: String?

  init(_ list: ScheduleList, _ query: ScheduleQuery) {
    schedules = list.schedules.map(APISchedule.init)
    nextLink = list.next.map { "/api/v1" + query.link(after: $0) }
  }
}

/// Something that happened.
struct APIEvent: Encodable {
  var number: Int
  var at: String
  var kind: String
  var id: String?
  var slot: String?
  var latenessMilliseconds: Int64?
  var confirmMilliseconds: Int64?
  var message: String?

  init(_ entry: RecentEvents.Entry) {
    let event = entry.event
    number = entry.number
    at = event.at.rfc3339
    kind = event.kind.rawValue
    id = event.id?.text
    slot = event.slot?.rfc3339
    latenessMilliseconds = event.latenessMilliseconds
    confirmMilliseconds = event.confirmMilliseconds
    message = event.words.isEmpty ? nil : event.words
  }
}

/// What happened recently, newest first.
struct APIRecent: Encodable {
  /// From which number on to ask for more.
  var last: Int
  var events: [APIEvent]

  init(_ entries: [RecentEvents.Entry], last: Int) {
    self.last = entries.last?.number ?? last
    events = entries.reversed().map(APIEvent.init)
  }
}

/// A slot to come.
struct APISlot: Encodable {
  var slot: String
  /// On the wall clock of the zone, with its offset.
  var local: String
  /// What the clocks do before it.
  var clockChange: String?

  init(_ slot: ListedSlot, in zone: ZoneRules) {
    self.slot = slot.instant.rfc3339
    local = slot.instant.rfc3339(in: zone)
    clockChange = slot.clockChange.map { "\($0.words) at \($0.instant.rfc3339(in: zone))" }
  }
}

/// What a cron expression means.
struct APIPreview: Encodable {
  var expression: String
  var timezone: String
  var description: String
  var slots: [APISlot]
  /// What changes of the clocks within a year do to it.
  var clockChanges: [String]

  init(_ preview: CronPreview, expression: String) {
    self.expression = expression
    timezone = preview.zone.name
    description = preview.expression.words
    slots = preview.slots.map { APISlot($0, in: preview.zone) }
    clockChanges = preview.clockChanges.map { "\($0.transition.instant.rfc3339(in: preview.zone)): \($0.words)" }
  }
}
