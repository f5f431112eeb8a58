/// A moment at which a zone's clocks are changed.
package struct ZoneTransition: Hashable, Sendable {
  /// The first instant with the new offset.
  package let instant: Instant

  /// How far the wall clock was ahead of UTC until then, in seconds.
  package let oldOffsetSeconds: Int

  /// How far it is ahead from then on, in seconds.
  package let newOffsetSeconds: Int

  init(before: ZonePeriod, after: ZonePeriod) {
    instant = Instant(milliseconds: Int64(after.start) * 1000)
    oldOffsetSeconds = before.offset
    newOffsetSeconds = after.offset
  }
}
