import Recurrence

/// An instant as people read it: in UTC, on the wall clock of a zone, and seen from now.
struct Moment: Encodable {
  var utc: String
  /// On the wall clock of the schedule's zone, with its offset; nil where that is UTC.
  var local: String?
  var zone: String?
  var relative: String

  init(_ instant: Instant, now: Instant, in zone: ZoneRules? = nil) {
    utc = instant.rfc3339
    if let zone, zone.name != ZoneRules.utc.name {
      local = instant.rfc3339(in: zone)
      self.zone = zone.name
    }
    relative = Self.distance(from: now, to: instant)
  }

  /// `in 5 min`, `3 h ago`; the largest unit of which there are two or more.
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
}
