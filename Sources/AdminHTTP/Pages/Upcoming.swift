import Recurrence
import Scheduling

extension Schedule {
  /// How many slots are listed.
  static let upcomingCount = 10

  /// The next slots of a live schedule, no more than its limit leaves.
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

/// What a cron expression means in a zone.
struct CronPreview {
  var expression: CronExpression
  var zone: ZoneRules
  var slots: [ListedSlot]
  /// What changes of the clocks within a year do to it.
  var clockChanges: [ClockChangeEffect]

  private static let yearMilliseconds: Int64 = 366 * 86_400_000

  init(
    _ text: String, zone name: String, now: Instant, rules: (String) throws(ExpressionError) -> ZoneRules
  ) throws(ExpressionError) {
    expression = try CronExpression(text)
    zone = name.isEmpty ? .utc : try rules(name)
    slots = zone.listed(expression.slots(after: now, count: Schedule.upcomingCount, in: zone), after: now)
    clockChanges = expression.clockChangeEffects(
      after: now, through: now.advanced(byMilliseconds: Self.yearMilliseconds), in: zone)
  }
}
