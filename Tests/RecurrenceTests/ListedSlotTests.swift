import Recurrence
import Testing

@Suite("Slots in a list")
struct ListedSlotTests {
  private let rome = try? ZoneDirectory().rules(named: "Europe/Rome")

  @Test("a slot after a clock change is marked, and no other")
  func marks() throws {
    let rome = try #require(rome, "the system has no zone data")
    let expression = try CronExpression("30 2 * * *")
    let start = try #require(Instant(rfc3339: "2027-03-26T00:00:00Z"))
    let slots = rome.listed(expression.slots(after: start, count: 4, in: rome), after: start)
    #expect(
      slots.map { $0.instant.rfc3339(in: rome) } == [
        "2027-03-26T02:30:00.000+01:00", "2027-03-27T02:30:00.000+01:00", "2027-03-28T03:00:00.000+02:00",
        "2027-03-29T02:30:00.000+02:00",
      ])
    #expect(slots.map(\.clockChange?.explanation) == [nil, nil, "clocks go forward by 60 minutes", nil])
  }

  @Test("a list ends where the slots do, and may be empty")
  func ends() throws {
    let expression = try CronExpression("0 0 0 1 1 ? 2030-2031")
    let start = try #require(Instant(rfc3339: "2030-06-01T00:00:00Z"))
    #expect(expression.slots(after: start, count: 5, in: .utc).map(\.rfc3339) == ["2031-01-01T00:00:00.000Z"])
    #expect(expression.slots(after: start, count: 0, in: .utc).isEmpty)
    #expect(ZoneRules.utc.listed([], after: start).isEmpty)
  }
}
