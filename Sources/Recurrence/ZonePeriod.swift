/// A period in which a zone has one offset.
struct ZonePeriod: Hashable, Sendable {
  /// Its first second, since 1970 UTC.
  let start: Int

  /// In seconds ahead of UTC.
  let offset: Int

  /// The furthest wall-clock time reached before the period (exclusive), in seconds since 1970-01-01T00:00. Times before it are
  /// repeated in this period; times between it and `wallStart` are skipped.
  let wallMark: Int

  /// The first wall-clock time of the period.
  var wallStart: Int { start + offset }
}
