/// A cron expression: the set of wall-clock times at which something is to happen.
///
/// The dialect is crontab's, with seconds and years as optional sixth and seventh field and the marks `L W # ? +` of later
/// schedulers: 5 fields (minute hour day-of-month month day-of-week), 6 with seconds first, 7 with the year last.
package struct CronExpression: Hashable, Sendable {
  /// The expression as it was written.
  package let text: String

  let times: CronTimes
  let days: CronDays

  /// Whether neither minute nor hour begins with `*`: a job with fixed times, which runs once on the day the clocks
  /// change. Any other is periodic and keeps its rhythm (vixie cron's distinction).
  let isFixedTime: Bool

  /// Reads an expression; the error names the field at fault and says what to write.
  ///
  /// An expression that can never fire, such as one for 31 February, is refused. Whether all its years lie in the past is
  /// left to those who have a clock.
  package init(_ text: String) throws(ExpressionError) {
    let fields = try CronParser(text).fields()
    self.text = text
    times = fields.times
    days = try fields.days()
    isFixedTime = fields.isFixedTime
  }
}
