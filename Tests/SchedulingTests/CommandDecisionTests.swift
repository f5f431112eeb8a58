import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// The decision on one command, given the stored state.
struct CommandDecisionTests {
  private let hourly: Definition
  private let origin = Origin(messageID: [1], traceparent: "command")
  private let secret = SipHash.Key(3, 4)

  init() throws {
    hourly = Definition(id: "a", timing: try Timing(cron: "0 * * * *"))
  }

  private var live: Schedule {
    var schedule = Schedule(
      definition: hourly, origin: Origin(messageID: [9], traceparent: "schedule"), generation: 3, counter: 7,
      state: .live(Schedule.NextTick(slot: .second(3600), due: .second(3600))))
    schedule.declaration = Schedule.Declaration(digest: hourly.digest(secret: secret), isLasting: true)
    return schedule
  }

  /// An ended schedule, its payload dropped; `digest` is nil if an earlier version started it.
  private func ended(
    _ kind: Schedule.Ending.Kind, payload: [UInt8]? = nil, hasDigest: Bool = true
  ) -> Schedule {
    var definition = hourly
    definition.payload = payload
    var schedule = live
    schedule.declaration.digest = hasDigest ? definition.digest(secret: secret) : nil
    schedule.progress.state = .ended(Schedule.Ending(reason: "x", at: .noon, owesStopped: false, kind: kind))
    return schedule
  }

  private var ended: Schedule {
    var schedule = live
    schedule.progress.state = .ended(Schedule.Ending(reason: "stopped", at: .noon, owesStopped: false))
    return schedule
  }

  private func start(
    _ definition: Definition, existing: Schedule? = nil, zone: ZoneRules? = .utc
  ) -> (CommandDecision, RememberedCommand.Answer) {
    CommandDecision.start(
      Command.Start(definition: definition), existing: existing, generation: 4, zone: zone, origin: origin,
      beginning: beginning, secret: secret)
  }

  private let beginning = Schedule.Beginning(at: .noon)

