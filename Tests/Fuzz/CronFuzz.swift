/// libFuzzer target: any text as a cron expression. Run by `ops/fuzz`, which compiles it into the module it tests.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  guard let expression = try? CronExpression(text) else { return 0 }
  let from = Instant(milliseconds: 1_767_225_600_000)
  guard let next = expression.next(after: from, in: .utc) else { return 0 }
  precondition(next > from)
  precondition(expression.latest(atOrBefore: next, in: .utc) == next, "the slot is its own latest")
  precondition(expression.next(after: next.advanced(byMilliseconds: -1), in: .utc) == next)
  precondition(!expression.words.isEmpty)
  return 0
}
