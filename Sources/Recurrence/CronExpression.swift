/// A cron expression: a set of wall-clock times.
///
/// The dialect is crontab's, with optional seconds and years and the characters `L W # ? +` of later schedulers: 5 fields
/// (minute hour day-of-month month day-of-week), 6 with seconds first, 7 with the year last.
package struct CronExpression: Hashable, Sendable {
  /// The expression as written.
  package let text: String

  let times: CronTimes
  let days: CronDays

  /// Whether neither minute nor hour begins with `*` or contains every value. Such fixed times fire once on the day of a clock
  /// change. Other expressions are periodic and keep their rhythm. (Vixie cron's distinction, by sets instead of notation.)
  let isFixedTime: Bool

  /// The version of the rules that give the slots of an expression. A change of meaning increments it; slots stored under an
  /// earlier version are then recomputed.
  ///
  /// 1: a day field with `*` and a step restricts. 2: it does not, and minutes or hours with every value are periodic.
  package static let rulesVersion: Int64 = 2

  /// Parses an expression. The error names the field and says what to write instead.
  ///
  /// Throws for an expression that can never fire, such as one for 31 February. Whether all its years are past is for the caller
  /// to check, who has a clock.
  package init(_ text: String) throws(ExpressionError) {
    let fields = try CronParser(text).fields()
    try fields.checkDays()
    self.init(text, fields)
  }

  /// Parses an expression that was accepted before, perhaps under other rules. Accepts one that never fires.
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
