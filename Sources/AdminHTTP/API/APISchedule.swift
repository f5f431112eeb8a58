import Recurrence
import Scheduling

/// A schedule: the members of its Schedule Start under their names there, and how far it is.
struct APISchedule: Encodable {
  struct NextTick: Encodable {
    /// The nominal instant.
    var slot: String
    /// When it leaves: the slot, plus jitter.
    var due: String
    /// Earlier slots that it stands for.
    var missed: Int
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
  /// What these mean, in words.
  var description: String
  var timezone: String?
  var startDate: String?
  var endDate: String?
  var limit: Int64?
  var jitter: String?
  var misfirePolicy: String?
  var catchupWindow: String?
  var ifExists: String?
  /// Ticks sent and confirmed.
  var counter: Int64
  var nextTick: NextTick?
  var ended: Ended?

  init(_ schedule: Schedule) {
    let definition = schedule.definition
    id = schedule.id.text
    state = schedule.nextTick.map { $0.isHeld ? "held" : "live" } ?? "ended"
    switch definition.timing {
    case .cron(let expression): cron = expression.text
    case .every(let interval): every = interval.text
    case .at(let instant): at = instant.rfc3339
    case .duration(let delay): duration = delay.text
    }
    description = definition.timing.words
    timezone = definition.timezone
    startDate = definition.startDate?.rfc3339
    endDate = definition.endDate?.rfc3339
    limit = definition.limit
    jitter = definition.jitter?.text
    misfirePolicy = definition.misfirePolicy?.rawValue
    catchupWindow = definition.catchupWindow?.text
    ifExists = definition.ifExists?.rawValue
    counter = schedule.counter
    if let next = schedule.nextTick, !next.isHeld {
      nextTick = NextTick(slot: next.slot.rfc3339, due: next.due.rfc3339, missed: next.missed)
    }
    ended = schedule.ending.map { Ended(at: $0.at.rfc3339, reason: $0.reason) }
  }
}

/// One schedule, with how it began and what became of its ticks.
struct APIScheduleDetails: Encodable {
  struct Started: Encodable {
    var at: String?
    /// The login that sent its Start, as the broker validated it.
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
  /// The next slots; none where the zone is missing, or the schedule has ended.
  var upcoming: [APISlot]
  /// What is wrong with its zone on this machine.
  var timezoneError: String?
  /// The text of the Schedule Start event that would make it again; without a payload where it has ended.
  var startEvent: String

  init(_ details: ScheduleDetails, now: Instant, zone: Result<ZoneRules, ExpressionError>) {
    schedule = APISchedule(details.schedule)
    started = Started(
      at: details.history.beginning?.at.rfc3339, user: details.history.beginning?.userID,
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
