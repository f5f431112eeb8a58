package import Recurrence

/// The rules by which a definition turns into slots. Pure: the zone's rules and the time come in.
extension Definition {
  /// The first slot of a Start that is applied at `arrival`; nil when it has none, which is a rejection.
  ///
  /// - Parameter time: the event's own time, nil when it had none; one in the future counts as the arrival.
  package func firstSlot(arrival: Instant, time: Instant?, in zone: ZoneRules) -> Instant? {
    let eventTime = min(time ?? arrival, arrival)
    let first: Instant?
    switch timing {
    case .cron(let expression):
      let start = startDate.map { $0.advanced(byMilliseconds: -1) } ?? arrival
      first = expression.next(after: max(arrival, start), in: zone)
    case .every(let interval):
      first = Self.firstSlot(every: interval.milliseconds, from: startDate, eventTime: eventTime, after: arrival)
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
      let whole = (bound.milliseconds - slot.milliseconds) / interval.milliseconds
      return slot.advanced(byMilliseconds: whole * interval.milliseconds)
    case .at, .duration:
      return slot
    }
  }

  /// How many slots lie in `first..<last`, both being slots; counts no further than `bound`.
  func slotCount(from first: Instant, before last: Instant, upTo bound: Int, in zone: ZoneRules) -> Int {
    guard first < last else { return 0 }
    switch timing {
    case .cron(let expression):
      let end = last.advanced(byMilliseconds: -1)
      return min(bound, 1 + expression.slotCount(after: first, through: end, in: zone, upTo: bound))
    case .every(let interval):
      let whole = (last.milliseconds - first.milliseconds) / interval.milliseconds
      return Int(min(whole, Int64(bound)))
    case .at, .duration:
      return 0
    }
  }

  /// When the tick of a slot may leave: the slot plus its jitter.
  ///
  /// Jitter is uniform over whole milliseconds and a fixed function of id and slot, so a restart does not draw again.
  /// It never passes the next slot.
  package func due(of slot: Instant, in zone: ZoneRules) -> Instant {
    guard let jitter else { return slot }
    var range = jitter.milliseconds
    if !timing.isOneShot, let next = nextSlot(after: slot, in: zone) {
      range = min(range, next.milliseconds - slot.milliseconds)
    }
    var hash = SipHash(key: Self.jitterKey)
    hash.append(id.bytes)
    withUnsafeBytes(of: slot.milliseconds.littleEndian) { hash.append($0) }
    let draw = hash.finish().0 % UInt64(range + 1)
    return slot.advanced(byMilliseconds: Int64(draw))
  }

  /// Part of the contract: another key would move every jittered tick.
  private static let jitterKey = SipHash.Key(0x706f_636b_6574_7761, 0x7463_6820_6a69_7474)

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

  /// The slots of an interval stand at `start + n × every` for n ≥ 0, or without a start date at
  /// `eventTime + n × every` for n ≥ 1; this is the first of them after `arrival`.
  private static func firstSlot(every: Int64, from start: Instant?, eventTime: Instant, after arrival: Instant) -> Instant {
    let anchor = start ?? eventTime.advanced(byMilliseconds: every)
    guard arrival >= anchor else { return anchor }
    let (elapsed, overflow) = arrival.milliseconds.subtractingReportingOverflow(anchor.milliseconds)
    guard !overflow else { return arrival.advanced(byMilliseconds: every) }
    return anchor.advanced(byMilliseconds: (elapsed / every + 1) * every)
  }
}
