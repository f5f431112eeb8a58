import Recurrence

/// An instant formatted for people: in UTC, in local time, and relative to now.
struct Moment {
  var utc: String
  /// RFC 3339 in the schedule's zone; nil in UTC.
  var local: String?
  var zone: String?
  var relative: String
  /// `2026-11-26 09:30:00`, in UTC.
  var text: String
  /// `Thu 2026-11-26 10:30:00 +01:00`, local time in the zone.
  var wall: String

  init(_ instant: Instant, now: Instant, in zone: ZoneRules? = nil) {
    let zone = zone ?? .utc
    utc = instant.rfc3339
    relative = Self.distance(from: now, to: instant)
    text = instant.pageText
    wall = "\(Self.weekday(of: instant, in: zone)) \(text) UTC"
    if zone.name != ZoneRules.utc.name {
      let local = instant.rfc3339(in: zone)
      self.local = local
      self.zone = zone.name
      wall = "\(Self.weekday(of: instant, in: zone)) \(Self.spaced(local.dropLast(6))) \(local.suffix(6))"
    }
  }

  /// A duration, rounded: `250 ms`, `2.5 s`, `24 s`, `5 min`. The script of the pages does the same.
  static func text(milliseconds: Int64) -> String {
    let sign = milliseconds < 0 ? "-" : ""
    let size = milliseconds.magnitude
    func rounded(to unit: UInt64) -> UInt64 { (size + unit / 2) / unit }
    switch size {
    case 0..<1000: return "\(sign)\(size) ms"
    case 1000..<9_950:
      let tenths = rounded(to: 100)
      return tenths % 10 == 0 ? "\(sign)\(tenths / 10) s" : "\(sign)\(tenths / 10).\(tenths % 10) s"
    case 9_950..<119_500: return "\(sign)\(rounded(to: 1000)) s"
    case 119_500..<7_170_000: return "\(sign)\(rounded(to: 60_000)) min"
    default: return "\(sign)\(size / 3_600_000 + (size % 3_600_000 < 1_800_000 ? 0 : 1)) h"
    }
  }

  /// `in 5 minutes`, `3 hours ago`: the largest unit with a count of at least two.
  static func distance(from now: Instant, to instant: Instant) -> String {
    let (milliseconds, overflow) = instant.milliseconds.subtractingReportingOverflow(now.milliseconds)
    guard !overflow else { return instant < now ? "long ago" : "in the far future" }
    let seconds = milliseconds.magnitude / 1000
    guard seconds > 0 else { return "now" }
    let units: [(seconds: UInt64, name: String)] = [(86_400, "days"), (3600, "hours"), (60, "minutes")]
    let unit = units.first { seconds >= 2 * $0.seconds } ?? (1, seconds == 1 ? "second" : "seconds")
    let text = "\(seconds / unit.seconds) \(unit.name)"
    return milliseconds < 0 ? "\(text) ago" : "in \(text)"
  }

  /// The weekday of the local date. 1970 began on a Thursday.
  private static func weekday(of instant: Instant, in zone: ZoneRules) -> String {
    let seconds = instant.milliseconds / 1000 + Int64(zone.offsetSeconds(at: instant))
    let days = Int(seconds / 86_400) - (seconds % 86_400 < 0 ? 1 : 0)
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    return names[(days % 7 + 7) % 7]
  }

  /// Date and time separated by a space; a zero fraction is dropped.
  fileprivate static func spaced(_ time: Substring) -> String {
    let time = time.hasSuffix(".000") ? time.dropLast(4) : time
    return String(time.replacing("T", with: " "))
  }
}

extension Instant {
  /// `2026-11-26 09:30:00`, in UTC; with milliseconds unless they are zero.
  var pageText: String { Moment.spaced(rfc3339.dropLast(1)) }
}
