package import Recurrence

/// What a client asked for in its Schedule Start: the fields it sent, no more, since ticks and outcomes echo them.
package struct Definition: Hashable, Sendable {
  package var id: ScheduleID
  package var timing: Timing
  /// The number of ticks after which the schedule ends, as sent: 0 to 2^53 - 1; 0 and nil both mean no limit.
  package var limit: Int64?
  /// The IANA name of the zone in which a cron expression is read; nil is UTC.
  package var timezone: String?
  /// No slot before this instant.
  package var startDate: Instant?
  /// No slot after this instant.
  package var endDate: Instant?
  /// How much later than its slot a tick may be sent.
  package var jitter: DurationExpression?
  /// What becomes of missed slots; nil is `fireOnce`.
  package var misfirePolicy: MisfirePolicy?
  /// Missed slots older than this are not sent; nil is no bound, with `fireAll` 24 hours.
  package var catchupWindow: DurationExpression?
  /// What the Start does when the id is live; nil is `replace`.
  package var ifExists: IfExists?
  /// The bytes of any JSON value, exactly as they were received.
  package var payload: [UInt8]?

  package init(
    id: ScheduleID, timing: Timing, limit: Int64? = nil, timezone: String? = nil, startDate: Instant? = nil,
    endDate: Instant? = nil, jitter: DurationExpression? = nil, misfirePolicy: MisfirePolicy? = nil,
    catchupWindow: DurationExpression? = nil, ifExists: IfExists? = nil, payload: [UInt8]? = nil
  ) {
    self.id = id
    self.timing = timing
    self.limit = limit
    self.timezone = timezone
    self.startDate = startDate
    self.endDate = endDate
    self.jitter = jitter
    self.misfirePolicy = misfirePolicy
    self.catchupWindow = catchupWindow
    self.ifExists = ifExists
    self.payload = payload
  }
}

/// When a schedule is due: one of the four fields of which a Schedule Start has exactly one.
package enum Timing: Hashable, Sendable {
  /// Whenever the wall clock of the zone matches.
  case cron(CronExpression)
  /// Again and again, this long apart.
  case every(DurationExpression)
  /// Once, at an instant.
  case at(Instant)
  /// Once, this long after the event's time.
  case duration(DurationExpression)

  /// Whether it is due once only: such a schedule ignores limits, is never held for missed, and ends without a word.
  package var isOneShot: Bool {
    switch self {
    case .cron, .every: false
    case .at, .duration: true
    }
  }
}

/// What becomes of the slots of a recurring schedule that were missed while the service or the broker was away.
package enum MisfirePolicy: String, CaseIterable, Sendable {
  /// One tick for the latest of them, which says how many earlier ones it stands for.
  case fireOnce
  /// A tick for each, oldest first.
  case fireAll
  /// None for those.
  case skip
}

/// What a Start does when a schedule of its id is live.
package enum IfExists: String, CaseIterable, Sendable {
  /// Takes its place and counts from 0.
  case replace
  /// The same, unless the definition is the same: then nothing happens.
  case replaceIfChanged
  /// Leaves it as it is.
  case keep
  /// Is refused.
  case reject
}
