import Recurrence
import Scheduling

/// A schedule: the fields of its Schedule Start under their names there, and its progress.
struct APISchedule: Encodable {
  struct NextTick: Encodable {
    var slot: String
    /// Slot plus jitter.
    var due: String
    /// Missed slots folded into this tick.
    var missed: Int
  }

  struct Pause: Encodable {
    var since: String
    /// When it ends automatically.
    var until: String?
    var reason: String?
  }

  struct Ended: Encodable {
    var at: String
    var reason: String?
  }

  var id: String
  var state: String
  var cron: String?
  var every: String?
  var at: String?
  var duration: String?
  /// The timing in plain English. The Start's own `description` is `note`: this member was here before it.
  var description: String
  var timezone: String?
  var startDate: String?
  var endDate: String?
  var limit: Int64?
  var jitter: String?
  var misfirePolicy: String?
  var catchupWindow: String?
  var ifExists: String?
  var group: String?
  var tags: [String]?
  /// The `description` of its Start or last Update.
  var note: String?
  var target: APITarget?
  /// Grows with each change of the definition or of the pause.
  var revision: Int64
  /// Ticks sent and confirmed.
  var counter: Int64
  /// Absent while it is held or paused.
  var nextTick: NextTick?
  var pause: Pause?
  var ended: Ended?

  init(_ schedule: Schedule) {
    let definition = schedule.definition
    id = schedule.id.text
    state = schedule.stateName
    switch definition.timing {
    case .cron(let expression): cron = expression.text
    case .every(let interval): every = interval.text
    case .at(let instant): at = instant.rfc3339
    case .duration(let delay): duration = delay.text
    }
    description = definition.timing.description
    timezone = definition.timezone
    startDate = definition.startDate?.rfc3339
    endDate = definition.endDate?.rfc3339
    limit = definition.limit
    jitter = definition.jitter?.text
    misfirePolicy = definition.misfirePolicy?.rawValue
    catchupWindow = definition.catchupWindow?.text
    ifExists = definition.ifExists?.rawValue
    group = definition.group
    tags = definition.tags
    note = definition.description
    target = definition.target.map(APITarget.init)
    revision = schedule.control.revision
    counter = schedule.counter
    nextTick = schedule.comingTick.map {
      NextTick(slot: $0.slot.rfc3339, due: $0.due.rfc3339, missed: $0.missed)
    }
    if schedule.isPaused {
      pause = schedule.control.pause.map {
        Pause(since: $0.since.rfc3339, until: $0.until?.rfc3339, reason: $0.reason)
      }
    }
    ended = schedule.ending.map { Ended(at: $0.at.rfc3339, reason: $0.reason) }
  }
}

/// Body of `/api/v1/schedules/{id}`: one schedule with its origin and delivery results.
struct APIScheduleDetails: Encodable {
  struct Started: Encodable {
    var at: String?
    /// The `user_id` of its Start, validated by the broker.
    var user: String?
    /// The `message_id` of its Start.
    var messageId: String?
  }

  struct Ticks: Encodable {
    struct Last: Encodable {
      var slot: String
      var sentAt: String
      var latenessMilliseconds: Int64
      var confirmMilliseconds: Int64
    }

    var sent: Int64
    var missed: Int
    var repeated: Int
    var nacked: Int
    var unroutable: Int
    var last: Last?
  }

  var schedule: APISchedule
  var started: Started
  var ticks: Ticks
  /// The next slots, of a paused schedule those after the end of its pause. Empty when that is open, the zone is missing,
  /// or the schedule has ended.
  var upcoming: [APISlot]
  /// Why its zone cannot be used on this machine.
  var timezoneError: String?
  /// The Schedule Start event that would start it again; without its payload once it has ended.
  var startEvent: String

  init(_ details: ScheduleDetails, now: Instant, zone: Result<ZoneRules, ExpressionError>) {
    schedule = APISchedule(details.schedule)
    started = Started(
      at: details.history.beginning?.at.rfc3339, user: details.schedule.origin.userID,
      messageId: details.schedule.origin.messageID.map { String(decoding: $0, as: UTF8.self) })
    let tally = details.history.tally
    ticks = Ticks(
      sent: details.schedule.counter, missed: tally.missed, repeated: tally.repeats, nacked: tally.refusals,
      unroutable: tally.returns,
      last: tally.last.map {
        Ticks.Last(
          slot: $0.slot.rfc3339, sentAt: $0.sentAt.rfc3339, latenessMilliseconds: $0.latenessMilliseconds,
          confirmMilliseconds: $0.confirmationMilliseconds)
      })
    startEvent = details.startEvent
    switch zone {
    case .success(let rules):
      upcoming = details.schedule.upcomingSlots(now: now, in: rules).map { APISlot($0, in: rules) }
    case .failure(let error):
      upcoming = []
      timezoneError = error.description
    }
  }
}
