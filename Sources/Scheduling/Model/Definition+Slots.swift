package import Recurrence

/// The rules by which a definition turns into slots. Pure: the zone's rules and the time come in.
extension Definition {
  /// Whether its slots depend on the rules of a time zone that may change.
  package var followsZone: Bool {
    guard timezone != nil, case .cron = timing else { return false }
    return true
  }

  var isCron: Bool {
    if case .cron = timing { true } else { false }
  }

  /// The first tick of a Start that is applied at `arrival`; nil when there is none, which is a rejection.
  ///
  /// - Parameter time: the event's own time, nil when it had none; one in the future counts as the arrival.
  package func firstTick(arrival: Instant, time: Instant?, in zone: ZoneRules) -> Schedule.NextTick? {
    firstSlot(arrival: arrival, time: time, in: zone).map { nextTick($0, since: searchStart(arrival), in: zone) }
  }

  /// The tick of a slot that was found after `since`.
  func nextTick(_ slot: Instant, since: Instant, in zone: ZoneRules) -> Schedule.NextTick {
    Schedule.NextTick(slot: slot, due: due(of: slot, in: zone), since: followsZone ? since : nil)
  }

  /// Where the search for the first slot begins.
  private func searchStart(_ arrival: Instant) -> Instant {
    max(arrival, startDate?.advanced(byMilliseconds: -1) ?? arrival)
  }

  /// The first slot of a Start that is applied at `arrival`; nil when it has none, which is a rejection.
  ///
  /// - Parameter time: the event's own time, nil when it had none; one in the future counts as the arrival.
  package func firstSlot(arrival: Instant, time: Instant?, in zone: ZoneRules) -> Instant? {
    let eventTime = min(time ?? arrival, arrival)
    let first: Instant?
    switch timing {
    case .cron(let expression):
      first = expression.next(after: searchStart(arrival), in: zone)
    case .every(let interval):
      // From the start date at n = 0, from the event's time at n = 1.
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

  /// The first slot after `instant`, if that is before `slot`, which is one; nil for a one-shot.
  func firstSlot(after instant: Instant, before slot: Instant, in zone: ZoneRules) -> Instant? {
    let anew: Instant?
    switch timing {
    case .cron(let expression): anew = expression.next(after: searchStart(instant), in: zone)
    case .every(let interval):
      // In the phase of the slot. Both ends may be centuries apart.
      let from = searchStart(instant)
      let (distance, overflow) = slot.milliseconds.subtractingReportingOverflow(from.milliseconds)
      guard distance > 0, !overflow else { return nil }
      anew = from.advanced(byMilliseconds: (distance - 1) % interval.milliseconds + 1)
    case .at, .duration: anew = nil
    }
    return anew.flatMap { $0 < slot ? $0 : nil }
  }

  /// Whether only the end date keeps the schedule from going on after this slot.
  func isCutByEndDate(after slot: Instant, in zone: ZoneRules) -> Bool {
    guard let endDate, let next = unboundedNextSlot(after: slot, in: zone) else { return false }
    return next > endDate
  }

  /// The latest slot in `slot...instant`, of a recurring definition of which `slot` is one.
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

  /// How many slots lie in `first..<last`, both being slots; counts no further than `bound`.
  func slotCount(from first: Instant, before last: Instant, upTo bound: Int, in zone: ZoneRules) -> Int {
    guard first < last else { return 0 }
    // Counted after the one and through the other, which for two slots is the same number.
    switch timing {
    case .cron(let expression): return expression.slotCount(after: first, through: last, in: zone, upTo: bound)
    case .every(let interval):
      return interval.recurrence(from: first)?.slotCount(after: first, through: last, upTo: bound) ?? 0
    case .at, .duration: return 0
    }
  }

  /// When the tick of a slot may leave: the slot plus its jitter.
  ///
  /// Jitter is uniform over whole milliseconds and a fixed function of id and slot, so a restart does not draw again.
  /// It never passes the next slot.
  package func due(of slot: Instant, in zone: ZoneRules) -> Instant {
    guard let jitter else { return slot }
    var range = jitter.milliseconds
    if let next = unboundedNextSlot(after: slot, in: zone) {
      range = min(range, next.milliseconds - slot.milliseconds)
    }
    return slot.advanced(byMilliseconds: Jitter.milliseconds(id: id.bytes, slot: slot, maximum: range))
  }

  private func isWithinDates(_ slot: Instant) -> Bool {
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
  /// Slots this long apart; nil for a length that is not positive.
  fileprivate func recurrence(from anchor: Instant) -> IntervalRecurrence? {
    IntervalRecurrence(anchor: anchor, everyMilliseconds: milliseconds)
  }
}
