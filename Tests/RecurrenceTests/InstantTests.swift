import Recurrence
import Testing

struct InstantTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("2026-11-23T08:30:00.004Z", 1_795_422_600_004),
      ("2026-11-23t08:30:00z", 1_795_422_600_000), ("2026-11-23T09:30:00+01:00", 1_795_422_600_000),
      ("2026-11-22T20:45:00.000-11:45", 1_795_422_600_000), ("2026-11-23T08:30:00-00:00", 1_795_422_600_000),
      ("2026-11-23T08:30:00.5Z", 1_795_422_600_500), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
      ("9999-12-31T23:59:59.999Z", 253_402_300_799_999), ("2000-02-29T00:00:00Z", 951_782_400_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2017-01-01T00:59:60+01:00", 1_483_228_800_000),
    ] as [(String, Int64)])
  func reads(text: String, milliseconds: Int64) {
    #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
    #expect(Instant(rfc3339: Array(text.utf8), rounding: .up)?.milliseconds == milliseconds)
  }

  @Test(
    arguments: [
      ("2026-01-01T00:00:00.0009Z", 0, 1), ("2026-01-01T00:00:00.9990000Z", 999, 999),
      ("2026-01-01T00:00:00.99900000000000000000001Z", 999, 1000), ("2025-12-31T23:59:59.9999Z", -1, 0),
    ] as [(String, Int64, Int64)])
  func roundsFractionsOnRequest(text: String, down: Int64, up: Int64) throws {
    let year = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
    #expect(Instant(rfc3339: text, rounding: .down) == year.advanced(byMilliseconds: down))
    #expect(Instant(rfc3339: text, rounding: .up) == year.advanced(byMilliseconds: up))
  }

  @Test(arguments: [
    "", "2026", "2026-11-23", "2026-11-23T08:30:00", "2026-11-23 08:30:00Z", "2026-11-23T08:30Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z",
    "2026-11-23T24:00:00Z", "2026-11-23T08:60:00Z", "2026-11-23T08:30:61Z", "2026-11-23T08:30:60Z",
    "2016-12-30T23:59:60Z", "2026-11-23T08:30:00.Z", "2026-11-23T08:30:00,5Z", "2026-11-23T08:30:00+1:00",
    "2026-11-23T08:30:00+0100", "2026-11-23T08:30:00+24:00", "2026-11-23T08:30:00+01:60", "2026-11-23T08:30:00ZZ",
    " 2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z ", "+026-11-23T08:30:00Z", "26-11-23T08:30:00Z",
    "2026-11-23T٠٨:30:00Z", "1795422600",
  ])
  func refuses(text: String) {
    #expect(Instant(rfc3339: text) == nil)
  }

  @Test func writesWhatItReads() {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<2000 {
      let instant = Instant(milliseconds: .random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator))
      #expect(Instant(rfc3339: instant.rfc3339) == instant)
      #expect(instant.rfc3339.utf8.count == 24)
    }
  }

  @Test func writesEveryDayOfTheCalendar() {
    for (number, day) in ReferenceDay.all.enumerated() where number % 5 == 0 || day.day > 27 || day.day == 1 {
      let month = day.month < 10 ? "0\(day.month)" : "\(day.month)"
      let text = "\(day.year)-\(month)-\(day.day < 10 ? "0\(day.day)" : "\(day.day)")T00:00:00.000Z"
      guard Instant(milliseconds: Int64(number) * 86_400_000).rfc3339 == text else {
        Issue.record("day \(number) is not \(text)")
        return
      }
    }
  }

  @Test func writesYearsOutsideRFC3339() {
    #expect(Instant(milliseconds: .max).rfc3339 == "+292278994-08-17T07:12:55.807Z")
    #expect(Instant(milliseconds: .min).rfc3339 == "-292275055-05-16T16:47:04.192Z")
  }

  @Test(arguments: [
    ("Europe/Rome", "2026-11-23T09:30:00.000+01:00"), ("America/St_Johns", "2026-11-23T05:00:00.000-03:30"),
    ("UTC", "2026-11-23T08:30:00.000+00:00"), ("Asia/Kathmandu", "2026-11-23T14:15:00.000+05:45"),
  ])
  func writesLocalTime(zone: String, text: String) throws {
    guard let zone = try TestZones.rules(named: zone) else { return }
    let instant = try #require(Instant(rfc3339: "2026-11-23T08:30:00Z"))
    #expect(instant.rfc3339(in: zone) == text)
    #expect(Instant(rfc3339: text) == instant)
  }
}
