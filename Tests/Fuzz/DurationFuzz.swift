import Recurrence

/// Any text as a duration and as an instant.
func fuzzDuration(_ bytes: [UInt8]) {
  if let duration = try? DurationExpression(String(decoding: bytes, as: UTF8.self)) {
    precondition(duration.milliseconds >= 1, "a duration is positive")
  }
  if let instant = Instant(rfc3339: bytes, rounding: .down) {
    precondition(Instant(rfc3339: instant.rfc3339) == instant, "printed and read, it is the same")
  }
}
