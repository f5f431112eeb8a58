import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// What is to be done about one command, given what is stored.
struct CommandDecisionTests {
  private let hourly: Definition
  private let origin = Origin(messageID: [1], traceparent: "command")

  init() throws {
    hourly = Definition(id: "a", timing: try Timing(cron: "0 * * * *"))
  }

  private var live: Schedule {
    Schedule(
      definition: hourly, origin: Origin(messageID: [9], traceparent: "schedule"), generation: 3, counter: 7,
      state: .live(Schedule.Pending(slot: .second(3600), due: .second(3600))))
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
      beginning: beginning)
  }

  private let beginning = Schedule.Beginning(at: .noon, userID: "billing")

  @Test func startMakesANewSchedule() {
    for (existing, effect) in [(nil, Started.Effect.created), (live, .replaced), (ended, .created)] {
      let (decision, answer) = start(hourly, existing: existing)
      let pending = Schedule.Pending(slot: .second(3600), due: .second(3600))
      let begun = Schedule(
        definition: hourly, origin: origin, key: Schedule.Key(generation: 4, beginningAt: .second(3600)),
        progress: Schedule.Progress(state: .live(pending)))
      #expect(decision.changes == [.start(begun, beginning)])
      #expect(
        decision.event
          == .started(
            Started(
              definition: hourly, generation: 4, counter: 0, nextSlot: .second(3600), effect: effect, ignored: [])))
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

  /// The answer shows the schedule that stays.
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

  /// Refused for what is scheduled, not for what it is: answered and done with, no dead letter.
  @Test func rejectRefusesForALiveOne() {
    let decision = start(.reject, existing: live)
    #expect(decision.changes.isEmpty)
    guard case .rejected(let rejection) = decision.event else { return #expect(Bool(false), "accepted") }
    #expect(rejection.field == "ifExists")
    #expect(decision.settlement == .acknowledge)
  }

  /// A repeat of a Start that kept a schedule shows that schedule, whatever the Start itself asked for.
  @Test func repeatOfAKeptStart() {
    var definition = hourly
    definition.limit = 5
    let decision = CommandDecision.repeated(
      .start(Command.Start(definition: definition)), .started(generation: 3, effect: .kept), existing: live,
      origin: origin)
    #expect(
      decision.event
        == .started(
          Started(definition: hourly, generation: 3, counter: 7, nextSlot: .second(3600), effect: .kept, ignored: [])))
  }

  /// The field that a Start without any slot is refused for.
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
    #expect(answer == .rejected(field: field, reason: rejection.reason))
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

  /// The Stopped answers the command and belongs to the schedule's trace.
  @Test func stopEndsALiveSchedule() {
    let (decision, answer) = CommandDecision.stop(
      Command.Stop(id: "a", reason: "enough"), existing: live, origin: origin, now: .noon)
    let ending = Schedule.Ending(reason: "enough", at: .noon, owesStopped: false)
    #expect(decision.changes == [.proceed(live.key, from: .second(3600), to: live.progress.becoming(.ended(ending)))])
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
      #expect(answer == .rejected(field: "id", reason: rejection.reason))
    }
  }

  /// A repeat changes nothing, whatever it was answered and whatever stands there now.
  @Test func repeatChangesNothing() {
    let commands: [Command] = [.start(Command.Start(definition: hourly)), .stop(Command.Stop(id: "a"))]
    let answers: [RememberedCommand.Answer] = [
      .started(generation: 3, effect: .replaced), .started(generation: 2, effect: .replaced), .stopped(generation: 3),
      .rejected(field: "id", reason: "no"), .rejected(field: "cron", reason: "never"),
    ]
    for command in commands {
      for answer in answers {
        for existing in [nil, live, ended] {
          let decision = CommandDecision.repeated(command, answer, existing: existing, origin: origin)
          #expect(decision.changes.isEmpty)
          #expect(decision.event.scheduleID == "a")
          guard case .rejected(let field, _) = answer else { continue }
          #expect(decision.settlement == (field == "id" ? .acknowledge : .deadLetter))
        }
      }
    }
  }
}
