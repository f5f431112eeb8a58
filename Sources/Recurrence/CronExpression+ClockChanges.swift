/// What a change of the clocks does to the times of a cron expression.
package struct ClockChangeEffect: Hashable, Sendable {
  package enum Kind: Sendable {
    /// Fixed times are skipped by the wall clock and come once, at the jump.
    case movedToJump
    /// Times are skipped by the wall clock and do not come that day.
    case skipped
    /// Fixed times are shown twice by the wall clock and come the first time only.
    case onlyFirst
    /// Periodic times are shown twice by the wall clock and come twice.
    case repeated
  }

  package let transition: ZoneTransition
  package let kind: Kind
}

extension CronExpression {
  /// The changes of the clocks after `start` and at or before `end` that touch this expression, in order of time.
  package func clockChangeEffects(after start: Instant, through end: Instant, in zone: ZoneRules) -> [ClockChangeEffect]
  {
    zone.transitions(after: start, through: end).compactMap { transition in
      effect(of: transition).map { ClockChangeEffect(transition: transition, kind: $0) }
    }
  }

  private func effect(of transition: ZoneTransition) -> ClockChangeEffect.Kind? {
    let second = Int(transition.instant.milliseconds) / 1000
    let old = second + transition.oldOffsetSeconds
    let new = second + transition.newOffsetSeconds
    guard firstMatch(from: min(old, new), through: max(old, new) - 1) != nil else { return nil }
    if old < new { return isFixedTime && new - old < Self.longestJump ? .movedToJump : .skipped }
    return isFixedTime ? .onlyFirst : .repeated
  }
}
