import Recurrence
import Scheduling

/// The overview, the start page.
struct OverviewPage {
  struct Part {
    var name: String
    var isHealthy: Bool
    var message: String
  }

  struct Total {
    var name: String
    var isZero: Bool
    /// `1,234,567`.
    var text: String

    init(name: String, value: Int64) {
      self.name = name
      isZero = value == 0
      text = Self.grouped(value)
    }

    fileprivate static func grouped(_ value: Int64) -> String {
      var text = String(value)
      var index = text.endIndex
      while let cut = text.index(index, offsetBy: -3, limitedBy: text.startIndex), cut > text.startIndex {
        text.insert(",", at: cut)
        index = cut
      }
      return text
    }
  }

  struct Lateness {
    var p50: String
    var p99: String
  }

  var title = "Overview"
  var state: String
  var isReady: Bool
  var version: String
  var now: Moment
  var started: Moment
  var parts: [Part]
  var live: String
  /// How many of the live ones are paused; nil for none.
  var paused: String?
  var ended: String
  var dueWithinMinute: String
  var dueWithinHour: String
  var nextDue: Moment?
  var lateness: Lateness?
  var totals: [Total]
  /// Missed, rejected, unroutable, nacked, expired; newest first.
  var problems: [EventRow]

  init(_ overview: Overview, _ status: AdminStatus, problems: [RecentEvents.Entry]) {
    isReady = status.reason == nil
    state = status.reason.map { "not ready: \($0)" } ?? "ready"
    version = overview.version
    now = Moment(status.now, now: status.now)
    started = Moment(overview.startedAt, now: status.now)
    parts = overview.parts.map { Part(name: $0.name, isHealthy: $0.isHealthy, message: $0.message) }
    live = Total.grouped(Int64(overview.counts.live))
    paused = overview.counts.paused == 0 ? nil : Total.grouped(Int64(overview.counts.paused))
    ended = Total.grouped(Int64(overview.counts.ended))
    dueWithinMinute = overview.dueWithinMinute.text
    dueWithinHour = overview.dueWithinHour.text
    nextDue = overview.nextDue.map { Moment($0, now: status.now) }
    lateness = overview.lateness.map {
      Lateness(
        p50: Moment.text(milliseconds: $0.p50), p99: Moment.text(milliseconds: $0.p99))
    }
    totals = overview.totals.map { Total(name: $0.name, value: $0.value) }
    self.problems = problems.reversed().prefix(20).map { EventRow($0, now: status.now) }
  }
}
