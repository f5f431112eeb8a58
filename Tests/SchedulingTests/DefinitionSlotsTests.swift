import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// Slots of a definition: the table of the contract, row by row.
struct DefinitionSlotsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var field: String
    var text = ""
    var time: Int64?
    var start: Int64?
    var end: Int64?
    /// In seconds after noon, which is the arrival; nil if the Start is rejected.
    var expected: Int64?

    var testDescription: String { "\(field) \(text) time \(time as Any) dates \(start as Any)...\(end as Any)" }

    func definition() throws -> Definition {
      let timing: Timing =
        switch field {
        case "cron": try Timing(cron: text)
        case "every": try Timing(every: text)
        case "duration": try Timing(duration: text)
        default: .at(.second(Int64(text) ?? 0))
        }
      return Definition(
        id: "a", timing: timing, startDate: start.map { .second($0) }, endDate: end.map { .second($0) })
    }
  }

  static let firstSlots: [Case] = [
    // cron: after the arrival, however old the event is; the start date is inclusive.
    Case(field: "cron", text: "0 * * * * *", expected: 60),
    Case(field: "cron", text: "0 * * * * *", time: -3600, expected: 60),
    Case(field: "cron", text: "0 * * * * *", start: -600, expected: 60),
    Case(field: "cron", text: "0 * * * * *", start: 120, expected: 120),
    Case(field: "cron", text: "0 * * * * *", start: 121, expected: 180),
    Case(field: "cron", text: "0 * * * * *", end: 60, expected: 60),
    Case(field: "cron", text: "0 * * * * *", end: 59, expected: nil),
    Case(field: "cron", text: "0 * * * * *", start: 61, end: 119, expected: nil),
    Case(field: "cron", text: "0 0 0 1 1 * 2020", expected: nil),
    // every: in phase with the event's time, or with the start date, which is itself a slot; after the arrival.
    Case(field: "every", text: "10s", expected: 10),
    Case(field: "every", text: "10s", time: -4, expected: 6),
    Case(field: "every", text: "10s", time: -10, expected: 10),
    Case(field: "every", text: "10s", time: -3604, expected: 6),
    Case(field: "every", text: "10s", time: 3, expected: 10),
    Case(field: "every", text: "10s", start: 7, expected: 7),
    Case(field: "every", text: "10s", time: -4, start: 7, expected: 7),
    Case(field: "every", text: "10s", start: 0, expected: 10),
    Case(field: "every", text: "10s", start: -3, expected: 7),
    Case(field: "every", text: "10s", end: 10, expected: 10),
    Case(field: "every", text: "10s", end: 9, expected: nil),
    // at: also past; outside of the dates it is a rejection.
    Case(field: "at", text: "5", expected: 5),
    Case(field: "at", text: "-500000", expected: -500_000),
    Case(field: "at", text: "5", start: 5, end: 5, expected: 5),
    Case(field: "at", text: "5", start: 6, expected: nil),
    Case(field: "at", text: "5", end: 4, expected: nil),
    // duration: from the event's time if that is not in the future, also past.
    Case(field: "duration", text: "5m", expected: 300),
    Case(field: "duration", text: "5m", time: -100, expected: 200),
    Case(field: "duration", text: "5m", time: -1000, expected: -700),
    Case(field: "duration", text: "5m", time: 100, expected: 300),
    Case(field: "duration", text: "5m", start: 301, expected: nil),
    Case(field: "duration", text: "5m", end: 299, expected: nil),
    Case(field: "duration", text: "5m", start: 300, end: 300, expected: 300),
  ]

  @Test(arguments: firstSlots)
  func firstSlot(_ row: Case) throws {
    let slot = try row.definition().firstSlot(arrival: .noon, time: row.time.map { .second($0) }, in: .utc)
    #expect(slot == row.expected.map { .second($0) })
  }

  static let nextSlots: [Case] = [
    Case(field: "cron", text: "0 * * * * *", expected: 60),
    Case(field: "cron", text: "0 * * * * *", end: 60, expected: 60),
    Case(field: "cron", text: "0 * * * * *", end: 59, expected: nil),
    Case(field: "cron", text: "0 0 12 23 11 * 2026", expected: nil),
    Case(field: "every", text: "90s", expected: 90),
    Case(field: "every", text: "90s", end: 89, expected: nil),
    Case(field: "at", text: "0", expected: nil),
    Case(field: "duration", text: "5m", expected: nil),
  ]

  /// The slot after noon, noon being one.
  @Test(arguments: nextSlots)
  func nextSlot(_ row: Case) throws {
    let definition = try row.definition()
    #expect(definition.nextSlot(after: .noon, in: .utc) == row.expected.map { .second($0) })
    let isCut = definition.isCutByEndDate(after: .noon, in: .utc)
    #expect(isCut == (row.end != nil && row.expected == nil))
  }

  /// The latest slot and the number of slots agree with walking from slot to slot.
  @Test(arguments: ["* * * * * *", "*/7 * * * * *", "5,6 * * * * *"], [nil, 100] as [Int64?])
  func latestAndCountAgreeWithWalking(cron: String, end: Int64?) throws {
    let every = cron == "*/7 * * * * *" ? try Timing(every: "7s") : try Timing(cron: cron)
    let definition = Definition(id: "a", timing: every, endDate: end.map { .second($0) })
    let first = try #require(definition.firstSlot(arrival: .noon, time: nil, in: .utc))
    var walked = [first]
    while let next = definition.nextSlot(after: walked[walked.count - 1], in: .utc), next <= .second(200) {
      walked.append(next)
    }
    for second in 0...200 as ClosedRange<Int64> {
      let expected = walked.last { $0 <= .second(second) } ?? first
      #expect(definition.latestSlot(from: first, atOrBefore: .second(second), in: .utc) == expected)
    }
    for (index, slot) in walked.enumerated() {
      #expect(definition.slotCount(from: first, before: slot, upTo: 1000, in: .utc) == index)
      #expect(definition.slotCount(from: first, before: slot, upTo: 3, in: .utc) == min(index, 3))
    }
  }

  // MARK: Jitter

  /// Uniform over whole milliseconds from 0 through the jitter: each of 11 values within five standard deviations.
  @Test func jitterIsUniform() throws {
    let definition = Definition(id: "a", timing: try Timing(every: "1h"), jitter: try DurationExpression("10ms"))
    var counts: [Int64: Int] = [:]
    for index in 0..<11_000 as Range<Int64> {
      let slot = Instant.second(index * 3600)
      counts[definition.due(of: slot, in: .utc).milliseconds - slot.milliseconds, default: 0] += 1
    }
    #expect(Set(counts.keys) == Set(0...10))
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 5 * 31 })
  }

  /// Every process must compute the same values: they must never change.
  @Test func jitterNeverChanges() throws {
    let definition = Definition(id: "test:schedule", timing: .at(.noon), jitter: try DurationExpression("1h"))
    let delays = (0..<4).map(Instant.second).map { definition.due(of: $0, in: .utc).milliseconds - $0.milliseconds }
    #expect(delays == [2_352_962, 1_108_963, 3_198_541, 215_156])
    let other = Definition(id: "other", timing: .at(.noon), jitter: definition.jitter)
    #expect(other.due(of: .noon, in: .utc) != definition.due(of: .noon, in: .utc))
  }

  /// Limited to the gap before the next slot, also at the last slot, so that no tick is later than the next one.
  @Test(arguments: ["every", "cron"])
  func jitterStaysWithinTheGap(field: String) throws {
    let timing = field == "every" ? try Timing(every: "2s") : try Timing(cron: "*/2 * * * * *")
    let definition = Definition(id: "a", timing: timing, jitter: try DurationExpression("1h"))
    var latest: Int64 = 0
    for index in 0..<2000 as Range<Int64> {
      let slot = Instant.second(index * 2)
      let due = definition.due(of: slot, in: .utc)
      #expect(due >= slot && due <= .second(index * 2 + 2))
      latest = max(latest, due.milliseconds - slot.milliseconds)
    }
    #expect(latest > 1900)
  }

  @Test func withoutJitterItIsDueAtOnce() throws {
    let definition = Definition(id: "a", timing: try Timing(every: "1s"))
    #expect(definition.due(of: .second(1), in: .utc) == .second(1))
  }
}
