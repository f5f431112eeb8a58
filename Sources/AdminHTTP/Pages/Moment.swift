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

  /// `250 ms`, `2.5 s`, `24 s`, `5 min`.
  static func text(milliseconds: Int64) -> String {
    switch milliseconds.magnitude {
    case 0..<1000: return "\(milliseconds) ms"
    case 1000..<10_000:
      let tenths = milliseconds / 100
      return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths.magnitude % 10) s"
    case 10_000..<120_000: return "\(milliseconds / 1000) s"
    case 120_000..<7_200_000: return "\(milliseconds / 60_000) min"
    default: return "\(milliseconds / 3_600_000) h"
    }
  }

  /// `in 5 min`, `3 h ago`: the largest unit with a count of at least two.
  static func distance(from now: Instant, to instant: Instant) -> String {
    let (milliseconds, overflow) = instant.milliseconds.subtractingReportingOverflow(now.milliseconds)
    guard !overflow else { return instant < now ? "long ago" : "in ages" }
    let seconds = milliseconds.magnitude / 1000
    guard seconds > 0 else { return "now" }
    let units: [(UInt64, String)] = [(2 * 86_400, "days"), (2 * 3600, "h"), (120, "min"), (0, "s")]
    let sizes: [String: UInt64] = ["days": 86_400, "h": 3600, "min": 60, "s": 1]
    let unit = units.first { seconds >= $0.0 }?.1 ?? "s"
    let text = "\(seconds / (sizes[unit] ?? 1)) \(unit)"
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
