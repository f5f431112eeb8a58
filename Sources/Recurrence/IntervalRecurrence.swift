/// A fixed interval: slots at `anchor` and at multiples of the interval after it, in UTC.
package struct IntervalRecurrence: Hashable, Sendable {
  /// The first slot. Later slots keep their phase relative to it.
  package let anchor: Instant

  /// At least 1.
  package let everyMilliseconds: Int64

  /// `nil` if the interval is not positive.
  package init?(anchor: Instant, everyMilliseconds: Int64) {
    guard everyMilliseconds >= 1 else { return nil }
    self.anchor = anchor
    self.everyMilliseconds = everyMilliseconds
  }

  /// The first slot after `instant`; `nil` if it is out of range.
  package func next(after instant: Instant) -> Instant? {
    guard let latest = latest(atOrBefore: instant) else { return anchor }
    let (next, overflow) = latest.milliseconds.addingReportingOverflow(everyMilliseconds)
    return overflow ? nil : Instant(milliseconds: next)
  }

  /// The last slot at or before `instant`; `nil` before the first slot.
  package func latest(atOrBefore instant: Instant) -> Instant? {
    guard instant >= anchor else { return nil }
    let elapsed = Int128(instant.milliseconds) - Int128(anchor.milliseconds)
    return Instant(milliseconds: instant.milliseconds - Int64(elapsed % Int128(everyMilliseconds)))
  }

  /// The number of slots after `start` and at or before `end`, at most `bound`.
  package func slotCount(after start: Instant, through end: Instant, upTo bound: Int) -> Int {
    guard let first = next(after: start), first <= end else { return 0 }
    let count = (Int128(end.milliseconds) - Int128(first.milliseconds)) / Int128(everyMilliseconds) + 1
    return Int(min(count, Int128(max(bound, 0))))
  }
}
