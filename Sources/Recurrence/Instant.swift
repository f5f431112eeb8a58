/// A moment on the UTC time line: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Wall time only; how long something takes is measured elsewhere, on a monotonic clock.
package struct Instant: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  package static func < (left: Instant, right: Instant) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The instant this many milliseconds later (earlier when negative); stops at the ends of the range instead of overflowing.
  package func advanced(byMilliseconds distance: Int64) -> Instant {
    let (sum, overflow) = milliseconds.addingReportingOverflow(distance)
    guard overflow else { return Instant(milliseconds: sum) }
    return Instant(milliseconds: distance < 0 ? .min : .max)
  }
}
