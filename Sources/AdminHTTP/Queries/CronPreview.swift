import Recurrence
import Scheduling

/// The next slots of a cron expression in a zone. Pages and API show the same.
struct CronPreview {
  var expression: CronExpression
  var zone: ZoneRules
  var slots: [ListedSlot]
  /// Effects of the clock changes of the next year.
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
