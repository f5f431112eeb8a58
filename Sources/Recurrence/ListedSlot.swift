/// A slot in a list for people, with what the clocks did just before it.
package struct ListedSlot: Hashable, Sendable {
  package let instant: Instant
  /// The last change of the clocks after the slot before, at or before this one; nil when there was none.
  package let clockChange: ZoneTransition?
}

extension ZoneRules {
  /// Slots, in order of time, with the changes of the clocks between them and since `start`.
  package func listed(_ slots: [Instant], after start: Instant) -> [ListedSlot] {
    var before = start
    return slots.map { slot in
      defer { before = slot }
      return ListedSlot(instant: slot, clockChange: transitions(after: before, through: slot).last)
    }
  }
}

extension CronExpression {
  /// The first slots after an instant; fewer than `count` when there are no more.
  package func slots(after start: Instant, count: Int, in zone: ZoneRules) -> [Instant] {
    var slots: [Instant] = []
    while slots.count < count, let next = next(after: slots.last ?? start, in: zone) { slots.append(next) }
    return slots
  }
}

extension ZoneTransition {
  /// `clocks go forward by 60 minutes`.
  package var words: String {
    let seconds = newOffsetSeconds - oldOffsetSeconds
    return "clocks go \(seconds > 0 ? "forward" : "back") by \(abs(seconds) / 60) minutes"
  }
}

extension ClockChangeEffect {
  /// What happens to the times that the change of the clocks leaves out or shows twice.
  package var words: String {
    let outcome =
      switch kind {
      case .movedToJump: "times that are left out come once, right after it"
      case .skipped: "times that are left out do not come"
      case .onlyFirst: "times that are shown twice come the first time only"
      case .repeated: "times that are shown twice come twice"
      }
    return "\(transition.words): \(outcome)"
  }
}
