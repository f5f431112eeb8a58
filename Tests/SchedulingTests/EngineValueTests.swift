import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// The small values of the engine.
struct EngineValueTests {
  @Test("a turn hands changes and answers on together, and reports apart")
  func turn() {
    var turn = Turn()
    turn.report(.ownEventDropped)
    turn.change(.announced(generation: 1))
    let rejection = Rejection(command: "x", field: "body", reason: "")
    turn.answer(
      Turn.Answer(source: .delivery(tag: 1), channel: 1, decision: .malformed(rejection, origin: Origin())))
    #expect(turn.takeAnswersWithoutChanges().count == 0, "they follow the changes")
    let batch = turn.takeBatch(reserving: 0)
    #expect(batch.changes == [.announced(generation: 1)] && batch.answers.count == 1)
    #expect(turn.changes.isEmpty && turn.answers.isEmpty)
    #expect(turn.takeReports().count == 1)
    #expect(turn.takeReports().count == 0)
    turn.answer(
      Turn.Answer(source: .delivery(tag: 2), channel: 1, decision: .malformed(rejection, origin: Origin())))
    #expect(turn.takeAnswersWithoutChanges().count == 1, "nothing is to be stored before it")
    #expect(turn.answers.isEmpty)
  }

  @Test("the sweep begins a while after commands are consumed, and pauses longer when little is left")
  func sweeper() throws {
    let settings = Engine.Settings()
    var sweeper = Sweeper(settings: settings)
    #expect(sweeper.deadline == nil)
    #expect(sweeper.work(at: .second(1_000_000), unsettledSince: .noon) == nil)
    sweeper.commandsOpened(at: .second(0))
    let first = Now.second(0).uptime + settings.sweepDelayMilliseconds
    #expect(sweeper.deadline == first)
    sweeper.commandsOpened(at: .second(100))
    #expect(sweeper.deadline == first, "a later connection does not put it off")
    #expect(sweeper.work(at: .second(599), unsettledSince: .second(599)) == nil)
    guard case .sweep(let retention)? = sweeper.work(at: .second(100_000), unsettledSince: .second(7)) else {
      Issue.record("no sweep")
      return
    }
    #expect(retention.answeredBefore == .second(7), "what may be delivered again is remembered")
    #expect(retention.firedBefore == .second(100_000 - 3600))
    sweeper.swept(settings.sweepStep, at: .second(100_000))
    #expect(sweeper.deadline == Now.second(100_000).uptime + settings.sweepPauseMilliseconds)
    sweeper.swept(settings.sweepStep - 1, at: .second(100_000))
    #expect(sweeper.deadline == Now.second(100_000).uptime + settings.sweepIntervalMilliseconds)
  }

  @Test("a Start is refused when one of its events could be larger than the broker takes")
  func sizeLimit() throws {
    var limit = EventSizeLimit { 1000 + $0.payloadBytes }
    var definition = Definition(id: "a", timing: try Timing(every: "1s"))
    definition.payload = Array(repeating: 1, count: 99_001)
    let start = Command.Start(definition: definition)
    #expect(limit.refusal(of: .start(start), start.definition) == nil, "the limit is not known")
    limit.largestBody = 100_001
    #expect(limit.refusal(of: .start(start), start.definition) == nil)
    limit.largestBody = 100_000
    let refusal = try #require(limit.refusal(of: .start(start), start.definition))
    #expect(refusal.field == "payload" && refusal.reason.contains("100001") && refusal.reason.contains("100000"))
  }

  @Test("busy is what is in flight, what owes a Stopped, and what moves")
  func busy() throws {
    func schedule(_ id: ScheduleID, _ generation: Int64, _ state: Schedule.State) throws -> Schedule {
      Schedule(
        definition: Definition(id: id, timing: try Timing(every: "1s")), origin: Origin(),
        key: Schedule.Key(generation: generation, beginningAt: .noon), progress: Schedule.Progress(state: state))
    }
    let next = Schedule.State.live(Schedule.NextTick(slot: .noon, due: .noon))
    var window = DueWindow()
    window.load(
      DuePage(schedules: [try schedule("sent", 1, next), try schedule("waiting", 2, next)], isLast: true),
      through: .end(of: .bus, due: .second(1)), isInDoubt: { _ in false })
    window.move(1, to: .sent(Schedule.Progress(state: next)))
    var notices = OwedEvents()
    let ending = Schedule.Ending(reason: Schedule.EndReason.countLimit, at: .noon, owesStopped: true)
    _ = notices.admit(try schedule("owed", 3, .ended(ending)), Engine.Settings())
    var review = SlotReview()
    review.move(try schedule("moving", 4, next))
    let busy = Busy(window, notices, review)
    let ids: [ScheduleID] = ["sent", "waiting", "owed", "moving", "other"]
    #expect(ids.filter(busy.contains) == ["sent", "owed", "moving"])
  }
}
