import AdminHTTP
import Recurrence
import Testing

@Suite("Recent events")
struct RecentEventsTests {
  private func tick(_ slot: Int64) -> RecentEvent {
    RecentEvent(at: Instant(milliseconds: slot), kind: .tick, id: nil, slot: Instant(milliseconds: slot))
  }

  @Test("a confirm is matched to its tick by publication number while the tick is retained")
  func confirms() {
    let events = RecentEvents(capacity: 4)
    events.append(tick(1), publication: .init(number: 7, uptime: 100))
    events.append(RecentEvent(at: Instant(milliseconds: 2), kind: .started, id: nil))
    events.append(tick(3), publication: .init(number: 9, uptime: 100))
    events.confirmed([7, 8, 9, 13], uptime: 103)
    #expect(events.entries().map(\.event.confirmMilliseconds) == [3, nil, 3])
    events.append(tick(4), publication: .init(number: 10, uptime: 110))
    events.append(tick(5), publication: .init(number: 11, uptime: 110))  // where number 7 was
    events.confirmed([7, 10], uptime: 115)
    #expect(events.entries().map(\.event.confirmMilliseconds) == [nil, 3, 5, nil])
    events.confirmed([11], uptime: 116)
    #expect(events.entries().map(\.number) == [2, 3, 4, 5])
    #expect(events.entries().last?.event.confirmMilliseconds == 6)
  }
}
