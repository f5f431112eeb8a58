import Foundation
import Recurrence
import Scheduling
import Testing

@testable import AMQP
@testable import EventBus
@testable import PocketwatchService

/// The tables of the events' reference, compared with what the decoder reads and the encoder writes, in both directions.
@Suite("ops/docs/contract.md")
struct ContractDocumentTests {
  private let document: ReferenceDocument

  init() throws {
    document = try ReferenceDocument("ops/docs/contract.md")
  }

  @Test("has a section for each event, and no other")
  func events() {
    let sections = document.headings.filter { $0.hasPrefix("Schedule ") }
    #expect(sections.sorted() == EventName.allCases.map(\.rawValue).sorted())
  }

  // MARK: - Commands

  @Test("lists each field that a command accepts, and no other", arguments: EventName.requests)
  func command(name: EventName) {
    #expect(document.names(under: name.rawValue).sorted() == Self.accepted(by: name).sorted())
  }

  /// The fields whose value a command is rejected for, and `payload`, which may be anything.
  private static func accepted(by command: EventName) -> [String] {
    DetailFields.Name.allCases.filter { name in
      let timing = ["cron", "duration", "at", "every"]
      var members = [(name.rawValue, "{}")]
      if name != .id { members.append(("id", #""x""#)) }
      if command == .start, !timing.contains(name.rawValue) { members.append(("every", #""1h""#)) }
      switch decode(command, members) {
      case .malformed(let rejection):
        let isAbout = rejection.field == name.rawValue || rejection.field.hasPrefix(name.rawValue + ".")
        return isAbout && !rejection.reason.hasSuffix("is not supported here by this version")
      case .command(.start(let start), _): return name == .payload && start.definition.payload == Array("{}".utf8)
      case .command(.trigger(let trigger), _): return name == .payload && trigger.payload == Array("{}".utf8)
      case .command(.update(let update), _): return update.change.values == [.payload(Array("{}".utf8))]
      default: return false
      }
    }.map(\.rawValue)
  }

  private static func decode(_ command: EventName, _ members: [(String, String)]) -> ReceivedCommand.Content {
    let decoder = CommandDecoder(zones: { _ in .utc }, secret: SipHash.Key(1, 2))
    let detail = members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ")
    let body = "{\"DetailType\": \"\(command.rawValue)\", \"Detail\": {\(detail)}}"
    return decoder.decode(
      IncomingMessage(routingKey: Array(command.rawValue.utf8), messageID: [1], replyTo: [1], body: Array(body.utf8))
    ).content
  }

  @Test("lists what a command ignores by no name that it accepts", arguments: [EventName.start, .update])
  func ignored(by command: EventName) throws {
    let members = DetailFields.Name.allCases.map { "\"\($0.rawValue)\": null" }.joined(separator: ", ")
    var fields = DetailFields()
    var reader = try JSONReader(Array("{\(members)}".utf8)[...])
    try fields.read(&reader)
    let ignored = fields.unknown(to: command)
    #expect(Set(ignored).isDisjoint(with: document.names(under: command.rawValue)))
    #expect(ignored.contains("reason"))
  }

  @Test("the commands that it and the README show are accepted", arguments: ["README.md", "ops/docs/contract.md"])
  func examples(file: String) throws {
    let blocks = try ReferenceDocument(file).text.matches(of: /```json\n([^`]*)```/).map { $0.output.1 }
    let starts = blocks.filter { $0.contains(#""Schedule Start""#) }
    #expect(!starts.isEmpty)
    let decoder = CommandDecoder(zones: { _ in .utc }, secret: SipHash.Key(1, 2))
    for start in starts {
      let message = IncomingMessage(routingKey: Array("Schedule Start".utf8), body: Array(start.utf8))
      guard case .command(.start(let command), _) = decoder.decode(message).content else {
        Issue.record("rejected: \(start)")
        continue
      }
      #expect(command.ignored.isEmpty)
    }
  }

  @Test("lists the values of misfirePolicy and ifExists")
  func choices() {
    #expect(document.names(under: "Missed slots") == MisfirePolicy.allCases.map(\.rawValue))
    #expect(document.names(under: "Schedule Resume", table: 1) == MisfirePolicy.allCases.map(\.rawValue))
    #expect(document.names(under: "Declaring schedules on startup") == IfExists.allCases.map(\.rawValue))
  }

  @Test("lists the fields that an Update can remove")
  func removable() throws {
    let row = try #require(document.rows(under: "Schedule Update").first { $0[0] == "`remove`" })
    #expect(ReferenceDocument.names(in: row[1]) == DefinitionChange.Removable.allCases.map(\.rawValue))
  }

  // MARK: - Events of the service

  @Test("lists each field of Detail of an event, and no other", arguments: EventName.allCases.filter(\.isOwn))
  func fields(of name: EventName) throws {
    let written = try Self.samples().filter { $0.name == name }.map { try Self.detail(of: $0) }
    #expect(!written.isEmpty)
    #expect(documented(name).sorted() == Set(written.joined()).sorted())
  }

  @Test("the samples here have each field that the encoder can write")
  func samples() throws {
    let written = Set(try Self.samples().flatMap { Self.names(in: try Self.object(of: $0)) })
    let source = try ["Events", "Replies"].map {
      try ReferenceDocument("Sources/EventBus/JSONWriter+\($0).swift").text
    }.joined()
    let fields = source.matches(of: /(?:field|flag)\("([A-Za-z]+)"/).map { String($0.output.1) }
    #expect(fields.count > 20)
    #expect(Set(fields).subtracting(written).isEmpty)
  }

  @Test("lists the fields of the envelope, in and out")
  func envelope() throws {
    let documented = document.names(under: "Exchange, routing keys, envelope", column: 0)
    #expect(documented == IncomingEvent.Name.allCases.map(\.rawValue))
    for sample in try Self.samples() {
      #expect(try Self.object(of: sample).keys.sorted() == documented.sorted())
    }
  }

  @Test("lists the properties and headers of an event")
  func properties() throws {
    let section = "AMQP properties and headers"
    var headers: [String] = []
    let tick = try #require(try Self.samples().first { $0.name == .tick })
    tick.forEachHeader { name, _ in headers.append("\(name)") }
    #expect(document.names(under: section, table: 1).sorted() == headers.sorted())
    #expect(document.names(under: section, table: 0).sorted() == (try Self.properties()).sorted())
  }

  /// The fields of a section's table. The definition stands for the fields of the Start, which are all echoed but one.
  private func documented(_ name: EventName) -> [String] {
    document.rows(under: name.rawValue).flatMap { row in
      guard row[0] == "the definition" else { return ReferenceDocument.names(in: row[0]) }
      return document.names(under: "Schedule Start").filter { $0 != "paused" }
    }
  }

  // MARK: - Samples

  /// Messages that together have every field.
  private static func samples() throws -> [OutgoingMessage] {
    let encoder = EventEncoder(stack: "pocketwatch")
    let time = SendingTime(Instant(milliseconds: 0))
    return try (events().map(Reply.Content.event) + replies()).map { encoder.encode($0, origin: origin, at: time) }
  }

  private static func replies() throws -> [Reply.Content] {
    let slot = Instant(milliseconds: 0)
    let schedules = try events().compactMap { event -> Schedule? in
      guard case .tick(let tick) = event else { return nil }
      return Schedule(
        definition: tick.definition, origin: origin, key: Schedule.Key(generation: 1, cohort: 0),
        progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot))))
    }
    let last = Schedule.Tally.Last(slot: slot, latenessMilliseconds: 0, confirmationMilliseconds: 0)
    let history = Schedule.History(
      beginning: Schedule.Beginning(at: slot), tally: Schedule.Tally(last: last))
    let paused = schedules.map { schedule in
      var schedule = schedule
      schedule.control.pause = Schedule.Pause(since: slot, until: slot, reason: "r")
      return schedule
    }
    return (schedules + paused).map { .described(Described(schedule: $0, history: history, upcoming: [slot])) }
      + [.listed(Listed(schedules: schedules, next: "n"))]
  }

  private static let target = Target(
    exchange: "e", routingKey: "k", detailType: "A", source: "s", body: .event, contentType: "text/plain",
    headers: [.init(name: "h", value: .integer(1))], expiration: "1", priority: 1)

  @Test("lists the fields of a target, and what it sends")
  func targetFields() throws {
    let section = "Targets: any event instead of the tick"
    let tickMessage = try #require(try Self.samples().first { $0.name == .tick })
    let json = try #require(Self.object(of: tickMessage)["Detail"] as? [String: Any])
    let written = try #require(json["target"] as? [String: Any]).keys.sorted()
    #expect(document.names(under: section, table: 0).sorted() == written)
    var definition = Definition(id: ScheduleID(stored: [0x78]), timing: .at(Instant(milliseconds: 0)))
    definition.target = Self.target
    let tick = Tick(
      definition: definition, generation: 1, counter: 0, slot: Instant(milliseconds: 0), missed: 0, nextSlot: nil)
    let message = try #require(
      EventEncoder(stack: "x").encodeTarget(
        of: tick, origin: Self.origin, at: SendingTime(Instant(milliseconds: 0))))
    var headers: [String] = []
    message.forEachHeader { name, _ in headers.append("\(name)") }
    #expect(document.names(under: section, table: 1).sorted() == headers.sorted())
  }

  private static func events() throws -> [OutgoingEvent] {
    let hour = try DurationExpression("1h")
    let slot = Instant(milliseconds: 0)
    let timings: [Timing] = [.cron(try CronExpression("@daily")), .every(hour), .at(slot), .duration(hour)]
    return timings.flatMap { timing -> [OutgoingEvent] in
      let definition = Definition(
        id: ScheduleID(stored: Array("x".utf8)), timing: timing, limit: 1, timezone: "UTC", startDate: slot,
        endDate: slot, jitter: hour, misfirePolicy: .skip, catchupWindow: hour, ifExists: .keep,
        payload: Array("1".utf8), group: "g", tags: ["t"], description: "d", target: target)
      func started(_ effect: Started.Effect, hasEnded: Bool) -> OutgoingEvent {
        .started(
          Started(
            definition: definition, generation: 1, counter: 0, nextSlot: slot, hasEnded: hasEnded, effect: effect,
            ignored: ["y"]))
      }
      func tick(isTriggered: Bool) -> OutgoingEvent {
        .tick(
          Tick(
            definition: definition, generation: 1, counter: 0, slot: slot, missed: 1, nextSlot: slot,
            isTriggered: isTriggered))
      }
      func controlled(_ effect: Controlled.Effect, pause: Schedule.Pause? = nil) -> OutgoingEvent {
        var schedule = Schedule(
          definition: definition, origin: origin, key: Schedule.Key(generation: 1, cohort: 0),
          progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: slot, due: slot))))
        schedule.control.pause = pause
        var controlled = Controlled(effect, schedule)
        (controlled.nextSlot, controlled.hasEnded) = (slot, true)
        return .controlled(controlled)
      }
      let stopped = Stopped(
        definition: definition, id: definition.id, generation: 1, counter: 0, reason: "")
      return [
        tick(isTriggered: false), tick(isTriggered: true), started(.replaced, hasEnded: false),
        started(.kept, hasEnded: true), .stopped(stopped),
        controlled(.paused, pause: Schedule.Pause(since: slot, until: slot, reason: "r")),
        controlled(.resumed(missed: 1, reason: "r")), controlled(.triggered(slot)),
        controlled(.updated(changed: ["cron"], ignored: ["y"])),
        .rejected(Rejection(id: definition.id, command: "", field: "", reason: "")),
      ]
        + [BatchCommand.Selector.group([1]), .prefix([1])].map {
          .batchDone(BatchDone(command: .stop, selector: $0, counts: BatchCounts()))
        }
    }
  }

  private static let origin = Origin(messageID: [1], userID: "u", traceparent: "p", tracestate: "s")

  private static func object(of message: OutgoingMessage) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
  }

  /// The names of all members, at any depth.
  private static func names(in value: Any) -> [String] {
    if let object = value as? [String: Any] { return object.flatMap { [$0.key] + names(in: $0.value) } }
    return (value as? [Any])?.flatMap(names) ?? []
  }

  private static func detail(of message: OutgoingMessage) throws -> [String] {
    try #require(object(of: message)["Detail"] as? [String: Any]).keys.sorted()
  }

  /// The names of the AMQP properties that a tick has, from the flags of its header frame.
  private static func properties() throws -> [String] {
    // From the highest bit on, as the protocol has them.
    let names = [
      "content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
      "expiration", "message_id", "timestamp", "type", "user_id", "app_id", "cluster_id",
    ]
    let encoder = MessageEncoder(names: TopologyNames(), sendsUserID: true)
    encoder.server = ServerInfo(endpoint: "", user: "u", frameMax: 131_072)
    guard case .tick(var content) = try events()[0] else { return [] }
    content.definition.target = nil
    let tick = Publication(number: 0, content: .event(.tick(content)), origin: origin)
    let flags = encoder.encode([tick], at: Instant(milliseconds: 0)).withBytes { bytes in
      // A frame is type, channel, size, payload, end; the flags are behind class, weight and size of the body.
      let method = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 3, as: UInt32.self)))
      return UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: method + 8 + 7 + 12, as: UInt16.self))
    }
    return names.enumerated().filter { flags & (0x8000 >> UInt16($0.offset)) != 0 }.map(\.element)
      .filter { $0 != "headers" }
  }
}
