import Recurrence
import Testing

struct DurationExpressionTests {
  @Test(
    arguments: [
      ("5m 1h", 3_900_000), ("5m5m", 600_000), ("1h,30m", 5_400_000), ("1h , 30m", 5_400_000),
      ("1h and 30m", 5_400_000),
      ("1 hour, and 20 minutes", 4_800_000), ("1h AND 1m\t", 3_660_000), ("5S", 5000), ("5MS", 5), ("1.5", 2),
      ("1e3", 1000),
      ("1e-3s", 1), ("2E2ms", 200), ("1e+1s", 10_000), ("0.5ms", 1), ("0.0004s 0.0006s", 1), ("1499us", 1),
      ("1500us", 2),
      ("1500µs", 2), ("1500μs", 2), ("500000ns", 1), ("1_0s", 10_000), ("1,234,567ms", 1_234_567),
      ("1,000.5s", 1_000_500),
      ("2 wk", 1_209_600_000), ("1mo", 2_629_800_000), ("1b", 2_629_800_000), ("1yr", 31_557_600_000),
      ("2 milliseconds", 2),
      ("3 secs", 3000), ("100y", 3_155_760_000_000), ("1200 months", 3_155_760_000_000),
      ("0000000000000000000000000000001s", 1000), ("0.00000000000000000000001y 1ms", 1),
      ("1.0000000000000000000000000009s", 1000),
      ("PT5S", 5000), ("pt1h", 3_600_000), ("P1Y2M3W4DT5H6M7S", 38_995_567_000), ("PT1.5H", 5_400_000),
      ("PT1,5H", 5_400_000),
      ("P0.5D", 43_200_000), ("PT0.001S", 1), ("PT36H", 129_600_000), ("P1DT12H", 129_600_000),
      (" PT1H30M10S ", 5_410_000),
    ] as [(String, Int64)])
  func reads(text: String, milliseconds: Int64) throws {
    let duration = try DurationExpression(text)
    #expect(duration.milliseconds == milliseconds)
    #expect(duration.text == text)
  }

  @Test(arguments: [
    ("1,5h", "duration: a comma must be followed by three digits; write decimals with a point (character 2)"),
    (
      "10 fortnights", "duration: unknown unit; known are ms s m h d w month year and their long forms (character 4)"
    ),
    ("-5m", "duration: a duration cannot have a sign (character 1)"),
    ("1h -5m", "duration: a duration cannot have a sign (character 4)"),
    ("0m", "duration: a duration must be at least 1 ms"), ("0.4ms", "duration: a duration must be at least 1 ms"),
    ("101y", "duration: a duration must be at most 100 years (character 1)"),
    ("99y 400d", "duration: a duration must be at most 100 years (character 5)"),
    ("5m5", "duration: a unit is missing, such as s or m (character 4)"),
    ("5m && ls", "duration: '&' is not expected here (character 4)"),
    ("P1H", "duration: this number must be followed by Y, M, W or D (character 2)"),
    ("P1D1Y", "duration: nothing may follow here (character 4)"),
    ("PT1S1M", "duration: nothing may follow here (character 5)"),
    ("PT1.5H30M", "duration: only the last part can have a fraction (character 7)"),
    ("PT", "duration: T must be followed by hours, minutes or seconds, as in PT1H30M (character 3)"),
    ("P", "duration: P must be followed by numbers and units, as in P1D or PT1H30M (character 2)"),
    (" ", "duration: a duration is missing, such as 5m or 1h 30m (character 2)"),
  ])
  func describesTheError(text: String, message: String) {
    let error = #expect(throws: ExpressionError.self) { try DurationExpression(text) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    "5.h", "1:30", "1h and", "1h,", ",1h", "1h,,30m", "1__000s", "1_s", "1,00s", "1,0000s", "1 000s", "5m\n",
    "5\u{A0}m",
    "1e99999s", "1e9999s", "99999999999999999999999999y", "P1S", "PT1D", "PT1H1H", "P1.D", "P.5D", "PT1H 30M", "P1DT",
    "P-1D", "P1D,", "1hour30minutesfoo", "1mss", "1ſ", "1h\0", "٣m", "1e", "1e-", "0x1s", "+5m", "5 5m",
  ])
  func refuses(text: String) {
    #expect(throws: ExpressionError.self) { try DurationExpression(text) }
  }
}
