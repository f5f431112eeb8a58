import Recurrence

/// Any bytes as a time zone file.
func fuzzTZif(_ bytes: [UInt8]) {
  guard let rules = try? ZoneRules(name: "Fuzz/Zone", tzif: bytes) else { return }
  for year in stride(from: -50, through: 400, by: 25) {
    let instant = Instant(milliseconds: Int64(year) * 31_556_952_000)
    precondition(abs(rules.offsetSeconds(at: instant)) < 200 * 3600)
  }
  guard let hourly = try? CronExpression("30 2 * * *") else { return }
  let from = Instant(milliseconds: 1_767_225_600_000)
  if let next = hourly.next(after: from, in: rules) { precondition(next > from) }
}
