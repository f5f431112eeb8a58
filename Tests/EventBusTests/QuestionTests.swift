import EventBus
import Foundation
import Recurrence
import Scheduling
import Testing

@Suite("Questions in, replies out")
struct QuestionTests {
  private func decode(_ name: String, _ members: String, _ change: (inout IncomingMessage) -> Void) -> ReceivedCommand {
    var incoming = message(#"{"DetailType": "\#(name)", "Detail": {\#(members)}}"#, routingKey: name, messageID: "m")
    change(&incoming)
    return decoder.decode(incoming)
  }

  private func describe(_ members: String) -> ReceivedCommand.Content {
    decode("Schedule Describe", members) { $0.replyTo = [0x72] }.content
  }

  @Test("a Describe has an id and the number of slots to list")
  func describe() {
    func question(_ members: String) -> Question? {
      if case .question(let question, _) = describe(members) { question } else { nil }
    }
    #expect(question(#""id": "a""#) == .describe(Question.Describe(id: scheduleID("a"), next: 10)))
    #expect(question(#""id": "a", "next": 0"#) == .describe(Question.Describe(id: scheduleID("a"), next: 0)))
    #expect(question(#""id": "a", "next": 100"#) == .describe(Question.Describe(id: scheduleID("a"), next: 100)))
  }

  @Test(
    "a malformed Describe is rejected",
    arguments: [
      ("", "id", "required"), (#""id": """#, "id", "empty"), (#""id": "a", "next": 101"#, "next", "0 to 100"),
      (#""id": "a", "next": "1""#, "next", "whole number"), (#""id": "a", "next": 1.0"#, "next", "whole number"),
    ])
  func malformed(members: String, field: String, reason: String) {
    let rejection = describe(members).rejection
    #expect(rejection?.field == field && rejection?.reason.contains(reason) == true, "\(String(describing: rejection))")
    #expect(rejection?.command == "Schedule Describe")
  }

  @Test("a List has a filter, a limit and the token of the page before")
  func list() {
    func list(_ members: String) -> Question.List? {
      let content = decode("Schedule List", members) { $0.replyTo = [0x72] }.content
      if case .question(.list(let list), _) = content { return list } else { return nil }
    }
    #expect(list("") == Question.List(search: ScheduleSearch(), limit: 100))
    let search = ScheduleSearch(prefix: [0x70], group: [0x67], tag: [0x74], lifecycle: .paused)
    let members = #""prefix": "p", "group": "g", "tag": "t", "state": "paused", "limit": 1000"#
    #expect(list(members) == Question.List(search: search, limit: 1000))
    let token = ListToken(after: scheduleID("last")).text(of: search, secret: secret)
    #expect(list(members + #", "next": "\#(token)""#)?.last == scheduleID("last"))
    #expect(list(#""group": "g", "next": "\#(token)""#) == nil, "of another filter")
    #expect(
      list(#""state": "active""#)?.search.lifecycle == .active && list(#""state": "ended""#)?.search.lifecycle == .ended
    )
  }

  @Test(
    "a malformed List is rejected",
    arguments: [
      (#""limit": 0"#, "limit", "1 to 1000"), (#""limit": 1001"#, "limit", "1 to 1000"),
      (#""prefix": """#, "prefix", "empty"),
      (#""group": """#, "group", "empty"), (#""tag": 1"#, "tag", "string"),
      (#""state": "live""#, "state", "active, paused, ended"),
      (#""next": "00""#, "next", "does not continue"), (#""next": 1"#, "next", "string"),
    ])
  func malformedList(members: String, field: String, reason: String) {
    let rejection = decode("Schedule List", members) { $0.replyTo = [0x72] }.content.rejection
    #expect(rejection?.field == field && rejection?.reason.contains(reason) == true, "\(String(describing: rejection))")
  }

  @Test("without a reply_to a question is rejected: nobody would get its answer", arguments: [nil, []] as [[UInt8]?])
  func withoutAddress(replyTo: [UInt8]?) {
    let received = decode("Schedule Describe", #""id": "a""#) { $0.replyTo = replyTo }
    #expect(received.content.rejection?.field == "reply_to" && received.replyTo == nil)
    #expect(received.content.rejection?.id == scheduleID("a"))
  }

  @Test("a reply is correlated by the correlation_id, or else by the message_id, both in raw bytes")
  func correlation() {
    func address(_ change: (inout IncomingMessage) -> Void) -> ReplyAddress? {
      decode("Schedule Stop", #""id": "a""#) {
        $0.replyTo = [0xFF, 0x00]
        change(&$0)
      }.replyTo
    }
    #expect(address { _ in } == ReplyAddress(replyTo: [0xFF, 0x00], correlationID: Array("m".utf8)))
    #expect(address { $0.correlationID = [0x80] } == ReplyAddress(replyTo: [0xFF, 0x00], correlationID: [0x80]))
    #expect(address { $0.messageID = nil } == ReplyAddress(replyTo: [0xFF, 0x00], correlationID: nil))
    #expect(address { $0.body = [] }?.replyTo == [0xFF, 0x00], "also of a malformed command")
    #expect(address { $0.replyTo = nil } == nil)
  }

  // MARK: Replies

  private func body(_ described: Described) -> String {
    EventEncoder(stack: "s").encode(
      .described(described), origin: Origin(), at: SendingTime(instant("1970-01-01T00:00:00Z"))
    )
    .body.utf8Text
  }

  private func detail(_ described: Described) throws -> Substring {
    let text = body(described)
    let start = try #require(text.range(of: #""Detail":"#)).upperBound
    return text[start...].dropLast()
  }

  @Test("a Described has definition, state, origin, next slots and delivery results")
  func described() throws {
    let slot = instant("2026-11-23T09:00:00Z")
    let definition = Definition(
      id: scheduleID("a"), timing: .every(try DurationExpression("1h")), payload: Array("{ }".utf8), group: "g")
    let schedule = Schedule(
      definition: definition, origin: Origin(userID: "client"), key: Schedule.Key(generation: 1, beginningAt: slot),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot)), counter: 4))
    let last = Schedule.Tally.Last(
      slot: instant("2026-11-23T08:00:00Z"), jitterMilliseconds: 2, latenessMilliseconds: 3, confirmationMilliseconds: 5
    )
    let history = Schedule.History(
      beginning: Schedule.Beginning(at: instant("2026-11-23T04:30:00Z")),
      tally: Schedule.Tally(missed: 1, repeats: 2, refusals: 3, returns: 6, last: last))
    let later = instant("2026-11-23T10:00:00Z")
    #expect(
      try detail(Described(schedule: schedule, history: history, upcoming: [slot, later]))
        == #"{"id":"a","every":"1h","group":"g","state":"active","counter":4,"revision":1,"paused":false,"owner":"client","#
        + #""createdDate":"2026-11-23T04:30:00.000Z","nextTickDate":"2026-11-23T09:00:00.000Z","#
        + #""next":["2026-11-23T09:00:00.000Z","2026-11-23T10:00:00.000Z"],"#
        + #""last":{"scheduledTime":"2026-11-23T08:00:00.000Z","sentDate":"2026-11-23T08:00:00.005Z","lateness":3,"#
        + #""confirmed":5},"totals":{"sent":4,"missed":1,"duplicates":2,"nacked":3,"unroutable":6},"payload":{ }}"#)
  }

  @Test("a paused schedule is described with its pause, a held one without a next tick, an ended one with its reason")
  func states() throws {
    let slot = instant("2026-11-23T09:00:00Z")
    var schedule = Schedule(
      definition: Definition(id: scheduleID("a"), timing: .at(slot)), origin: Origin(),
      key: Schedule.Key(generation: 1, beginningAt: slot),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: Schedule.NextTick.heldDue))))
    #expect(try detail(Described(schedule: schedule)).contains(#""state":"active""#))
    #expect(try !detail(Described(schedule: schedule)).contains("nextTickDate"))
    schedule.control.pause = Schedule.Pause(since: slot, until: slot, reason: "why")
    let paused = try detail(Described(schedule: schedule))
    #expect(paused.contains(#""state":"paused""#) && paused.contains(#""paused":true"#))
    #expect(
      paused.contains(
        #""pausedDate":"2026-11-23T09:00:00.000Z","pausedUntil":"2026-11-23T09:00:00.000Z","reason":"why","next":[]"#))
    schedule.progress.state = .ended(Schedule.Ending(reason: "stopped", at: slot, owesStopped: false))
    let ended = try detail(Described(schedule: schedule))
    #expect(ended.contains(#""state":"ended""#) && ended.contains(#""reason":"stopped""#))
    #expect(!ended.contains("pausedDate"))
  }

  @Test("a Listed has its schedules without payloads, and the token of the next page")
  func listed() throws {
    let slot = instant("2026-11-23T09:00:00Z")
    let definition = Definition(
      id: scheduleID("a"), timing: .every(try DurationExpression("1h")), timezone: "UTC", payload: Array("1".utf8),
      group: "g", tags: ["t", "u"])
    let schedule = Schedule(
      definition: definition, origin: Origin(), key: Schedule.Key(generation: 1, beginningAt: slot),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot)), counter: 4))
    let encoder = EventEncoder(stack: "s")
    let time = SendingTime(instant("1970-01-01T00:00:00Z"))
    let message = encoder.encode(
      .listed(Listed(schedules: [schedule, schedule], next: "x")), origin: Origin(), at: time)
    let one =
      #"{"id":"a","group":"g","tags":["t","u"],"every":"1h","timezone":"UTC","state":"active","paused":false,"#
      + #""counter":4,"nextTickDate":"2026-11-23T09:00:00.000Z","revision":1}"#
    #expect(message.body.utf8Text.hasSuffix(#""Detail":{"schedules":[\#(one),\#(one)],"next":"x"}}"#))
    let empty = encoder.encode(.listed(Listed(schedules: [])), origin: Origin(), at: time)
    #expect(empty.body.utf8Text.hasSuffix(#""Detail":{"schedules":[]}}"#) && empty.type == "Schedule Listed")
  }

  @Test("an outcome as a reply equals the event, but for its message_id where that is random")
  func outcome() {
    let encoder = EventEncoder(stack: "s", random: { 7 })
    let event = OutgoingEvent.rejected(Rejection(command: "Schedule Stop", field: "id", reason: "r"))
    let (origin, time) = (Origin(messageID: [0x61]), SendingTime(instant("2026-11-23T09:00:00Z")))
    let (published, replied) = (
      encoder.encode(event, origin: origin, at: time), encoder.encode(.event(event), origin: origin, at: time)
    )
    #expect(published.body == replied.body && published.type == replied.type)
  }
}
