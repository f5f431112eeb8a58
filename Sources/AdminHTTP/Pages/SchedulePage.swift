import Recurrence
import Scheduling

/// The page of one schedule.
struct SchedulePage {
  var title: String
  var schedule: ScheduleRow
  /// Its description, in the client's words.
  var note: String?
  /// Lists of its group, and of those with each of its tags.
  var group: Label?
  var tags: [Label]
  var hasTags: Bool
  /// What it publishes instead of its tick, and where.
  var target: TargetRow?
  var revision: Int64
  /// The Schedule Start event that would start it again.
  var startEvent: String
  /// `message_id`, login and time of its Start.
  var startedBy: String?
  var startedByUser: String?
  var started: Moment?
  var ticks: Ticks
  var upcoming: [SlotRow]
  /// Why its next slots cannot be computed.
  var zoneError: String?
  /// Recent events of this id, newest first.
  var recent: [EventRow]
  /// Whether the page offers to stop, restart, pause, resume and trigger it.
  var canChange: Bool
  var isPaused: Bool
  /// Ways to resume it.
  var resumePolicies: [SchedulesPage.Option]
  var hasEnded: Bool
  /// The result of the form that led here.
  var notice: String?

  /// A name that schedules share, with the link to their list.
  struct Label {
    var text: String
    var link: String

    init(_ parameter: String, _ text: String) {
      self.text = text
      link = "/schedules?\(parameter)=\(percentEncoded(text))"
    }
  }

  /// Parts of a target, in words where the client sent none.
  struct TargetRow {
    var event, exchange, key: String

    init(_ target: Target) {
      event = target.body == .payload ? "its payload" : target.detailType ?? ""
      exchange = target.exchange ?? "the event bus"
      key = target.key
    }
  }

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
    var duplicates: Int
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
    let definition = schedule.definition
    note = definition.description
    group = definition.group.map { Label("group", $0) }
    tags = (definition.tags ?? []).map { Label("tag", $0) }
    hasTags = !tags.isEmpty
    target = definition.target.map(TargetRow.init)
    revision = schedule.control.revision
    startEvent = details.startEvent
    startedBy = schedule.origin.messageID.map { String(decoding: $0, as: UTF8.self) }
    startedByUser = details.schedule.origin.userID
    started = details.history.beginning.map { Moment($0.at, now: now) }
    ticks = Ticks(details.history.tally, sent: schedule.counter, now: now)
    switch zone {
    case .success(let rules):
      upcoming = schedule.upcomingSlots(now: now, in: rules).map { SlotRow($0, now: now, in: rules) }
      if let next = schedule.comingTick, next.due != next.slot, !upcoming.isEmpty {
        upcoming[0].at.relative = "due " + Moment.distance(from: now, to: next.due)
      }
    case .failure(let error):
      upcoming = []
      zoneError = error.description
    }
    let own = recent.reversed().filter { $0.event.id == schedule.id }
    self.recent = own.prefix(20).map { EventRow($0, now: now) }
    hasEnded = schedule.nextTick == nil
    isPaused = schedule.isPaused
    canChange = allowsChanges && !hasEnded
    resumePolicies = Self.resumePolicies
    notice = sent?.notice
  }
}

extension SchedulePage {
  static let resumePolicies = MisfirePolicy.allCases.map {
    SchedulesPage.Option(value: $0.rawValue, isChosen: $0 == .skip)
  }
}

extension SchedulePage.Ticks {
  init(_ tally: Schedule.Tally, sent: Int64, now: Instant) {
    self.init(
      sent: sent, missed: tally.missed, duplicates: tally.repeats, nacked: tally.refusals, unroutable: tally.returns,
      last: tally.last.map { last in
        Last(
          slot: Moment(last.slot, now: now), sent: Moment(last.sentAt, now: now),
          lateness: Moment.text(milliseconds: last.latenessMilliseconds),
          confirmed: Moment.text(milliseconds: last.confirmationMilliseconds))
      })
  }
}

/// The command that a form has just published; the redirect after the form names it in its URL.
enum SentCommand: String {
  case stop, start, pause, resume, trigger

  var notice: String { "\(event.rawValue) published. Reload to see its outcome." }

  private var event: EventName {
    switch self {
    case .stop: .stop
    case .start: .start
    case .pause: .pause
    case .resume: .resume
    case .trigger: .trigger
    }
  }
}

/// The preview of a cron expression.
struct PreviewPage {
  var title = "Preview"
  var expression: String
  var zone: String
  var description: String?
  var slots: [SlotRow] = []
  /// Effects of the clock changes of the next year.
  var clockChanges: [String] = []
  /// Same wording as on the command line.
  var error: String?
  var isAsked: Bool

  init(expression: String, zone: String, now: Instant, rules: (String) throws(ExpressionError) -> ZoneRules) {
    self.expression = expression
    self.zone = zone
    isAsked = !expression.isEmpty
    guard isAsked else { return }
    do throws(ExpressionError) {
      let preview = try CronPreview(expression, zone: zone, now: now, rules: rules)
      description = preview.expression.explanation
      slots = preview.slots.map { SlotRow($0, now: now, in: preview.zone) }
      clockChanges = preview.clockChanges.map {
        "\(Moment($0.transition.instant, now: now, in: preview.zone).wall): \($0.explanation)"
      }
    } catch {
      self.error = error.description
    }
  }
}

/// The page of recent events.
struct RecentPage {
  var title = "Recent"
  /// The number of the newest event; the live stream continues after it.
  var last: Int
  var events: [EventRow]
  var isEmpty: Bool

  init(_ entries: [RecentEvents.Entry], last: Int, now: Instant) {
    self.last = entries.last?.number ?? last
    events = entries.reversed().map { EventRow($0, now: now) }
    isEmpty = entries.isEmpty
  }
}
