/// A fixed interval: a slot at `anchor` and then every so often, counted on the UTC line.
package struct IntervalRecurrence: Hashable, Sendable {
  /// The first slot. Later ones keep their phase to it, whatever the service did in between.
  package let anchor: Instant

  /// At least 1.
  package let everyMilliseconds: Int64

  /// `nil` if the interval is not positive.
  package init?(anchor: Instant, everyMilliseconds: Int64) {
    guard everyMilliseconds >= 1 else { return nil }
    self.anchor = anchor
    self.everyMilliseconds = everyMilliseconds
  }

  /// The first slot strictly after `instant`; `nil` when time runs out.
  package func next(after instant: Instant) -> Instant? {
    guard let latest = latest(atOrBefore: instant) else { return anchor }
    let (next, overflow) = latest.milliseconds.addingReportingOverflow(everyMilliseconds)
    return overflow ? nil : Instant(milliseconds: next)
  }

  /// The last slot at or before `instant`; `nil` before the first.
  package func latest(atOrBefore instant: Instant) -> Instant? {
    guard instant >= anchor else { return nil }
    let elapsed = Int128(instant.milliseconds) - Int128(anchor.milliseconds)
    return Instant(milliseconds: instant.milliseconds - Int64(elapsed % Int128(everyMilliseconds)))
  }

  /// How many slots lie after `start` and at or before `end`, counted no further than `bound`.
  package func slotCount(after start: Instant, through end: Instant, upTo bound: Int) -> Int {
    guard let first = next(after: start), first <= end else { return 0 }
    let count = (Int128(end.milliseconds) - Int128(first.milliseconds)) / Int128(everyMilliseconds) + 1
    return Int(min(count, Int128(max(bound, 0))))
  }
}
