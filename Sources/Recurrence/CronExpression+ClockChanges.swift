/// The effect of a clock change on the times of a cron expression.
package struct ClockChangeEffect: Hashable, Sendable {
  package enum Kind: Sendable {
    /// The wall clock skips fixed times. They fire once, at the jump.
    case movedToJump
    /// The wall clock skips times. They do not fire that day.
    case skipped
    /// The wall clock repeats fixed times. They fire the first time only.
    case onlyFirst
    /// The wall clock repeats periodic times. They fire twice.
    case repeated
  }

  package let transition: ZoneTransition
  package let kind: Kind
}

extension CronExpression {
  /// The clock changes after `start` and at or before `end` that affect this expression, in order of time.
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
