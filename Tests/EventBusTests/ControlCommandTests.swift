import EventBus
import Recurrence
import Scheduling
import Testing

@Suite("Control commands in")
struct ControlCommandTests {
  private let a: ScheduleID

  init() throws { a = try #require(ScheduleID(validating: "a")) }

  private func command(
    _ name: EventName, _ members: String, time: String? = nil, messageID: String? = "m"
  ) -> Command? {
    let time = time.map { #""Time": "\#($0)", "# } ?? ""
    let body = #"{\#(time)"DetailType": "\#(name.rawValue)", "Detail": {\#(members)}}"#
    let content = decoder.decode(message(body, routingKey: name.rawValue, messageID: messageID)).content
    return if case .command(let command, _) = content { command } else { nil }
  }

  private func rejection(_ name: EventName, _ members: String, messageID: String? = "m") -> Rejection? {
    let body = #"{"DetailType": "\#(name.rawValue)", "Detail": {\#(members)}}"#
    return decoder.decode(message(body, routingKey: name.rawValue, messageID: messageID)).content.rejection
  }

  @Test("a Start reads group, tags, description and paused")
  func start() throws {
    let start = try #require(
      decode(
        startEvent(
          #""id": "a", "at": "2030-01-01T00:00:00Z", "group": "g", "tags": ["x", "\u00e9"], "description": "d", "paused": true"#
        )
      ).start)
    #expect(start.definition.group == "g")
    #expect(start.definition.tags == ["x", "é"])
    #expect(start.definition.description == "d")
    #expect(start.paused == true)
    #expect(start.ignored == [])
    #expect(decode(startEvent(#""id": "a", "at": "2030-01-01T00:00:00Z", "paused": false"#)).start?.paused == false)
    #expect(decode(startEvent(#""id": "a", "at": "2030-01-01T00:00:00Z""#)).start?.paused == nil)
  }

  @Test("fields of another command are listed as ignored")
  func ignored() throws {
    let start = try #require(
      decode(startEvent(#""id": "a", "every": "1h", "until": 1, "ifRevision": 2, "x": 3, "remove": []"#)).start)
    #expect(start.ignored == ["until", "ifRevision", "x", "remove"])
    guard case .update(let update) = command(.update, #""id": "a", "limit": 1, "until": 1, "y": 2"#) else {
      Issue.record("rejected")
      return
    }
    #expect(update.ignored == ["until", "y"])
  }

  @Test("a Pause, until an instant, for a while or until a Resume")
  func pause() throws {
    let until = try #require(Instant(rfc3339: "2030-01-01T00:00:00Z"))
    #expect(command(.pause, #""id": "a""#) == .pause(Command.Pause(id: a)))
    #expect(
      command(.pause, #""id": "a", "until": "2030-01-01T00:00:00Z", "reason": "r""#)
        == .pause(Command.Pause(id: a, end: .until(until), reason: "r")))
    #expect(
      command(.pause, #""id": "a", "for": "1h 30m""#, time: "2030-01-01T00:00:00Z")
        == .pause(Command.Pause(id: a, end: .after(try DurationExpression("1h 30m")), time: until)))
  }

  @Test("a Resume, with each policy")
  func resume() throws {
    #expect(command(.resume, #""id": "a""#) == .resume(Command.Resume(id: a)))
    for policy in MisfirePolicy.allCases {
      #expect(
        command(.resume, #""id": "a", "misfirePolicy": "\#(policy.rawValue)", "reason": "r""#)
          == .resume(Command.Resume(id: a, misfirePolicy: policy, reason: "r")))
    }
  }

  @Test("a Trigger, whose payload may be null")
  func trigger() {
    #expect(command(.trigger, #""id": "a""#) == .trigger(Command.Trigger(id: a)))
    #expect(
      command(.trigger, #""id": "a", "payload": null"#)
        == .trigger(Command.Trigger(id: a, payload: Array("null".utf8))))
    #expect(rejection(.trigger, #""id": "a""#, messageID: nil)?.field == "message_id")
  }

  @Test("an Update, with each field and with none")
  func update() throws {
    let expected = DefinitionChange(
      values: [
        .timing(.cron(try CronExpression("5 * * * *"))), .limit(3), .timezone("Europe/Rome"),
        .startDate(try #require(Instant(rfc3339: "2030-01-01T00:00:00Z"))),
        .endDate(try #require(Instant(rfc3339: "2031-01-01T00:00:00Z"))), .jitter(try DurationExpression("1m")),
        .misfirePolicy(.skip), .catchupWindow(try DurationExpression("2h")), .payload(Array("null".utf8)),
        .group("g"), .tags([]), .description(""),
      ])
    let members = #"""
      "id": "a", "cron": "5 * * * *", "limit": 3, "timezone": "Europe/Rome", "startDate": "2030-01-01T00:00:00Z",
      "endDate": "2031-01-01T00:00:00Z", "jitter": "1m", "misfirePolicy": "skip", "catchupWindow": "2h",
      "payload": null, "group": "g", "tags": [], "description": "", "ifRevision": 7
      """#
    #expect(command(.update, members) == .update(Command.Update(id: a, change: expected, ifRevision: 7)))
    #expect(
      command(.update, #""id": "a", "target": {"detailType": "A"}, "remove": ["limit"]"#)
        == .update(
          Command.Update(
            id: a, change: DefinitionChange(values: [.target(Target(detailType: "A"))], removed: [.limit]))))
    #expect(
      command(.update, #""id": "a", "remove": ["target"]"#)
        == .update(Command.Update(id: a, change: DefinitionChange(values: [], removed: [.target]))))
    #expect(command(.update, #""id": "a""#) == .update(Command.Update(id: a, change: DefinitionChange(values: []))))
    #expect(
      command(.update, #""id": "a", "remove": ["limit", "tags", "limit"]"#)
        == .update(Command.Update(id: a, change: DefinitionChange(values: [], removed: [.limit, .tags]))))
  }

  private func batch(_ name: EventName, _ members: String, messageID: String? = "m", userID: String? = nil)
    -> ReceivedCommand.Content
  {
    let body = #"{"DetailType": "\#(name.rawValue)", "Detail": {\#(members)}}"#
    var message = message(body, routingKey: name.rawValue, messageID: messageID)
    message.userID = userID
    return CommandDecoder(
      zones: { _ in .utc }, secret: secret, operators: userID == nil ? .everyone : Operators(["ops"])
    )
    .decode(message).content
  }

  @Test("a Stop, Pause or Resume selects by group or prefix")
  func batches() throws {
    let group = BatchCommand.Selector.group(Array("g".utf8))
    let expected: [(EventName, String, BatchCommand)] = [
      (.stop, #""group": "g""#, BatchCommand(selector: group, action: .stop(reason: "stopped"))),
      (
        .pause, #""group": "g", "for": "1h", "reason": "r", "max": 100000"#,
        BatchCommand(
          selector: group, action: .pause(end: .after(try DurationExpression("1h")), reason: "r", time: nil),
          maximum: 100_000)
      ),
      (
        .resume, #""prefix": "t\u00e9:", "misfirePolicy": "fireAll", "max": 1"#,
        BatchCommand(
          selector: .prefix(Array("té:".utf8)), action: .resume(misfirePolicy: .fireAll, reason: nil), maximum: 1)
      ),
    ]
    for (name, members, command) in expected {
      guard case .batch(let batch, _) = batch(name, members) else {
        Issue.record("\(members) is rejected")
        continue
      }
      #expect(batch == command)
    }
  }

  @Test("a command by group or prefix is read as it is written")
  func writtenBatches() throws {
    let actions: [BatchCommand.Action] = [
      .stop(reason: "\"r\""), .pause(end: nil, reason: nil, time: nil),
      .pause(end: .until(Instant(milliseconds: 1_900_000_000_123)), reason: "r", time: nil),
      .pause(end: .after(try DurationExpression("2h 30m")), reason: "r", time: nil),
      .resume(misfirePolicy: nil, reason: nil), .resume(misfirePolicy: .skip, reason: "r"),
    ]
    for action in actions {
      for selector in [BatchCommand.Selector.group(Array("é".utf8)), .prefix(Array("a".utf8))] {
        let command = BatchCommand(selector: selector, action: action, maximum: 7)
        let body = String(decoding: command.event, as: UTF8.self)
        let content = decoder.decode(message(body, routingKey: command.name.rawValue, messageID: "m")).content
        guard case .batch(command, _) = content else {
          Issue.record("\(body) is read as \(content)")
          continue
        }
      }
    }
  }

  @Test("a command by group needs a message_id")
  func batchWithoutMessageID() {
    let rejection = batch(.stop, #""group": "g""#, messageID: nil).rejection
    #expect(rejection?.field == "message_id")
  }

  @Test("only operators select by group or prefix", arguments: ["ops", "sender", "op", ""])
  func operators(user: String) {
    let rejection = batch(.stop, #""prefix": "a""#, userID: user).rejection
    #expect(rejection?.field == (user == "ops" ? nil : "user_id"))
    #expect(user == "ops" || rejection?.reason.contains("POCKETWATCH_OPERATORS") == true)
    guard case .command = batch(.stop, #""id": "a""#, userID: user) else {
      Issue.record("a command on one schedule is for everyone")
      return
    }
  }

  @Test(
    "what is wrong is named",
    arguments: [
      (EventName.pause, #""id": "a", "until": "2030-01-01T00:00:00Z", "for": "1h""#, "for"),
      (.pause, #""id": "a", "for": 5"#, "for"), (.pause, #""id": "a", "until": "tomorrow""#, "until"),
      (.pause, #""id": "a", "group": "g""#, "group"), (.stop, #""prefix": "a", "id": "a""#, "prefix"),
      (.stop, #""prefix": "a", "group": "a""#, "prefix"), (.stop, #""reason": "r""#, "id"),
      (.resume, #""group": """#, "group"), (.resume, #""prefix": """#, "prefix"), (.stop, #""group": 1"#, "group"),
      (.stop, #""prefix": "\#(String(repeating: "p", count: 201))""#, "prefix"),
      (.stop, #""group": "g", "max": 0"#, "max"), (.stop, #""group": "g", "max": 100001"#, "max"),
      (.stop, #""group": "g", "max": "9""#, "max"), (.stop, #""max": 9"#, "max"),
      (.pause, #""group": "g", "until": "2030-01-01T00:00:00Z", "for": "1h""#, "for"),
      (.resume, #""id": "a", "max": 5"#, "max"), (.resume, #""id": "a", "misfirePolicy": "all""#, "misfirePolicy"),
      (.trigger, #""payload": 1"#, "id"), (.update, #""id": "a", "cron": "x""#, "cron"),
      (.update, #""id": "a", "cron": "* * * * *", "every": "1h""#, "every"),
      (.update, #""id": "a", "paused": true"#, "paused"), (.update, #""id": "a", "ifExists": "keep""#, "ifExists"),
      (.update, #""id": "a", "target": {}"#, "target.detailType"),
      (.update, #""id": "a", "remove": "limit""#, "remove"),
      (.update, #""id": "a", "remove": ["cron"]"#, "remove"), (.update, #""id": "a", "remove": [1]"#, "remove"),
      (.update, #""id": "a", "limit": 5, "remove": ["limit"]"#, "remove"),
      (.update, #""id": "a", "ifRevision": "1""#, "ifRevision"),
      (.start, #""id": "a", "every": "1h", "target": {}"#, "target.detailType"),
      (.start, #""id": "a", "every": "1h", "paused": "yes""#, "paused"),
      (.start, #""id": "a", "every": "1h", "group": """#, "group"),
      (.start, #""id": "a", "every": "1h", "group": "\#(String(repeating: "g", count: 201))""#, "group"),
      (.start, #""id": "a", "every": "1h", "tags": "x""#, "tags"),
      (.start, #""id": "a", "every": "1h", "tags": [""]"#, "tags"),
      (.start, #""id": "a", "every": "1h", "tags": ["\#(String(repeating: "t", count: 65))"]"#, "tags"),
      (.start, #""id": "a", "every": "1h", "tags": [\#((1...17).map { "\"\($0)\"" }.joined(separator: ","))]"#, "tags"),
      (.start, #""id": "a", "every": "1h", "description": "\#(String(repeating: "d", count: 1025))""#, "description"),
    ])
  func rejected(name: EventName, members: String, field: String) {
    let rejection = rejection(name, members)
    #expect(rejection?.field == field, "\(members): \(rejection?.reason ?? "accepted")")
    #expect(rejection?.command == name.rawValue)
  }
}

@Suite("Control outcomes out")
struct ControlOutcomeTests {
  private let encoder = EventEncoder(stack: "s", random: { 0x0123_4567_89AB_CDEF })
  private let now = instant("2026-11-23T08:30:00.004Z")

  private func schedule(_ change: (inout Schedule) -> Void = { _ in }) throws -> Schedule {
    let slot = instant("2026-11-23T09:30:00Z")
    var schedule = Schedule(
      definition: Definition(
        id: scheduleID("a"), timing: .cron(try CronExpression("30 * * * *")), payload: Array("[1.0]".utf8),
        group: "g", tags: ["t"], description: "d"),
      origin: Origin(), key: Schedule.Key(generation: 7, beginningAt: slot),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot)), counter: 3))
    schedule.control.revision = 5
    change(&schedule)
    return schedule
  }

  private func encode(_ controlled: Controlled) -> OutgoingMessage {
    encoder.encode(.controlled(controlled), origin: Origin(), at: SendingTime(now))
  }

  private let definition = #""id":"a","cron":"30 * * * *","group":"g","tags":["t"],"description":"d""#

  private func detail(_ message: OutgoingMessage) -> String {
    let body = message.body.utf8Text
    let range = body.firstRange(of: #""Detail":"#)
    return String(range.map { body[$0.upperBound...].dropLast() } ?? "")
  }

  @Test("Batch Done")
  func batchDone() {
    let counts = BatchCounts(matched: 5, changed: 3)
    for (selector, field) in [
      (BatchCommand.Selector.group(Array("g".utf8)), #""group":"g""#), (.prefix(Array("p:".utf8)), #""prefix":"p:""#),
    ] {
      let message = encoder.encode(
        .batchDone(BatchDone(command: .pause, selector: selector, counts: counts)), origin: Origin(messageID: [7]),
        at: SendingTime(now))
      #expect(message.type == "Schedule Batch Done" && message.correlationID == [7] && message.messageID.count == 36)
      #expect(detail(message) == #"{"command":"Schedule Pause",\#(field),"matched":5,"changed":3,"unchanged":2}"#)
    }
  }

  @Test("Paused")
  func paused() throws {
    let paused = try schedule {
      $0.control.pause = Schedule.Pause(since: now, until: instant("2026-12-01T00:00:00Z"), reason: "holiday")
    }
    let message = encode(Controlled(.paused, paused))
    #expect(message.type == "Schedule Paused")
    #expect(
      detail(message)
        == #"{\#(definition),"counter":3,"pausedDate":"2026-11-23T08:30:00.004Z","pausedUntil":"2026-12-01T00:00:00.000Z","#
        + #""reason":"holiday","revision":5,"paused":true,"payload":[1.0]}"#)
  }

  @Test("Resumed, and its message_id if a pause ended by itself")
  func resumed() throws {
    var resumed = Controlled(.resumed(missed: 2, reason: "back"), try schedule())
    let message = encode(resumed)
    #expect(
      detail(message)
        == #"{\#(definition),"counter":3,"nextTickDate":"2026-11-23T09:30:00.000Z","missed":2,"reason":"back","#
        + #""revision":5,"paused":false,"payload":[1.0]}"#)
    #expect(message.messageID.count == 36)
    resumed.isOwed = true
    #expect(encode(resumed).messageID.utf8Text == "a@7/resumed/5")
  }

  @Test("Updated lists what changed and what was ignored")
  func updated() throws {
    let message = encode(Controlled(.updated(changed: ["cron", "limit"], ignored: ["x"]), try schedule()))
    #expect(
      detail(message)
        == #"{\#(definition),"counter":3,"nextTickDate":"2026-11-23T09:30:00.000Z","changed":["cron","limit"],"#
        + #""ignored":["x"],"revision":5,"paused":false,"payload":[1.0]}"#)
  }

  @Test("Triggered and its tick have one tickId")
  func triggered() throws {
    let message = encode(Controlled(.triggered(now), try schedule()))
    let id = "a@2026-11-23T08:30:00.004Z/trigger"
    #expect(
      detail(message)
        == #"{"id":"a","tickId":"\#(id)","counter":3,"nextTickDate":"2026-11-23T09:30:00.000Z","revision":5,"paused":false}"#
    )
    let tick = Tick(
      definition: try schedule().definition, generation: 7, counter: 3, slot: now, missed: 0, nextSlot: nil,
      isTriggered: true)
    let sent = encoder.encode(.tick(tick), origin: Origin(), at: SendingTime(now))
    #expect(sent.messageID.utf8Text == id)
    #expect(
      detail(sent)
        == #"{\#(definition),"counter":3,"tickId":"\#(id)","scheduledTime":"2026-11-23T08:30:00.004Z","#
        + #""trigger":"manual","payload":[1.0]}"#)
  }

  @Test("the longest id leaves room for the longest suffix")
  func longestMessageID() throws {
    var resumed = Controlled(.resumed(missed: 0, reason: nil), try schedule { $0.control.revision = .max })
    resumed.id = scheduleID(String(repeating: "x", count: ScheduleID.maximumLength))
    (resumed.generation, resumed.isOwed) = (.max, true)
    #expect(encode(resumed).messageID.count <= 255)
  }
}
