/// A clock change in a zone.
package struct ZoneTransition: Hashable, Sendable {
  /// The first instant with the new offset.
  package let instant: Instant

  /// The offset before it, in seconds ahead of UTC.
  package let oldOffsetSeconds: Int

  /// The offset after it, in seconds ahead of UTC.
  package let newOffsetSeconds: Int

  init(before: ZonePeriod, after: ZonePeriod) {
    instant = Instant(milliseconds: Int64(after.start) * 1000)
    oldOffsetSeconds = before.offset
    newOffsetSeconds = after.offset
  }
}
