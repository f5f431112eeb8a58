import Recurrence
import Testing

/// The dialect beyond the vectors, errors, and the limits of time.
struct CronExpressionTests {
  /// Equivalent forms, the second written in full.
  @Test(arguments: [
    ("0 0 * * FRI-SUN", "0 0 * * 5,6,0"), ("0 0 * * 6-0", "0 0 * * 6,0"), ("0 0 * * 5-7", "0 0 * * 0,5,6"),
    ("0 0 * * FRI-SUN/2", "0 0 * * 5,0"), ("0 0 * * 1/2", "0 0 * * 1,3,5"), ("0 0 * * SUN/2", "0 0 * * 0,2,4,6"),
    ("0 0 * * 7/3", "0 0 * * 0,3,6"), ("0 0 * * 1-7", "0 0 * * *"), ("0 0 ? * ?", "0 0 * * *"),
    ("0 0 1-31 * 1", "0 0 * * 1"), ("0 0 */1 * 1", "0 0 * * 1"), ("0 0 13 * 0-6", "0 0 13 * *"),
    ("0 0 13 * +0-6", "0 0 13 * *"), ("0 0 * * +1", "0 0 * * 1"), ("0 0 ? 1 1#l", "0 0 ? 1 1L"),
    ("0 0 l * *", "0 0 L * *"), ("0 0 lw * *", "0 0 LW * *"), ("0 0 15w * *", "0 0 15W * *"),
    ("0 0 * * 7L", "0 0 * * 0L"),
    ("0 0 * * SUN#1", "0 0 * * 7#1"), ("0 0 1 Jan-mar/2 *", "0 0 1 1,3 *"), ("007 0003 * * *", "7 3 * * *"),
    ("*/9999 * * * *", "0 * * * *"), ("0 0 0 * * * *", "0 0 * * *"), ("0 0 0 * * * 1970-2199", "0 0 * * *"),
    ("0 0 */7 * 1", "0 0 1,8,15,22,29 * +1"), ("0 0 1-7 * */7", "0 0 1-7 * +0"),
    ("0 0 5,*/10 * 2", "0 0 1,5,11,21,31 * +2"),
    ("0 0 ? * 1-5", "0 0 * * 1-5"), ("0 0 */2 * 1L", "0 0 1-31/2 * +1L"), ("0 0 L * */2", "0 0 L * +0,2,4,6"),
    ("@YEARLY", "0 0 1 1 *"), (" @Midnight\t", "0 0 * * *"), ("@annually", "@yearly"), ("*,5 * * * *", "* * * * *"),
  ])
  func meansTheSame(one: String, other: String) throws {
    let (one, other) = (try CronExpression(one), try CronExpression(other))
    var instant = try #require(Instant(rfc3339: "2026-02-27T22:13:45Z"))
    for _ in 0..<60 {
      let next = try #require(one.next(after: instant, in: .utc))
      #expect(other.next(after: instant, in: .utc) == next)
      instant = next
    }
  }

  @Test(arguments: [
    ("0 0 13 * 5", "2026-11-27T00:00:00Z"), ("0 0 13 * +5", "2027-08-13T00:00:00Z"),
    ("0 0 29 2 +1", "2044-02-29T00:00:00Z"), ("0 0 29 2 1", "2027-02-01T00:00:00Z"),
    ("0 0 1-7 * +MON", "2026-12-07T00:00:00Z"), ("0 0 31 4 3", "2027-04-07T00:00:00Z"),
    ("0 0 1W * *", "2026-12-01T00:00:00Z"), ("0 0 1W 5 *", "2027-05-03T00:00:00Z"),
    ("0 0 31W 1 *", "2027-01-29T00:00:00Z"), ("0 0 30W 2,3 *", "2027-03-30T00:00:00Z"),
    ("0 0 L,15 2 *", "2027-02-15T00:00:00Z"), ("0 0 * * MON#5", "2026-11-30T00:00:00Z"),
    ("0 0 1 * +MON#1", "2027-02-01T00:00:00Z"), ("0 0 0 29 2 * 2096-2104", "2096-02-29T00:00:00Z"),
    ("0 0 LW 2 +SUN#L,5", "2027-02-26T00:00:00Z"),
  ])
  func comesFirst(cron: String, expected: String) throws {
    let now = try #require(Instant(rfc3339: "2026-11-23T08:30:00Z"))
    #expect(try CronExpression(cron).next(after: now, in: .utc) == Instant(rfc3339: expected))
  }

