/// A slot in a list, with the last clock change before it.
package struct ListedSlot: Hashable, Sendable {
  package let instant: Instant
  /// The last clock change after the previous slot and at or before this one; nil if there was none.
  package let clockChange: ZoneTransition?
}

extension ZoneRules {
  /// Slots, in order of time, with the clock changes between them and after `start`.
  package func listed(_ slots: [Instant], after start: Instant) -> [ListedSlot] {
    var before = start
    return slots.map { slot in
      defer { before = slot }
      return ListedSlot(instant: slot, clockChange: transitions(after: before, through: slot).last)
    }
  }
}

extension CronExpression {
  /// The first slots after an instant; fewer than `count` if there are no more.
  package func slots(after start: Instant, count: Int, in zone: ZoneRules) -> [Instant] {
    var slots: [Instant] = []
    while slots.count < count, let next = next(after: slots.last ?? start, in: zone) { slots.append(next) }
    return slots
  }
}

extension ZoneTransition {
  /// `clocks go forward by 60 minutes`.
  package var explanation: String {
    let seconds = newOffsetSeconds - oldOffsetSeconds
    return "clocks go \(seconds > 0 ? "forward" : "back") by \(abs(seconds) / 60) minutes"
  }
}

extension ClockChangeEffect {
  /// The clock change, and its effect on the times that the wall clock skips or repeats.
  package var explanation: String {
    let outcome =
      switch kind {
      case .movedToJump: "skipped times fire once, right after the change"
      case .skipped: "skipped times do not fire"
      case .onlyFirst: "repeated times fire the first time only"
      case .repeated: "repeated times fire twice"
      }
    return "\(transition.explanation): \(outcome)"
  }
}
