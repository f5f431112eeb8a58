import Recurrence
import Scheduling

/// The page of one schedule.
struct SchedulePage {
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
  /// The result of a form that was sent.
  var notice: String?

  /// Delivery results.
  struct Ticks {
    struct Last {
      var slot: Moment
      var sent: Moment
      var lateness: String
      var confirmed: String
    }

    var sent: Int64
    var missed: Int
    var repeated: Int
    var nacked: Int
    var unroutable: Int
    var last: Last?
  }

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
    case .success(let rules):
      upcoming = schedule.upcomingSlots(now: now, in: rules).map { SlotRow($0, now: now, in: rules) }
      if let next = schedule.nextTick, next.due != next.slot, !upcoming.isEmpty {
        upcoming[0].at.relative = "due " + Moment.distance(from: now, to: next.due)
      }
    case .failure(let error):
      upcoming = []
      zoneTrouble = error.description
    }
    let own = recent.reversed().filter { $0.event.id == schedule.id }
    self.recent = own.prefix(20).map { EventRow($0, now: now) }
    hasEnded = schedule.nextTick == nil
    canChange = allowsChanges && !hasEnded
    notice = sent?.notice
  }
}

extension SchedulePage.Ticks {
  init(_ tally: Schedule.Tally, sent: Int64, now: Instant) {
    self.init(
      sent: sent, missed: tally.missed, repeated: tally.repeats, nacked: tally.refusals, unroutable: tally.returns,
      last: tally.last.map { last in
        Last(
          slot: Moment(last.slot, now: now), sent: Moment(last.sentAt, now: now),
          lateness: Moment.text(milliseconds: last.latenessMilliseconds),
          confirmed: Moment.text(milliseconds: last.confirmationMilliseconds))
      })
  }
}

/// What someone has just had published by a form, named in the address to which the form leads.
enum SentCommand: String {
  case stop, start

  var notice: String {
    switch self {
    case .stop: "Schedule Stop is published. Reload to see its outcome."
    case .start: "Schedule Start is published. Reload to see its outcome."
    }
  }
}

/// The page that shows what an expression means.
struct PreviewPage {
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

  init(expression: String, zone: String, now: Instant, rules: (String) throws(ExpressionError) -> ZoneRules) {
    self.expression = expression
    self.zone = zone
    isAsked = !expression.isEmpty
    guard isAsked else { return }
    do throws(ExpressionError) {
      let preview = try CronPreview(expression, zone: zone, now: now, rules: rules)
      words = preview.expression.words
      slots = preview.slots.map { SlotRow($0, now: now, in: preview.zone) }
      clockChanges = preview.clockChanges.map {
        "\(Moment($0.transition.instant, now: now, in: preview.zone).wall): \($0.words)"
      }
    } catch {
      self.error = error.description
    }
  }
}

/// The page of recent events.
struct RecentPage {
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
