/// A cron expression: the set of wall-clock times at which something is to happen.
///
/// The dialect is crontab's, with seconds and years as optional sixth and seventh field and the marks `L W # ? +` of later
/// schedulers: 5 fields (minute hour day-of-month month day-of-week), 6 with seconds first, 7 with the year last.
package struct CronExpression: Hashable, Sendable {
  /// The expression as it was written.
  package let text: String

  let times: CronTimes
  let days: CronDays

  /// Whether neither minute nor hour begins with `*` or holds every value: a job with fixed times, which runs once on the
  /// day the clocks change. Any other is periodic and keeps its rhythm (vixie cron's distinction, by sets instead of signs).
  let isFixedTime: Bool

  /// The version of the rules by which an expression turns into slots. It grows when the same expression comes to mean
  /// something else: then slots that were stored under an earlier version are to be computed again.
  ///
  /// 1: a day field with `*` and a step restricts. 2: it does not, and minutes or hours that hold every value are periodic.
  package static let rulesVersion: Int64 = 2

  /// Reads an expression; the error names the field at fault and says what to write.
  ///
  /// An expression that can never fire, such as one for 31 February, is refused. Whether all its years lie in the past is
  /// left to those who have a clock.
  package init(_ text: String) throws(ExpressionError) {
    let fields = try CronParser(text).fields()
    try fields.checkDays()
    self.init(text, fields)
  }

  /// Reads an expression that was accepted before, perhaps under other rules: it is taken even when it never fires.
  package init(stored text: String) throws(ExpressionError) {
    self.init(text, try CronParser(text).fields())
  }

  private init(_ text: String, _ fields: CronFields) {
    self.text = text
    times = fields.times
    days = fields.days
    isFixedTime = fields.isFixedTime
  }
}
