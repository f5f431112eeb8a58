import Recurrence
import Scheduling

/// The page of one schedule, and its JSON.
struct SchedulePage: Encodable {
  var title: String
  var schedule: ScheduleRow
  /// A Schedule Start that would make it again.
  var startEvent: String
  /// The `message_id` of its Start, its login, and when that was.
  var startedBy: String?
  var startedByUser: String?
  var started: Moment?
  var ticks: Ticks
  var upcoming: [SlotRow]
  /// Why there are no slots to show, if there should be.
  var zoneTrouble: String?
  /// Events of this id, newest first, as far as they are remembered.
  var recent: [EventRow]
  /// Whether it can be stopped and started again.
  var canChange: Bool
  var hasEnded: Bool
  /// What came of a form that was sent.
  var notice: String?

  /// What became of its ticks.
  struct Ticks: Encodable {
    struct Last: Encodable {
      var slot: Moment
      var sent: Moment
      var latenessMilliseconds: Int64
      var confirmMilliseconds: Int64
    }

    var sent: Int64
    var missed: Int
    var repeated: Int
    var nacked: Int
    var returned: Int
    var last: Last?
  }

  static let upcomingCount = 10

  init(
    _ details: ScheduleDetails, now: Instant, zone: Result<ZoneRules, ExpressionError>, recent: [RecentEvents.Entry],
    allowsChanges: Bool, sent: SentCommand? = nil
  ) {
    let schedule = details.schedule
    title = schedule.id.text
    self.schedule = ScheduleRow(schedule, now: now, in: try? zone.get())
    startEvent = details.startEvent
    startedBy = schedule.origin.messageID.map { String(decoding: $0, as: UTF8.self) }
    startedByUser = details.history.beginning?.userID
    started = details.history.beginning.map { Moment($0.at, now: now) }
    ticks = Ticks(details.history.tally, sent: schedule.counter, now: now)
    switch zone {
    case .success(let rules): upcoming = Self.upcoming(schedule, now: now, in: rules)
    case .failure(let error):
      upcoming = []
      zoneTrouble = error.description
    }
    let own = recent.reversed().filter { $0.event.id == schedule.id }
    self.recent = own.prefix(20).map { EventRow($0, now: now) }
    hasEnded = schedule.pending == nil
    canChange = allowsChanges && !hasEnded
    notice = sent?.notice
  }

  private static func upcoming(_ schedule: Schedule, now: Instant, in zone: ZoneRules) -> [SlotRow] {
    guard let pending = schedule.pending, !pending.isHeld else { return [] }
    let first = pending.slot
    var count = upcomingCount
    if !schedule.definition.timing.isOneShot, let limit = schedule.definition.limit, limit > 0 {
      count = min(count, Int(clamping: limit - schedule.counter))
    }
    var slots = [first]
    while slots.count < count, !schedule.definition.timing.isOneShot,
      let next = schedule.definition.nextSlot(after: slots[slots.count - 1], in: zone)
    {
      slots.append(next)
    }
    return zone.listed(slots, after: min(now, first)).map { SlotRow($0, now: now, in: zone) }
  }
}

extension SchedulePage.Ticks {
  init(_ tally: Schedule.Tally, sent: Int64, now: Instant) {
    self.init(
      sent: sent, missed: tally.missed, repeated: tally.repeats, nacked: tally.refusals, returned: tally.returns,
      last: tally.last.map { last in
        Last(
          slot: Moment(last.slot, now: now), sent: Moment(last.sentAt, now: now),
          latenessMilliseconds: last.latenessMilliseconds, confirmMilliseconds: last.confirmationMilliseconds)
      })
  }
}

/// What someone has just had published by a form, named in the address to which the form leads.
enum SentCommand: String {
  case stop, start

  var notice: String {
    switch self {
    case .stop: "Schedule Stop is published. Reload to see what came of it."
    case .start: "Schedule Start is published. Reload to see what came of it."
    }
  }
}

/// The page that shows what an expression means, and its JSON.
struct PreviewPage: Encodable {
  var title = "Preview"
  var expression: String
  var zone: String
  var words: String?
  var slots: [SlotRow] = []
  /// What changes of the clocks within a year do to it.
  var clockChanges: [String] = []
  /// As the command line says it.
  var error: String?
  var isAsked: Bool

  private static let yearMilliseconds: Int64 = 366 * 86_400_000

  init(expression: String, zone: String, now: Instant, rules: (String) throws(ExpressionError) -> ZoneRules) {
    self.expression = expression
    self.zone = zone
    isAsked = !expression.isEmpty
    guard isAsked else { return }
    do throws(ExpressionError) {
      let cron = try CronExpression(expression)
      let rules = zone.isEmpty ? ZoneRules.utc : try rules(zone)
      words = cron.words
      slots = rules.listed(cron.slots(after: now, count: SchedulePage.upcomingCount, in: rules), after: now)
        .map { SlotRow($0, now: now, in: rules) }
      clockChanges = cron.clockChangeEffects(
        after: now, through: now.advanced(byMilliseconds: Self.yearMilliseconds), in: rules
      ).map { "\(Moment($0.transition.instant, now: now, in: rules).wall): \($0.words)" }
    } catch {
      self.error = error.description
    }
  }
}

/// The page of what happened of late, and its JSON.
struct RecentPage: Encodable {
  var title = "Recent"
  /// The number of the newest event, from which on more can be asked for.
  var last: Int
  var events: [EventRow]
  var isEmpty: Bool

  init(_ entries: [RecentEvents.Entry], last: Int, now: Instant) {
    self.last = entries.last?.number ?? last
    events = entries.reversed().map { EventRow($0, now: now) }
    isEmpty = entries.isEmpty
  }
}
