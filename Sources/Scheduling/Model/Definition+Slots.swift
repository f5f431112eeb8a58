package import Recurrence

/// Computes slots from a definition. Pure: the time zone's rules and the time are parameters.
extension Definition {
  /// Whether its slots depend on the rules of a time zone, which may change.
  package var followsZone: Bool {
    guard timezone != nil, case .cron = timing else { return false }
    return true
  }

  var isCron: Bool {
    if case .cron = timing { true } else { false }
  }

  /// The first tick of a Start that is applied at `arrival`; nil if it has none, which is a rejection.
  ///
  /// - Parameter time: The event's own time; nil if it had none. A time in the future counts as `arrival`.
  package func firstTick(arrival: Instant, time: Instant?, in zone: ZoneRules) -> Schedule.NextTick? {
    firstSlot(arrival: arrival, time: time, in: zone).map { nextTick($0, since: searchStart(arrival), in: zone) }
  }

  /// The tick of a slot that was found by a search after `since`.
  func nextTick(_ slot: Instant, since: Instant, in zone: ZoneRules) -> Schedule.NextTick {
    let due = due(of: slot, in: zone)
    assert(due >= slot, "jitter delays")
    return Schedule.NextTick(slot: slot, due: due, since: followsZone ? since : nil)
  }

  /// Where the search for the first slot starts.
  private func searchStart(_ arrival: Instant) -> Instant {
    max(arrival, startDate?.advanced(byMilliseconds: -1) ?? arrival)
  }

  /// The first slot of a Start that is applied at `arrival`; nil if it has none, which is a rejection.
  ///
  /// - Parameter time: The event's own time; nil if it had none. A time in the future counts as `arrival`.
  package func firstSlot(arrival: Instant, time: Instant?, in zone: ZoneRules) -> Instant? {
    let eventTime = min(time ?? arrival, arrival)
    let first: Instant?
    switch timing {
    case .cron(let expression):
      first = expression.next(after: searchStart(arrival), in: zone)
    case .every(let interval):
      // The start date is a slot itself; the event's time is one interval before the first.
      let anchor = startDate ?? eventTime.advanced(byMilliseconds: interval.milliseconds)
      first = interval.recurrence(from: anchor)?.next(after: arrival)
    case .at(let instant):
      first = instant
    case .duration(let delay):
      first = eventTime.advanced(byMilliseconds: delay.milliseconds)
    }
    return first.flatMap { isWithinDates($0) ? $0 : nil }
  }

  /// The slot after a slot; nil when that was the last.
  package func nextSlot(after slot: Instant, in zone: ZoneRules) -> Instant? {
    unboundedNextSlot(after: slot, in: zone).flatMap { isWithinDates($0) ? $0 : nil }
  }

  /// The first slot after `instant`, if it is before `slot`, which is itself a slot; nil for a one-shot.
  func firstSlot(after instant: Instant, before slot: Instant, in zone: ZoneRules) -> Instant? {
    let first: Instant?
    switch timing {
    case .cron(let expression): first = expression.next(after: searchStart(instant), in: zone)
    case .every(let interval):
      // In phase with the slot, which may be centuries away.
      let from = searchStart(instant)
      let (distance, overflow) = slot.milliseconds.subtractingReportingOverflow(from.milliseconds)
      guard distance > 0, !overflow else { return nil }
      first = from.advanced(byMilliseconds: (distance - 1) % interval.milliseconds + 1)
    case .at, .duration: first = nil
    }
    return first.flatMap { $0 < slot ? $0 : nil }
  }

  /// Whether there would be a slot after this one without the end date.
  func isCutByEndDate(after slot: Instant, in zone: ZoneRules) -> Bool {
    guard let endDate, let next = unboundedNextSlot(after: slot, in: zone) else { return false }
    return next > endDate
  }

  /// The latest slot in `slot...instant` of a recurring definition. `slot` is a slot itself.
  func latestSlot(from slot: Instant, atOrBefore instant: Instant, in zone: ZoneRules) -> Instant {
    let bound = min(instant, endDate ?? instant)
    guard bound > slot else { return slot }
    switch timing {
    case .cron(let expression):
      return expression.latest(atOrBefore: bound, in: zone).map { max($0, slot) } ?? slot
    case .every(let interval):
      return interval.recurrence(from: slot)?.latest(atOrBefore: bound) ?? slot
    case .at, .duration:
      return slot
    }
  }

  /// The number of slots in `first..<last`, both slots themselves; counts no further than `bound`.
  func slotCount(from first: Instant, before last: Instant, upTo bound: Int, in zone: ZoneRules) -> Int {
    guard first < last else { return 0 }
    // Counted in (first, last], which for two slots has the same number.
    switch timing {
    case .cron(let expression): return expression.slotCount(after: first, through: last, in: zone, upTo: bound)
    case .every(let interval):
      return interval.recurrence(from: first)?.slotCount(after: first, through: last, upTo: bound) ?? 0
    case .at, .duration: return 0
    }
  }

  /// When the tick of a slot may leave: the slot plus its jitter.
  ///
  /// Jitter is uniform over whole milliseconds and a fixed function of id and slot, so a restart gives the same value.
  /// It never reaches past the next slot.
  package func due(of slot: Instant, in zone: ZoneRules) -> Instant {
    guard let jitter else { return slot }
    var range = jitter.milliseconds
    if let next = unboundedNextSlot(after: slot, in: zone) {
      range = min(range, next.milliseconds - slot.milliseconds)
    }
    return slot.advanced(byMilliseconds: Jitter.milliseconds(id: id.bytes, slot: slot, maximum: range))
  }

  func isWithinDates(_ slot: Instant) -> Bool {
    if let startDate, slot < startDate { return false }
    if let endDate, slot > endDate { return false }
    return true
  }

  private func unboundedNextSlot(after slot: Instant, in zone: ZoneRules) -> Instant? {
    switch timing {
    case .cron(let expression): expression.next(after: slot, in: zone)
    case .every(let interval): slot.advanced(byMilliseconds: interval.milliseconds)
    case .at, .duration: nil
    }
  }
}

extension DurationExpression {
  /// Slots this far apart; nil for a length that is not positive.
  fileprivate func recurrence(from anchor: Instant) -> IntervalRecurrence? {
    IntervalRecurrence(anchor: anchor, everyMilliseconds: milliseconds)
  }
}
