import Recurrence
import Scheduling

// The response bodies of `/api/v1`, as ops/openapi.yaml describes them. Programs rely on them, so pages have their own
// models. A member without a value is left out.

/// Body of `/api/v1/overview`.
struct APIOverview: Encodable {
  struct Part: Encodable {
    var name: String
    var healthy: Bool
    var message: String
  }

  struct Counts: Encodable {
    /// Including the paused ones.
    var live: Int
    var paused: Int
    var ended: Int
  }

  /// A count that stops at a bound.
  struct Bounded: Encodable {
    var count: Int
    /// Whether the bound was reached, so that there may be more.
    var isAtLeast: Bool

    init(_ count: BoundedCount) { (self.count, isAtLeast) = (count.value, count.isAtLeast) }
  }

  struct Due: Encodable {
    var withinMinute: Bounded
    var withinHour: Bounded
    /// Due time of the next tick.
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
  /// Why the service is not ready.
  var reason: String?
  var parts: [Part]
  var schedules: Counts
  var due: Due
  /// Of recent ticks.
  var latenessMilliseconds: Lateness?
  /// Counters since the start of the service, by name.
  var totals: [String: Int64]
  /// Newest first.
  var problems: [APIEvent]

  init(_ overview: Overview, _ status: AdminStatus, problems: [RecentEvents.Entry]) {
    version = overview.version
    now = status.now.rfc3339
    startedAt = overview.startedAt.rfc3339
    reason = status.reason
    ready = reason == nil
    parts = overview.parts.map { Part(name: $0.name, healthy: $0.isHealthy, message: $0.message) }
    let counts = overview.counts
    schedules = Counts(live: counts.live, paused: counts.paused, ended: counts.ended)
    due = Due(
      withinMinute: Bounded(overview.dueWithinMinute), withinHour: Bounded(overview.dueWithinHour),
      next: overview.nextDue?.rfc3339)
    latenessMilliseconds = overview.lateness.map { Lateness(p50: $0.p50, p99: $0.p99) }
    totals = Dictionary(overview.totals.map { ($0.key, $0.value) }) { $1 }
    self.problems = problems.reversed().map(APIEvent.init)
  }
}

/// Body of `/api/v1/schedules`: one page of the list.
struct APIScheduleList: Encodable {
  var schedules: [APISchedule]
  /// URL of the next page; absent on the last.
  var nextLink: String?

  init(_ list: ScheduleList, _ query: ScheduleQuery) {
    schedules = list.schedules.map(APISchedule.init)
    nextLink = list.next.map { "/api/v1/schedules?" + query.text(after: $0) }
  }
}

/// A recent event.
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
    message = event.detail.isEmpty ? nil : event.detail
  }
}

/// Body of `/api/v1/recent`: events, newest first.
struct APIRecent: Encodable {
  /// The number to pass as `after` for later events.
  var last: Int
  var events: [APIEvent]

  init(_ entries: [RecentEvents.Entry], last: Int) {
    self.last = entries.last?.number ?? last
    events = entries.reversed().map(APIEvent.init)
  }
}

/// A future slot.
struct APISlot: Encodable {
  var slot: String
  /// Local time in the zone, with its offset.
  var local: String
  /// A clock change between the previous slot and this one.
  var clockChange: String?

  init(_ slot: ListedSlot, in zone: ZoneRules) {
    self.slot = slot.instant.rfc3339
    local = slot.instant.rfc3339(in: zone)
    clockChange = slot.clockChange.map { "\($0.explanation) at \($0.instant.rfc3339(in: zone))" }
  }
}

/// Body of `/api/v1/preview`: the meaning of a cron expression.
struct APIPreview: Encodable {
  var expression: String
  var timezone: String
  var description: String
  var slots: [APISlot]
  /// Effects of the clock changes of the next year.
  var clockChanges: [String]

  init(_ preview: CronPreview, expression: String) {
    self.expression = expression
    timezone = preview.zone.name
    description = preview.expression.explanation
    slots = preview.slots.map { APISlot($0, in: preview.zone) }
    clockChanges = preview.clockChanges.map { "\($0.transition.instant.rfc3339(in: preview.zone)): \($0.explanation)" }
  }
}
