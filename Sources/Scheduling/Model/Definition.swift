package import Recurrence

/// What a client asked for in its Schedule Start: only the fields that it sent, since ticks and outcomes echo them.
///
/// Stored once and shared by all copies: a tick is copied many times on its way, and its definition is most of it.
package struct Definition: Hashable, Sendable {
  private struct Fields: Hashable, Sendable {
    var id: ScheduleID
    var timing: Timing
    var limit: Int64?
    var timezone: String?
    var startDate: Instant?
    var endDate: Instant?
    var jitter: DurationExpression?
    var misfirePolicy: MisfirePolicy?
    var catchupWindow: DurationExpression?
    var ifExists: IfExists?
    var payload: [UInt8]?
    var extras: Extras?
  }

  /// Fields that few schedules have. Apart from the others, so that most schedules have none of them in memory.
  private struct Extras: Hashable, Sendable, CustomDebugStringConvertible {
    var group: String?
    var tags: [String]?
    var description: String?
    var target: Shared<Target>?

    // The name of a private type is printed with an address, which differs in each process.
    var debugDescription: String { "\((group: group, tags: tags, description: description, target: target))" }
  }

  private var shared: Shared<Fields>

  package init(
    id: ScheduleID, timing: Timing, limit: Int64? = nil, timezone: String? = nil, startDate: Instant? = nil,
    endDate: Instant? = nil, jitter: DurationExpression? = nil, misfirePolicy: MisfirePolicy? = nil,
    catchupWindow: DurationExpression? = nil, ifExists: IfExists? = nil, payload: [UInt8]? = nil,
    group: String? = nil, tags: [String]? = nil, description: String? = nil, target: Target? = nil
  ) {
    let extras = Extras(group: group, tags: tags, description: description, target: target.map { Shared($0) })
    shared = Shared(
      Fields(
        id: id, timing: timing, limit: limit, timezone: timezone, startDate: startDate, endDate: endDate,
        jitter: jitter,
        misfirePolicy: misfirePolicy, catchupWindow: catchupWindow, ifExists: ifExists, payload: payload,
        extras: extras == Extras() ? nil : extras))
  }

  package var id: ScheduleID {
    get { shared.value.id }
    set { shared.value.id = newValue }
  }
  package var timing: Timing {
    get { shared.value.timing }
    set { shared.value.timing = newValue }
  }
  /// The number of ticks after which the schedule ends, as sent: 0 to 2^53 - 1. 0 and nil both mean no limit.
  package var limit: Int64? {
    get { shared.value.limit }
    set { shared.value.limit = newValue }
  }
  /// The IANA name of the time zone in which a cron expression is evaluated; nil is UTC.
  package var timezone: String? {
    get { shared.value.timezone }
    set { shared.value.timezone = newValue }
  }
  /// No slot before this instant.
  package var startDate: Instant? {
    get { shared.value.startDate }
    set { shared.value.startDate = newValue }
  }
  /// No slot after this instant.
  package var endDate: Instant? {
    get { shared.value.endDate }
    set { shared.value.endDate = newValue }
  }
  /// The most that a tick may be delayed after its slot.
  package var jitter: DurationExpression? {
    get { shared.value.jitter }
    set { shared.value.jitter = newValue }
  }
  /// What to do with missed slots; nil is `fireOnce`.
  package var misfirePolicy: MisfirePolicy? {
    get { shared.value.misfirePolicy }
    set { shared.value.misfirePolicy = newValue }
  }
  /// Missed slots older than this are not sent. Nil means no limit, or 24 hours with `fireAll`.
  package var catchupWindow: DurationExpression? {
    get { shared.value.catchupWindow }
    set { shared.value.catchupWindow = newValue }
  }
  /// What the Start does when the id is live; nil is `replace`.
  package var ifExists: IfExists? {
    get { shared.value.ifExists }
    set { shared.value.ifExists = newValue }
  }
  /// The bytes of any JSON value, exactly as received.
  package var payload: [UInt8]? {
    get { shared.value.payload }
    set { shared.value.payload = newValue }
  }
  /// The name that it shares with schedules to be selected together: 1 to 200 bytes.
  package var group: String? {
    get { extras.group }
    set { extras.group = newValue }
  }
  /// Words by which people find it: at most 16, of 1 to 64 bytes each.
  package var tags: [String]? {
    get { extras.tags }
    set { extras.tags = newValue }
  }
  /// What it is for, in the client's words: up to 1 KiB.
  package var description: String? {
    get { extras.description }
    set { extras.description = newValue }
  }

  /// The event that leaves instead of its ticks; nil for ticks.
  package var target: Target? {
    get { extras.target?.value }
    set { extras.target = newValue.map { Shared($0) } }
  }

  /// Whether it has a group, tags, a description or a target: most have none, and every tick is asked.
  package var hasExtras: Bool { shared.value.extras != nil }
  package var hasTarget: Bool { shared.value.extras?.target != nil }

  private var extras: Extras {
    get { shared.value.extras ?? Extras() }
    set { shared.value.extras = newValue == Extras() ? nil : newValue }
  }
}

extension Definition: CustomDebugStringConvertible {
  package var debugDescription: String { "\(shared.value)" }
}

/// When a schedule is due. A Schedule Start has exactly one of these four fields.
package enum Timing: Hashable, Sendable {
  /// Whenever the wall clock of the zone matches.
  case cron(CronExpression)
  /// Repeatedly, this far apart.
  case every(DurationExpression)
  /// Once, at an instant.
  case at(Instant)
  /// Once, this long after the event's time.
  case duration(DurationExpression)

  /// Whether it is due only once. Such a schedule ignores limits and misfire policies, and ends without a Stopped.
  package var isOneShot: Bool {
    switch self {
    case .cron, .every: false
    case .at, .duration: true
    }
  }
}

/// What to do with slots of a recurring schedule that were missed while the service or the broker was unavailable.
package enum MisfirePolicy: String, CaseIterable, Sendable {
  /// One tick for the latest missed slot; it counts the earlier ones.
  case fireOnce
  /// One tick for each, oldest first.
  case fireAll
  /// No ticks for missed slots.
  case skip
}

/// What a Start does when a schedule with its id is live.
package enum IfExists: String, CaseIterable, Sendable {
  /// Replaces it; the counter restarts from 0.
  case replace
  /// Replaces it if the definition differs, otherwise leaves it unchanged.
  case replaceIfChanged
  /// Leaves it unchanged.
  case keep
  /// Is rejected.
  case reject
}
