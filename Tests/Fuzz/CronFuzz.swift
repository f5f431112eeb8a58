import Recurrence

/// Any text as a cron expression.
func fuzzCron(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  let from = Instant(milliseconds: 1_767_225_600_000)
  guard let expression = try? CronExpression(text) else {
    // Read, but refused: then it never fires.
    if let stored = try? CronExpression(stored: text) { precondition(stored.next(after: from, in: .utc) == nil) }
    return
  }
  guard let next = expression.next(after: from, in: .utc) else { return }
  precondition(next > from)
  precondition(expression.latest(atOrBefore: next, in: .utc) == next, "the slot is its own latest")
  precondition(expression.next(after: next.advanced(byMilliseconds: -1), in: .utc) == next)
  precondition(!expression.explanation.isEmpty)
}
