/// The times of day of a cron expression, in wall-clock seconds since midnight.
struct CronTimes: Hashable, Sendable {
  let seconds: SmallSet
  let minutes: SmallSet
  let hours: SmallSet

  /// The earliest time of the day.
  var first: Int { hours.lowest * 3600 + minutes.lowest * 60 + seconds.lowest }

  /// The latest time of the day.
  var last: Int { hours.highest * 3600 + minutes.highest * 60 + seconds.highest }

  /// The first time at or after `time`; `nil` if there is none that day.
  func first(from time: Int) -> Int? {
    let hour = time / 3600
    if hours.contains(hour) {
      let minute = time / 60 % 60
      if minutes.contains(minute), let second = seconds.first(from: time % 60) {
        return hour * 3600 + minute * 60 + second
      }
      if let minute = minutes.first(from: minute + 1) {
        return hour * 3600 + minute * 60 + seconds.lowest
      }
    }
    return hours.first(from: hour + 1).map { $0 * 3600 + minutes.lowest * 60 + seconds.lowest }
  }

  /// The last time at or before `time`; `nil` if there is none that day.
  func last(through time: Int) -> Int? {
    let hour = time / 3600
    if hours.contains(hour) {
      let minute = time / 60 % 60
      if minutes.contains(minute), let second = seconds.last(through: time % 60) {
        return hour * 3600 + minute * 60 + second
      }
      if let minute = minutes.last(through: minute - 1) {
        return hour * 3600 + minute * 60 + seconds.highest
      }
    }
    return hours.last(through: hour - 1).map { $0 * 3600 + minutes.highest * 60 + seconds.highest }
  }
}
