import Recurrence
import Testing

/// The public vectors: cases on which other schedulers agree.
struct CronVectorTests {
  @Test func everyFileIsThere() {
    #expect(VectorFile.lines("cron.jsonl", as: CronVector.self).count == 158)
    #expect(VectorFile.lines("cron-dst-policy.jsonl", as: CronVector.self).count == 86)
    #expect(VectorFile.lines("cron-invalid.jsonl", as: InvalidCronVector.self).count == 61)
    #expect(VectorFile.lines("duration.jsonl", as: DurationVector.self).count == 38)
    #expect(VectorFile.lines("duration-invalid.jsonl", as: DurationVector.self).count == 33)
    #expect(FieldVector.all.count == 103)
  }

  @Test(arguments: VectorFile.lines("cron.jsonl", as: CronVector.self) + VectorFile.lines("cron-dst-policy.jsonl"))
  func slots(_ vector: CronVector) throws {
    guard let zone = try TestZones.rules(named: vector.timezone) else { return }
    let expression = try CronExpression(vector.cron)
    var instant = try #require(Instant(rfc3339: vector.from))
    for expected in vector.next {
      let next = try #require(expression.next(after: instant, in: zone))
      #expect(next == Instant(rfc3339: expected))
      #expect(expression.latest(atOrBefore: next.advanced(byMilliseconds: 999), in: zone) == next)
      instant = next
    }
  }

  /// Cases that users of other schedulers reported, each with its source.
  @Test(arguments: FieldVector.all)
  func reported(_ vector: FieldVector) throws {
    if let cron = vector.cron, let name = vector.timezone {
      if let next = vector.next, let from = vector.from {
        return try slots(CronVector(cron: cron, timezone: name, from: from, next: next))
      }
      guard TestZones.arePresent || name == "UTC" else { return }
      // Either the expression is rejected or its zone.
      let error = #expect(throws: ExpressionError.self) {
        _ = try CronExpression(cron)
        _ = try TestZones.directory.rules(named: name)
      }
      if let field = vector.field { #expect(error?.field == field) }
    } else {
      let duration = try #require(vector.duration)
      #expect((try? DurationExpression(duration))?.milliseconds == vector.milliseconds)
    }
  }

  @Test(arguments: VectorFile.lines("cron-invalid.jsonl", as: InvalidCronVector.self))
  func refused(_ vector: InvalidCronVector) {
    let error = #expect(throws: ExpressionError.self) { try CronExpression(vector.cron) }
    #expect(error?.field == vector.field)
  }

  @Test(arguments: VectorFile.lines("duration.jsonl", as: DurationVector.self))
  func duration(_ vector: DurationVector) throws {
    #expect(try DurationExpression(vector.duration).milliseconds == vector.milliseconds)
  }

  @Test(arguments: VectorFile.lines("duration-invalid.jsonl", as: DurationVector.self))
  func durationRefused(_ vector: DurationVector) {
    let error = #expect(throws: ExpressionError.self) { try DurationExpression(vector.duration) }
    #expect(error?.field == "duration")
  }
}
