import Recurrence
import Scheduling

extension Schedule {
  /// The most slots that are listed.
  static let upcomingCount = 10

  /// The next tick if it is known when it leaves: not while the schedule is held or paused.
  var comingTick: NextTick? { nextSlot == nil ? nil : nextTick }

  /// The next slots of a live schedule, as far as its limit permits. If it is paused, those after the end of the pause.
  func upcomingSlots(now: Instant, in zone: ZoneRules) -> [ListedSlot] {
    guard isPaused else { return comingSlots(now: now, in: zone) }
    let end = control.pause?.until
    return end.flatMap { resumedAutomatically(at: $0, in: zone)?.schedule.comingSlots(now: now, in: zone) } ?? []
  }

  private func comingSlots(now: Instant, in zone: ZoneRules) -> [ListedSlot] {
    let slots = upcomingSlots(Self.upcomingCount, in: zone)
    guard let first = slots.first else { return [] }
    return zone.listed(slots, after: min(now, first))
  }
}
