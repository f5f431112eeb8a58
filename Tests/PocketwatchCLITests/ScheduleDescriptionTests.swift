import Testing

@testable import PocketwatchCLI

@Suite("show")
struct ScheduleDescriptionTests {
  @Test("a description leaves out what the schedule does not have")
  func description() {
    let fields: [String: Any] = [
      "id": "x", "state": "active", "every": "1h", "limit": 9, "payload": ["b": 1, "a": ["c"]], "counter": 2,
      "target": ["exchange": "x", "detailType": "A", "headers": ["h": 1], "priority": 2],
      "revision": 3, "next": ["2030-01-01T00:00:00.000Z", "2030-01-01T01:00:00.000Z"],
      "totals": ["sent": 2, "missed": 0, "nacked": 1],
      "last": ["scheduledTime": "S", "sentDate": "T", "lateness": 4, "confirmed": 5],
    ]
    #expect(
      ScheduleDescription(EventFields(fields)).text == """
        id               x
        state            active
        timing           every 1h
        limit            9
        target           exchange x  A  headers {"h":1}  priority 2
        payload          {"a":["c"],"b":1}
        revision         3
        ticks            sent 2  nacked 1
        last tick        slot S  sent T  late by 4 ms  confirmed in 5 ms
        next slots       2030-01-01T00:00:00.000Z
                         2030-01-01T01:00:00.000Z
        """)
  }
}
