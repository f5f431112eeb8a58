import EventBus
import Recurrence
import Scheduling
import Testing

@Suite("A stored schedule as JSON")
struct ScheduleJSONTests {
  @Test(
    "tells the definition and how far it has come",
    arguments: [
      (
        Schedule.State.live(.init(slot: Instant(milliseconds: 0), due: Instant(milliseconds: 1), missed: 2)),
        #""state":"live","nextTickDate":"1970-01-01T00:00:00.000Z","due":"1970-01-01T00:00:00.001Z","missed":2"#
      ),
      (
        .ended(.init(reason: "x", at: Instant(milliseconds: 0), owesStopped: true)),
        #""state":"ended","ended":"1970-01-01T00:00:00.000Z","reason":"x","owesStopped":true"#
      ),
    ])
  func json(state: Schedule.State, told: String) throws {
    let definition = Definition(
      id: try #require(ScheduleID(validating: "a\"b")), timing: .every(try DurationExpression("5m")),
      payload: Array("[ 1.0 ]".utf8))
    let schedule = Schedule(definition: definition, origin: Origin(), generation: 7, counter: 3, state: state)
    #expect(
      schedule.json.utf8Text
        == #"{"id":"a\"b","every":"5m","generation":7,"counter":3,\#(told),"payload":[ 1.0 ]}"#)
    #expect(throws: Never.self) { try parse(schedule.json) }
  }
}
