/// A point in wall-clock time: whole milliseconds since 1970-01-01T00:00:00Z. Durations are measured on a monotonic clock
/// instead.
package struct Instant: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  package static func < (left: Instant, right: Instant) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The instant `distance` milliseconds later (earlier if negative), clamped to the range of `Int64`.
  package func advanced(byMilliseconds distance: Int64) -> Instant {
    let (sum, overflow) = milliseconds.addingReportingOverflow(distance)
    guard overflow else { return Instant(milliseconds: sum) }
    return Instant(milliseconds: distance < 0 ? .min : .max)
  }
}