  /// `Schedule Rejected` and the command line show these messages.
  @Test(arguments: [
    ("60 * * * *", "minute: 60 is not within 0-59 (character 1)"),
    ("  0\t75 * * * *", "minute: 75 is not within 0-59 (character 5)"),
    (
      "0 12 * * 1 2030",
      "day-of-week: 2030 is not within 0-7; a year is the seventh field, after seconds (character 12)"
    ),
    ("0 0 31 2 *", "day-of-month: day 31 does not exist in February (character 5)"),
    ("0 0 31 4,6,11 *", "day-of-month: day 31 does not exist in April, June or November (character 5)"),
    ("0 0 30-31 2 *", "day-of-month: '30-31' does not exist in February (character 5)"),
    ("0 0 0 29 2 * 2027", "day-of-month: day 29 does not exist in February of the years given (character 7)"),
    ("0 0 1 * +MON#2", "day-of-week: these weekdays never fall on these days of the month (character 10)"),
    (
      "0 0 */31 * MON#2",
      "day-of-week: these weekdays never fall on these days of the month; with a * in one of the two fields, both have to"
        + " match (character 12)"
    ),
    ("0 0 30 2 */2", "day-of-month: day 30 does not exist in February (character 5)"),
    ("0 0 * * 8", "day-of-week: 8 is not within 0-7; 0 and 7 are Sunday, 1 is Monday (character 9)"),
    (
      "0 5 * * * Europe/Amsterdam",
      "day-of-week: send the time zone in the field `timezone`, not in the expression (character 11)"
    ),
    (
      "30 4 31 12 utc",
      "day-of-week: send the time zone in the field `timezone`, not in the expression (character 12)"
    ),
    (
      "0 0 0 * * * America/New_York",
      "year: send the time zone in the field `timezone`, not in the expression (character 13)"
    ),
    ("rate(5 minutes)", "expression: rate(…) is AWS's form; use the field `every` (character 1)"),
    ("at(2026-11-20T13:00:00)", "expression: at(…) is AWS's form; use the field `at` (character 1)"),
    (
      "cron(0 12 ? * 2 *)",
      "expression: cron(…) is AWS's form: send the fields alone, seconds first and the year last, with weekdays by name"
        + " (Sunday is 0 here and 1 there) (character 1)"
    ),
    (
      "*/5 * * * ? *",
      "month: ? is valid in day fields only; six fields begin with seconds here; to end with a year, write seven: 0 30 8 ? *"
        + " 1-5 * (character 11)"
    ),
    (
      "0 12 ? * MON-FRI *",
      "hour: ? is valid in day fields only; six fields begin with seconds here; to end with a year, write seven: 0 30 8 ? *"
        + " 1-5 * (character 6)"
    ),
    ("0 0 0 ? 2 1#5 2027", "day-of-week: these weekdays do not exist in the months and years given (character 11)"),
    ("H * * * *", "minute: H, which spreads jobs at random, is not supported; use the field `jitter` (character 1)"),
    ("0~30 * * * *", "minute: ~, which spreads jobs at random, is not supported; use the field `jitter` (character 2)"),
    ("TZ=UTC 0 0 * * *", "expression: send the time zone in the field `timezone`, not in the expression (character 1)"),
    (
      "CRON_TZ=UTC 0 0 * * *",
      "expression: send the time zone in the field `timezone`, not in the expression (character 1)"
    ),
    ("@every 5m", "expression: @every is not supported; use the field `every` (character 1)"),
    ("@reboot", "expression: @reboot is not supported: it has no time (character 1)"),
    ("@daily 5", "expression: nothing may follow a nickname (character 8)"),
    ("Daily", "expression: a nickname begins with @"),
    ("* * * *", "expression: five, six or seven fields are expected, separated by spaces; there are 4"),
    ("0 0 * * *\n", "expression: a line break is not allowed; separate fields by spaces or tabs (character 10)"),
    ("0 0 * * L", "day-of-week: L must follow a day: 5L is the last Friday of the month (character 9)"),
    (
      "0 0 L-3 * *",
      "day-of-month: days counted back from the last are not supported; L is the last day only (character 6)"
    ),
    ("0 0 1,15W * *", "day-of-month: a day with W cannot be in a list (character 7)"),
    ("0 0 LW,1 * *", "day-of-month: a day with W cannot be in a list (character 5)"),
    (
      "0 0 * * MONDAY",
      "day-of-week: 'MONDAY' is not valid; this field takes numbers and SUN MON TUE WED THU FRI SAT (character 9)"
    ),
    ("* * * FEB-JAN *", "month: the range is backwards: write it as two, such as a-b,c-d (character 7)"),
    ("*/00 * * * *", "minute: a step must be at least 1 (character 3)"),
    ("*/00005 * * * *", "minute: a number has at most four digits (character 3)"),
    ("5, * * * *", "minute: a value is missing at the end (character 3)"),
  ])
  func describesTheError(cron: String, message: String) {
    let error = #expect(throws: ExpressionError.self) { try CronExpression(cron) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    "0 0 * * 7-2", "0 0 ?,1 * *", "0 0 ?/2 * *", "0 0 15W/2 * *", "0 0 1-15W * *", "0 0 15W-20 * *", "0 0 L/2 * *",
    "0 0 1-L * *", "0 0 W * *", "0 0 * * 1-3#2", "0 0 * * #2", "0 0 * * 1#0", "0 0 * * 1#1L", "0 0 * * 1LL",
    "0 0 * * +",
    "0 0 * * ++1", "0 0 +1 * *", "0 0 * JA *", "0 0 * 0 *", "0 0 * 13 *", "0 0 0 * *", "1/2/3 * * * *", "1-2-3 * * * *",
    "5/ * * * *", "5- * * * *", "* * * * * * 2200", "0 0 0 1 1 ? ?", "@", "@hour", "@ daily", "1\u{A0}* * * *",
  ])
  func refuses(cron: String) {
    #expect(throws: ExpressionError.self) { try CronExpression(cron) }
  }

  @Test func keepsTheTextAsItWasSent() throws {
    #expect(try CronExpression(" 30  * * * *\t").text == " 30  * * * *\t")
    #expect(try CronExpression("@daily").text == "@daily")
  }

  @Test func endsWithItsYears() throws {
    let expression = try CronExpression("0 0 12 1 1 * 2030,2032")
    let last = try #require(Instant(rfc3339: "2032-01-01T12:00:00Z"))
    #expect(expression.next(after: last, in: .utc) == nil)
    #expect(expression.latest(atOrBefore: Instant(milliseconds: .max), in: .utc) == last)
    #expect(expression.next(after: Instant(milliseconds: .min), in: .utc) == Instant(rfc3339: "2030-01-01T12:00:00Z"))
    #expect(expression.latest(atOrBefore: Instant(milliseconds: 0), in: .utc) == nil)
  }

  @Test(
    arguments: [
      ("2029-06-15T00:00:00Z", "2030-01-01T12:00:00Z", nil),
      ("2031-06-15T00:00:00Z", "2032-01-01T12:00:00Z", "2030-12-01T12:00:00Z"),
      ("2033-06-15T00:00:00Z", nil, "2032-12-01T12:00:00Z"), ("2040-06-15T00:00:00Z", nil, "2032-12-01T12:00:00Z"),
    ] as [(String, String?, String?)])
  func keepsToItsYears(from: String, next: String?, latest: String?) throws {
    let expression = try CronExpression("0 0 12 1 * * 2030,2032")
    let instant = try #require(Instant(rfc3339: from))
    #expect(
      expression.next(after: instant, in: .utc)?.milliseconds == next.flatMap { Instant(rfc3339: $0)?.milliseconds })
    #expect(
      expression.latest(atOrBefore: instant, in: .utc)?.milliseconds
        == latest.flatMap { Instant(rfc3339: $0)?.milliseconds })
  }

  /// Any instant is a valid argument.
  @Test(arguments: ["* * * * *", "0 0 29 2 *", "* * * * * *", "0 3 * * *"], ["UTC", "America/New_York"])
  func acceptsTheEndsOfTime(cron: String, zone: String) throws {
    guard let zone = try TestZones.rules(named: zone) else { return }
    let expression = try CronExpression(cron)
    let first = try #require(expression.next(after: Instant(milliseconds: .min), in: zone))
    let last = try #require(expression.latest(atOrBefore: Instant(milliseconds: .max), in: zone))
    #expect(first.rfc3339(in: zone) < "1905")
    #expect(last.rfc3339(in: zone) > "2396")
    #expect(expression.next(after: last, in: zone) == nil)
    #expect(expression.latest(atOrBefore: first.advanced(byMilliseconds: -1), in: zone) == nil)
  }

  @Test func countsSlotsUpToABound() throws {
    let expression = try CronExpression("*/15 * * * *")
    let start = try #require(Instant(rfc3339: "2026-11-23T08:30:00Z"))
    func count(_ end: String, upTo bound: Int) throws -> Int {
      expression.slotCount(after: start, through: try #require(Instant(rfc3339: end)), in: .utc, upTo: bound)
    }
    #expect(try count("2026-11-23T08:44:59.999Z", upTo: 1000) == 0)
    #expect(try count("2026-11-23T08:45:00Z", upTo: 1000) == 1)
    #expect(try count("2026-11-24T08:30:00Z", upTo: 1000) == 96)
    #expect(try count("2299-01-01T00:00:00Z", upTo: 1000) == 1000)
    #expect(try count("2026-11-22T00:00:00Z", upTo: 1000) == 0)
  }

  @Test(arguments: [
    ("30 * * * *", "At 30 minutes past every hour"), ("* * * * *", "Every minute"),
    ("0 * * * *", "At the start of every hour"),
    ("*/15 9-17 * * 1-5", "Every 15 minutes of every hour from 9 to 17, on Monday to Friday"),
    ("0 8,12 * * *", "At 08:00 and 12:00 every day"), ("0 */2 * * *", "At the start of every 2nd hour"),
    ("*/25 * * * *", "At 0, 25 and 50 minutes past every hour"), ("* 3 * * *", "Every minute of hour 3"),
    ("*/5 * * * * *", "Every 5 seconds"), ("*/5 0 * * * *", "Every 5 seconds of minute 0 of every hour"),
    ("15 * * * * *", "At 15 seconds past every minute"), ("30 0 0 L * *", "At 00:00:30, on the last day of the month"),
    ("0 0 13 * 5", "At 00:00, on day 13 of the month or on Friday"),
    ("0 0 13 * +5", "At 00:00, on day 13 of the month, but only on Friday"),
    ("17 3 1-7 * */7", "At 03:17, on days 1 to 7 of the month, but only on Sunday"),
    ("0 9 * * 3#2,MON", "At 09:00, on Monday and the 2nd Wednesday of the month"),
    ("0 9 * 3 FRIL", "At 09:00, on the last Friday of the month, in March"),
    ("0 9 LW * *", "At 09:00, on the last weekday (Monday to Friday) of the month"),
    (
      "0 9 1W 1-3,7 *",
      "At 09:00, on the weekday (Monday to Friday) nearest to day 1 of the month, in January to March and July"
    ),
    (
      "0 0 0 1,L 1 * 2030-2032,2040",
      "At 00:00, on day 1 and the last day of the month, in January, in the years 2030 to 2032 and 2040"
    ),
    ("0 0 0 * 2 * 2030", "At 00:00 every day, in February, in 2030"), ("* * * 2 *", "Every minute, in February"),
    ("@weekends", "At 00:00, on Saturday and Sunday"),
  ])
  func isExplained(cron: String, explanation: String) throws {
    #expect(try CronExpression(cron).explanation == explanation)
  }

  @Test(arguments: [
    ("0 0 * * 2", true), ("0 0 0 ? * 6L 2030", true), ("0 0 15-21 * +5#3", true), ("0 0 * * MON,4", true),
    ("0 0 * * MON#2", false), ("0 0 * * */2", false), ("30 8 1 1 *", false), ("@weekends", false),
  ])
  func notesTheMeaningOfWeekdayNumbers(cron: String, hasNumbers: Bool) throws {
    let note = try CronExpression(cron).weekdayNumbersNote
    #expect((note != nil) == hasNumbers)
    if let note { #expect(note.contains("1 is Monday")) }
  }

  /// A stored expression is accepted that current rules would reject.
  @Test func takesAStoredExpressionThatNeverFires() throws {
    #expect(throws: ExpressionError.self) { try CronExpression("0 0 30 2 */2") }
    let stored = try CronExpression(stored: "0 0 30 2 */2")
    #expect(stored.next(after: Instant(milliseconds: 0), in: .utc) == nil)
    #expect(stored.latest(atOrBefore: Instant(milliseconds: .max), in: .utc) == nil)
    #expect(throws: ExpressionError.self) { try CronExpression(stored: "0 0 30 13 *") }
  }
}
