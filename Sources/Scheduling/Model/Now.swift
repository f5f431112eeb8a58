package import Recurrence

/// Readings of the two clocks: the wall clock says *when*, the monotonic clock says *how long*.
///
/// They are never converted into each other: the wall clock may be set, the monotonic clock only advances.
package struct Now: Hashable, Sendable {
  package var wall: Instant
  /// Milliseconds of a monotonic clock with an arbitrary origin.
  package var uptime: Int64

  package init(wall: Instant, uptime: Int64) {
    self.wall = wall
    self.uptime = uptime
  }
}
