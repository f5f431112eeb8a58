/// Matches on the wall clock, without clock changes. Times are wall-clock seconds since 1970-01-01T00:00.
extension CronExpression {
  /// The searched days, counted from 1970-01-01: the years 1900 to 2399.
  private static let horizon =
    CivilDate(year: 1900, month: 1, day: 1).daysSince1970...CivilDate(year: 2399, month: 12, day: 31).daysSince1970

  /// The first match from `time` through `limit`.
  func firstMatch(from time: Int, through limit: Int = .max) -> Int? {
    let from = max(time, Self.horizon.lowerBound * .secondsPerDay)
    let today = from.flooredQuotient(by: .secondsPerDay)
    let lastDay = min(limit.flooredQuotient(by: .secondsPerDay), Self.horizon.upperBound)
    guard today <= lastDay, var day = days.first(in: today...lastDay) else { return nil }
    var timeOfDay = times.first
    if day == today {
      if let later = times.first(from: from - today * .secondsPerDay) {
        timeOfDay = later
      } else {
        guard today < lastDay, let next = days.first(in: today + 1...lastDay) else { return nil }
        day = next
      }
    }
    let match = day * .secondsPerDay + timeOfDay
    return match <= limit ? match : nil
  }

  /// The last match from `limit` through `time`.
  func lastMatch(through time: Int, from limit: Int = .min) -> Int? {
    let through = min(time, Self.horizon.upperBound * .secondsPerDay + .secondsPerDay - 1)
    let today = through.flooredQuotient(by: .secondsPerDay)
    let firstDay = max(limit.flooredQuotient(by: .secondsPerDay), Self.horizon.lowerBound)
    guard firstDay <= today, var day = days.last(in: firstDay...today) else { return nil }
    var timeOfDay = times.last
    if day == today {
      if let earlier = times.last(through: through - today * .secondsPerDay) {
        timeOfDay = earlier
      } else {
        guard firstDay < today, let previous = days.last(in: firstDay...today - 1) else { return nil }
        day = previous
      }
    }
    let match = day * .secondsPerDay + timeOfDay
    return match >= limit ? match : nil
  }
}