  @Test func startMakesANewSchedule() {
    for (existing, effect) in [(nil, Started.Effect.created), (live, .replaced), (ended, .created)] {
      let (decision, answer) = start(hourly, existing: existing)
      let nextTick = Schedule.NextTick(slot: .second(3600), due: .second(3600))
      var control = Schedule.Control()
      if effect == .replaced { control.revision = 2 }
      let begun = Schedule(
        definition: hourly, origin: origin, key: Schedule.Key(generation: 4, beginningAt: .second(3600)),
        progress: Schedule.Progress(state: .live(nextTick)),
        declaration: Schedule.Declaration(digest: hourly.digest(secret: secret)), control: control)
      #expect(decision.changes == [.start(begun, beginning)])
      #expect(
        decision.event
          == .started(
            Started(
              definition: hourly, generation: 4, counter: 0, nextSlot: .second(3600), effect: effect, ignored: [],
              revision: control.revision)))
      #expect(answer == .started(generation: 4, effect: effect))
      #expect(decision.settlement == .acknowledge)
      #expect(decision.origin == origin)
    }
  }

  // MARK: ifExists

  private func start(_ ifExists: IfExists?, existing: Schedule?, changed: Bool = false) -> CommandDecision {
    var definition = hourly
    definition.ifExists = ifExists
    if changed { definition.limit = 5 }
    return start(definition, existing: existing).0
  }

  @Test(arguments: [nil] + IfExists.allCases)
  func ifExistsMeansLiveOnes(ifExists: IfExists?) {
    for existing in [nil, ended] {
      let decision = start(ifExists, existing: existing)
      #expect(decision.changes.count == 1)
      guard case .started(let started) = decision.event else { return #expect(Bool(false), "refused") }
      #expect(started.effect == .created)
    }
  }

  /// The outcome describes the unchanged schedule.
  @Test(arguments: [(IfExists.keep, false), (.keep, true), (.replaceIfChanged, false)])
  func aLiveOneStays(ifExists: IfExists, changed: Bool) {
    let decision = start(ifExists, existing: live, changed: changed)
    #expect(decision.changes.isEmpty)
    #expect(
      decision.event
        == .started(
          Started(definition: hourly, generation: 3, counter: 7, nextSlot: .second(3600), effect: .kept, ignored: [])))
    #expect(decision.settlement == .acknowledge)
  }

  @Test(
    arguments: [(nil, false), (.replace, false), (.replace, true), (.replaceIfChanged, true)] as [(IfExists?, Bool)])
  func aLiveOneIsReplaced(ifExists: IfExists?, changed: Bool) {
    let decision = start(ifExists, existing: live, changed: changed)
    #expect(decision.changes.count == 1)
    guard case .started(let started) = decision.event else { return #expect(Bool(false), "refused") }
    #expect(started.effect == .replaced)
  }

  /// A rejection that depends on the stored state: acknowledged, not dead-lettered.
  @Test func rejectRefusesForALiveOne() {
    let decision = start(.reject, existing: live)
    #expect(decision.changes.isEmpty)
    guard case .rejected(let rejection) = decision.event else { return #expect(Bool(false), "accepted") }
    #expect(rejection.field == "ifExists")
    #expect(decision.settlement == .acknowledge)
  }

  /// A duplicate of a Start that kept a schedule describes that schedule, whatever the Start asked for.
  @Test func repeatOfAKeptStart() {
    var definition = hourly
    definition.limit = 5
    let decision = CommandDecision.repeated(
      .start(Command.Start(definition: definition)), .started(generation: 3, effect: .kept), existing: live,
      origin: origin, secret: secret)
    #expect(
      decision.event
        == .started(
          Started(
            definition: hourly, generation: 3, counter: 7, nextSlot: .second(3600), effect: .kept, ignored: [],
            isRepeated: true)))
  }

  // MARK: Ended and declared again

  @Test(arguments: Schedule.Ending.Kind.allCases, [nil] + IfExists.allCases)
  func endedOnes(kind: Schedule.Ending.Kind, ifExists: IfExists?) {
    let isKept = kind != .stopped && (ifExists == .keep || ifExists == .replaceIfChanged)
    let decision = start(ifExists, existing: ended(kind))
    guard case .started(let started) = decision.event else { return #expect(Bool(false), "refused") }
    #expect(started.effect == (isKept ? .kept : .created))
    #expect(started.hasEnded == isKept)
    #expect((started.nextSlot == nil) == isKept)
    #expect(decision.changes.isEmpty == isKept)
    guard isKept else { return }
    #expect(started.generation == 3)
    #expect(started.counter == 7)
    // Another definition is another schedule.
    let changed = start(ifExists, existing: ended(kind), changed: true)
    guard case .started(let created) = changed.event else { return #expect(Bool(false), "refused") }
    #expect(created.effect == .created && !created.hasEnded)
  }

  /// The row has lost its payload: the digest says whether it was the same, and the outcome includes it.
  @Test func payloadOfAnEndedOne() {
    var definition = hourly
    definition.ifExists = .keep
    for (payload, isSame) in [("1.0", true), ("1", false), (nil, false)] {
      definition.payload = payload.map { Array($0.utf8) }
      let (decision, answer) = start(definition, existing: ended(.finished, payload: Array("1.0".utf8)))
      guard case .started(let started) = decision.event else { return #expect(Bool(false), "refused") }
      #expect(started.effect == (isSame ? .kept : .created))
      #expect(started.definition.payload == definition.payload)
      guard isSame else { continue }
      #expect(answer == .started(generation: 3, effect: .kept))
      let again = CommandDecision.repeated(
        .start(Command.Start(definition: definition)), answer, existing: ended(.finished, payload: definition.payload),
        origin: origin, secret: secret)
      guard case .started(var repeated) = again.event else { return #expect(Bool(false), "refused") }
      #expect(repeated.isRepeated)
      repeated.isRepeated = false
      #expect(repeated == started)
    }
  }

  /// The payload is not compared with a row from an earlier version, once: then its digest is stored.
  @Test func endedOneOfAnEarlierVersion() throws {
    var definition = hourly
    definition.ifExists = .keep
    definition.payload = Array("1".utf8)
    var row = ended(.fired, hasDigest: false)
    row.declaration.isLasting = false
    let (decision, _) = start(definition, existing: row)
    let declaration = Schedule.Declaration(digest: definition.digest(secret: secret), isLasting: true)
    #expect(decision.changes == [.declare(row.key, declaration)])
    row.declare(declaration)
    #expect(row.ending?.kind == .lasting)
    definition.payload = Array("2".utf8)
    guard case .started(let started) = start(definition, existing: row).0.event else { throw Unexpected() }
    #expect(started.effect == .created)
  }

  /// A live schedule from an earlier version still has its payload.
  @Test func liveOneOfAnEarlierVersion() throws {
    var row = live
    row.declaration = Schedule.Declaration()
    let decision = start(.keep, existing: row, changed: true)
    #expect(decision.changes == [.declare(row.key, live.declaration)])
    var definition = hourly
    definition.ifExists = .replaceIfChanged
    definition.payload = [0x31]
    guard case .started(let started) = start(definition, existing: row).0.event else { throw Unexpected() }
    #expect(started.effect == .replaced)
  }

  /// A Start is compared with the last Start, not with what an Update changed.
  @Test func theLastStartIsCompared() throws {
    var row = live
    row.definition.limit = 9
    guard case .started(let started) = start(.replaceIfChanged, existing: row).event else { throw Unexpected() }
    #expect(started.effect == .kept)
    #expect(started.definition.limit == 9)
  }

  /// The field named in the rejection of a Start without any slot.
  @Test(
    arguments: [
      ("cron", nil, "endDate"), ("cron", "start", "endDate"), ("past", nil, "cron"), ("at", "start", "startDate"),
      ("at", "end", "endDate"), ("duration", "start", "startDate"), ("duration", "end", "endDate"),
    ] as [(String, String?, String)])
  func noSlotNamesTheField(timing: String, date: String?, field: String) throws {
    var definition = hourly
    switch timing {
    case "past": definition.timing = try Timing(cron: "0 0 0 1 1 * 2020")
    case "at": definition.timing = .at(.second(5))
    case "duration": definition.timing = try Timing(duration: "5s")
    default: definition.endDate = .second(10)
    }
    if date == "start" { definition.startDate = .second(6) }
    if date == "end" { definition.endDate = .second(4) }
    let (decision, answer) = start(definition, existing: live)
    #expect(decision.changes.isEmpty)
    guard case .rejected(let rejection) = decision.event else { throw Unexpected() }
    #expect(rejection.field == field)
    #expect(rejection.id == "a")
    #expect(rejection.command == "Schedule Start")
    #expect(answer == .rejected(field: field, reason: rejection.reason, isOfState: false))
    #expect(decision.settlement == .deadLetter)
  }

  struct Unexpected: Error {}

  @Test func missingZoneIsNamed() throws {
    var definition = hourly
    definition.timezone = "Mars/Olympus"
    let (decision, _) = start(definition, zone: nil)
    guard case .rejected(let rejection) = decision.event else { throw Unexpected() }
    #expect(rejection.field == "timezone")
    #expect(rejection.reason.contains("Mars/Olympus"))
    #expect(decision.settlement == .deadLetter)
  }

  /// The Stopped is correlated with the command and belongs to the schedule's trace.
  @Test func stopEndsALiveSchedule() {
    let (decision, answer) = CommandDecision.stop(
      Command.Stop(id: "a", reason: "enough"), existing: live, origin: origin, now: .noon)
    let ending = Schedule.Ending(reason: "enough", at: .noon, owesStopped: false)
    #expect(
      decision.changes == [.advance(live.key, from: .second(3600), to: live.progress.with(state: .ended(ending)))])
    #expect(
      decision.event
        == .stopped(Stopped(definition: hourly, id: "a", generation: 3, counter: 7, reason: "enough")))
    #expect(decision.origin == Origin(messageID: [1], traceparent: "schedule"))
    #expect(answer == .stopped(generation: 3))
  }

  @Test func stopOfNothingIsAnsweredAndDoneWith() throws {
    for existing in [nil, ended] {
      let (decision, answer) = CommandDecision.stop(
        Command.Stop(id: "a"), existing: existing, origin: origin, now: .noon)
      guard case .rejected(let rejection) = decision.event else { throw Unexpected() }
      #expect(rejection.field == "id")
      #expect(rejection.command == "Schedule Stop")
      #expect(decision.changes.isEmpty)
      #expect(decision.settlement == .acknowledge)
      #expect(answer == .rejected(field: "id", reason: rejection.reason, isOfState: true))
    }
  }

  /// A duplicate changes nothing, whatever its first answer and whatever is stored now.
  @Test func repeatChangesNothing() {
    let commands: [Command] = [.start(Command.Start(definition: hourly)), .stop(Command.Stop(id: "a"))]
    let answers: [RememberedCommand.Answer] = [
      .started(generation: 3, effect: .replaced), .started(generation: 2, effect: .replaced), .stopped(generation: 3),
      .controlled(generation: 3), .rejected(field: "id", reason: "no", isOfState: true),
      .rejected(field: "cron", reason: "never", isOfState: false),
    ]
    for command in commands {
      for answer in answers {
        for existing in [nil, live, ended] {
          let decision = CommandDecision.repeated(command, answer, existing: existing, origin: origin, secret: secret)
          #expect(decision.changes.isEmpty)
          #expect(decision.event.scheduleID == "a")
          guard case .rejected(_, _, let isOfState) = answer else { continue }
          #expect(decision.settlement == (isOfState ? .acknowledge : .deadLetter))
        }
      }
    }
  }
}
