import Recurrence
import Testing

/// Malicious or mistyped text: parsed or rejected, never a trap.
struct HostileInputTests {
  @Test(arguments: 0..<20)
  func randomText(seed: Int) throws {
    var generator = SplitMix64(seed: 7000 + seed)
    let pieces = [
      "*", "/", "-", ",", "?", "L", "W", "#", "+", "@", " ", "  ", "\t", "0", "1", "5", "31", "59", "60", "99", "9999",
      "99999",
      "MON", "SUN", "JAN", "dec", "LW", "daily", "every", "TZ=", "h", "m", "s", "ms", "P", "T", "Y", "D", ".", "_", "e",
      "E-", "and",
      "\0", "\n", "٣", "ſ", "µ", "🕐", "\u{200B}", "-1", "1e308", "0x1", "18446744073709551616",
    ]
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in generator.pick(pieces) }.joined()
      if let expression = try? CronExpression(text) {
        let next = expression.next(after: Instant(milliseconds: 0), in: .utc)
        #expect(next.map { $0.milliseconds > 0 } != false)
        #expect(!expression.explanation.isEmpty)
      }
      if let duration = try? DurationExpression(text) {
        #expect(1...3_155_760_000_000 ~= duration.milliseconds)
      }
      _ = Instant(rfc3339: text)
    }
  }

  @Test(arguments: 0..<20)
  func damagedExpressions(seed: Int) throws {
    var generator = SplitMix64(seed: 8000 + seed)
    for _ in 0..<300 {
      var bytes = Array(ReferenceCron.random(using: &generator).description.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(ExpressionError) {
        let expression = try CronExpression(text)
        if let next = expression.next(after: Instant(milliseconds: 0), in: .utc) {
          #expect(expression.latest(atOrBefore: next, in: .utc) == next)
        }
      } catch {
        #expect(error.position.map { 1...text.utf8.count + 1 ~= $0 } != false, "\(text): \(error)")
      }
    }
  }

  @Test(arguments: ["* * * * *", "5m"])
  func endlessText(start: String) {
    let text = start + String(repeating: " ", count: 10_000_000)
    #expect(throws: ExpressionError.self) { try CronExpression(text) }
    #expect(throws: ExpressionError.self) { try DurationExpression(text) }
  }
}
