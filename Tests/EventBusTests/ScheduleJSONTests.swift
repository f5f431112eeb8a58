import EventBus
import Recurrence
import Scheduling
import Testing

@Suite("A stored schedule as JSON")
struct ScheduleJSONTests {
  @Test(
    "contains definition and progress",
    arguments: [
      (
        Schedule.State.live(.init(slot: Instant(milliseconds: 0), due: Instant(milliseconds: 1), missed: 2)),
        #""state":"live","nextTickDate":"1970-01-01T00:00:00.000Z","due":"1970-01-01T00:00:00.001Z","missed":2"#
      ),
      (
        .live(.init(slot: Instant(milliseconds: 0), due: Schedule.NextTick.heldDue)), #""state":"held""#
      ),
      (
        .ended(.init(reason: "x", at: Instant(milliseconds: 0), owesStopped: true)),
        #""state":"ended","ended":"1970-01-01T00:00:00.000Z","reason":"x","owesStopped":true"#
      ),
    ])
  func json(state: Schedule.State, expected: String) throws {
    let definition = Definition(
      id: try #require(ScheduleID(validating: "a\"b")), timing: .every(try DurationExpression("5m")),
      payload: Array("[ 1.0 ]".utf8))
    let schedule = Schedule(
      definition: definition, origin: Origin(), key: Schedule.Key(generation: 7, cohort: 0),
      progress: Schedule.Progress(state: state, counter: 3))
    let ticks = #""ticks":{"sent":3,"missed":0,"repeated":0,"nacked":0,"returned":0}"#
    #expect(
      schedule.json(Schedule.History()).utf8Text
        == #"{"id":"a\"b","every":"5m","generation":7,"counter":3,"revision":1,\#(expected),\#(ticks),"payload":[ 1.0 ]}"#
    )
    #expect(throws: Never.self) { try parse(schedule.json(Schedule.History())) }
  }

  @Test("of a paused one contains its pause instead of a next tick", arguments: [Instant(milliseconds: 90_000), nil])
  func paused(until: Instant?) throws {
    var schedule = Schedule(
      definition: Definition(
        id: try #require(ScheduleID(validating: "a")), timing: .every(try DurationExpression("5m"))),
      origin: Origin(), key: Schedule.Key(generation: 7, cohort: 0),
      progress: Schedule.Progress(
        state: .live(.init(slot: Instant(milliseconds: 0), due: until ?? Schedule.NextTick.pausedDue)), counter: 5))
    schedule.control.pause = Schedule.Pause(since: Instant(milliseconds: 30_000), until: until, reason: "night")
    schedule.control.revision = 2
    let end = until.map { #""pausedUntil":"\#($0.rfc3339)","# } ?? ""
    #expect(
      schedule.json(Schedule.History()).utf8Text.contains(
        #""revision":2,"state":"paused","pausedDate":"1970-01-01T00:00:30.000Z",\#(end)"reason":"night","ticks""#))
  }

  @Test("contains the sender of the Start and the delivery results")
  func history() throws {
    let last = Schedule.Tally.Last(
      slot: Instant(milliseconds: 1000), jitterMilliseconds: 20, latenessMilliseconds: 7, confirmationMilliseconds: 2)
    let history = Schedule.History(
      beginning: Schedule.Beginning(at: Instant(milliseconds: 500)),
      tally: Schedule.Tally(missed: 1, repeats: 2, refusals: 3, returns: 4, last: last))
    let schedule = Schedule(
      definition: Definition(
        id: try #require(ScheduleID(validating: "a")), timing: .every(try DurationExpression("5m"))),
      origin: Origin(messageID: [0xFF, 0x22], userID: "bill\"ing"), key: Schedule.Key(generation: 7, cohort: 0),
      progress: Schedule.Progress(
        state: .live(.init(slot: Instant(milliseconds: 0), due: Instant(milliseconds: 0))), counter: 5))
    let text = schedule.json(history).utf8Text
    #expect(
      text.hasSuffix(
        #""startedAt":"1970-01-01T00:00:00.500Z","messageId":"\#u{FFFD}\"","userId":"bill\"ing","#
          + #""ticks":{"sent":5,"missed":1,"repeated":2,"nacked":3,"returned":4,"#
          + #""last":{"scheduledTime":"1970-01-01T00:00:01.000Z","sentAt":"1970-01-01T00:00:01.027Z","#
          + #""jitterMilliseconds":20,"#
          + #""latenessMilliseconds":7,"confirmMilliseconds":2}}}"#))
    #expect(throws: Never.self) { try parse(schedule.json(history)) }
  }
}
