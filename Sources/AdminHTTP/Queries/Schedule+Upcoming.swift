import Recurrence
import Scheduling

extension Schedule {
  /// The most slots that are listed.
  static let upcomingCount = 10

  /// The next slots of a live schedule, as far as its limit permits.
  func upcomingSlots(now: Instant, in zone: ZoneRules) -> [ListedSlot] {
    guard let nextTick, !nextTick.isHeld else { return [] }
    let first = nextTick.slot
    var count = Self.upcomingCount
    if !definition.timing.isOneShot, let limit = definition.limit, limit > 0 {
      count = min(count, Int(clamping: limit - counter))
    }
    var slots = [first]
    while slots.count < count, !definition.timing.isOneShot,
      let next = definition.nextSlot(after: slots[slots.count - 1], in: zone)
    {
      slots.append(next)
    }
    return zone.listed(slots, after: min(now, first))
  }
}
