import Recurrence

/// The rule of Schedule Trigger.
extension CommandDecision {
  /// Decides a Trigger that is not a duplicate. No other triggered tick of the schedule is pending.
  static func trigger(
    _ trigger: Command.Trigger, existing: Schedule?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, existing.isLive else { return noSuchSchedule(.trigger(trigger), origin: origin) }
    assert(existing.control.owedTick == nil, "a schedule has one triggered tick at a time")
    let instant = existing.control.lastTrigger.map { max(now, $0.advanced(byMilliseconds: 1)) } ?? now
    var triggered = existing
    triggered.control.lastTrigger = instant
    triggered.control.owedTick = Schedule.Trigger(
      instant: instant, counter: existing.counter, nextSlot: existing.nextSlot, payload: trigger.payload,
      messageID: origin.messageID)
    return controlled(.triggered(instant), existing, to: triggered, origin: origin)
  }
}
