/// A stretch of time in which a zone keeps one offset.
struct ZonePeriod: Hashable, Sendable {
  /// Its first second since 1970 UTC.
  let start: Int

  /// Seconds that the wall clock is ahead of UTC.
  let offset: Int

  /// The furthest the wall clock had come when the period began (exclusive), in seconds since 1970-01-01T00:00: what it shows
  /// below this is shown again, and what lies between this and `wallStart` is skipped.
  let wallMark: Int

  /// What the wall clock shows first in this period.
  var wallStart: Int { start + offset }
}
