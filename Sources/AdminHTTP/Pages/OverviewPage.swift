import Recurrence
import Scheduling

/// The first page, and `/api/v1/overview`.
struct OverviewPage: Encodable {
  struct Part: Encodable {
    var name: String
    var isWell: Bool
    var words: String
  }

  struct Total: Encodable {
    var name: String
    var value: Int64
    // For the page.
    var isZero: Bool
    /// `1,234,567`.
    var text: String

    private enum CodingKeys: CodingKey {
      case name, value
    }

    init(name: String, value: Int64) {
      (self.name, self.value) = (name, value)
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

  struct Lateness: Encodable {
    var median: Int64
    var worstInHundred: Int64
  }

  var title = "Overview"
  var state: String
  var isReady: Bool
  var version: String
  var now: String
  var started: Moment
  var parts: [Part]
  var schedules: [String: Int]
  // For the page.
  var live: String
  var ended: String
  var dueWithinMinute: String
  var dueWithinHour: String
  var nextDue: Moment?
  var latenessMilliseconds: Lateness?
  var totals: [Total]
  /// What people look for first: missed, rejected, returned, given up; newest first.
  var troubles: [EventRow]

  private enum CodingKeys: CodingKey {
    case title, state, isReady, version, now, started, parts, schedules, dueWithinMinute, dueWithinHour, nextDue
    case latenessMilliseconds, totals, troubles
  }

  init(_ overview: Overview, _ status: AdminStatus, troubles: [RecentEvents.Entry]) {
    isReady = status.isAlive && status.obstacle == nil
    state =
      !status.isAlive ? "engine stalled" : status.obstacle.map { "not ready: \($0)" } ?? "ready"
    version = overview.version
    now = status.now.rfc3339
    started = Moment(overview.startedAt, now: status.now)
    parts = overview.parts.map { Part(name: $0.name, isWell: $0.isWell, words: $0.words) }
    schedules = ["live": overview.counts.live, "ended": overview.counts.ended]
    live = Total.grouped(Int64(overview.counts.live))
    ended = Total.grouped(Int64(overview.counts.ended))
    dueWithinMinute = overview.dueWithinMinute.text
    dueWithinHour = overview.dueWithinHour.text
    nextDue = overview.nextDue.map { Moment($0, now: status.now) }
    latenessMilliseconds = overview.lateness.map { Lateness(median: $0.median, worstInHundred: $0.worstInHundred) }
    totals = overview.totals.map { Total(name: $0.name, value: $0.value) }
    self.troubles = troubles.reversed().prefix(20).map { EventRow($0, now: status.now) }
  }
}
