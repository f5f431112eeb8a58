import EventBus
import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

@testable import PocketwatchCLI

/// What `watch` and the commands print, from events as the service encodes them.
@Suite("Events on the terminal")
struct ReceivedEventTests {
  private static let slot = Instant(milliseconds: 1_000)
  private static let sent = Instant(milliseconds: 1_004)
  private static let next = "next 1970-01-01T01:00:01.000Z"

  /// A live schedule of the id `x`, whose next slot is `next`.
  private static func schedule(_ change: (inout Schedule) -> Void = { _ in }) throws -> Schedule {
    let instant = try #require(Instant(rfc3339: "1970-01-01T01:00:01Z"))
    var schedule = Schedule(
      definition: Definition(
        id: ScheduleID(stored: Array("x".utf8)), timing: .every(try DurationExpression("1h")), limit: 9,
        jitter: try DurationExpression("1s"), payload: Array("[1]".utf8)),
      origin: Origin(), generation: 1, counter: 3, state: .live(Schedule.NextTick(slot: instant, due: instant)))
    change(&schedule)
    return schedule
  }

  private func line(_ event: OutgoingEvent, coloured: Bool = false) -> String {
    let message = EventEncoder(stack: "s").encode(event, origin: Origin(messageID: [1]), at: SendingTime(Self.sent))
    return ReceivedEvent(name: message.type, body: message.body).line(coloured: coloured)
  }

  private func line(_ effect: Controlled.Effect, _ change: (inout Schedule) -> Void = { _ in }) throws -> String {
    line(.controlled(Controlled(effect, try Self.schedule(change))))
  }

  private func tick(isTriggered: Bool, nextSlot: Instant?) throws -> String {
    let schedule = try Self.schedule()
    return line(
      .tick(
        Tick(
          definition: schedule.definition, generation: 1, counter: 3, slot: Self.slot, missed: isTriggered ? 0 : 2,
          nextSlot: nextSlot, isTriggered: isTriggered)))
  }

  @Test("a tick has its number, its slot and its lateness")
  func ticks() throws {
    let start = "00:00:01.004  tick       x  #3  slot 1970-01-01T00:00:01.000Z (+4 ms, jitter included)  missed 2"
    #expect(try tick(isTriggered: false, nextSlot: Self.schedule().nextSlot) == "\(start)  \(Self.next)  payload [1]")
    #expect(try tick(isTriggered: false, nextSlot: nil) == "\(start)  last  payload [1]")
  }

  @Test("a triggered tick says so instead of a number, and is not the last because the schedule is paused")
  func triggeredTicks() throws {
    let start = "00:00:01.004  tick       x  trigger manual  slot 1970-01-01T00:00:01.000Z (+4 ms)"
    #expect(try tick(isTriggered: true, nextSlot: Self.schedule().nextSlot) == "\(start)  \(Self.next)  payload [1]")
    #expect(try tick(isTriggered: true, nextSlot: nil) == "\(start)  payload [1]")
  }

  @Test("a pause has its end and its reason")
  func paused() throws {
    let start = "00:00:01.004  paused     x"
    #expect(try line(.paused) { $0.control.pause = Schedule.Pause(since: Self.slot) } == "\(start)  ticks 3")
    let paused = try line(.paused) {
      $0.control.pause = Schedule.Pause(since: Self.slot, until: Self.slot, reason: "main\u{1b}tenance")
    }
    #expect(paused == "\(start)  until 1970-01-01T00:00:01.000Z  ticks 3  \"main\\u001btenance\"")
  }

  @Test("a resumed schedule has its missed slots, if any, and its next one")
  func resumed() throws {
    let start = "00:00:01.004  resumed    x"
    #expect(try line(.resumed(missed: 4, reason: "done")) == "\(start)  missed 4  \(Self.next)  done")
    #expect(try line(.resumed(missed: 0, reason: nil)) == "\(start)  \(Self.next)")
    let ended = try line(.resumed(missed: 1, reason: nil)) {
      $0 = Schedule.sampleEnded("x", reason: Schedule.EndReason.skippedWhilePaused)
    }
    #expect(ended == "\(start)  missed 1  ended")
  }

  @Test("a Triggered names the tick")
  func triggered() throws {
    let start = "00:00:01.004  triggered  x  x@1970-01-01T00:00:01.000Z/trigger"
    #expect(try line(.triggered(Self.slot)) == "\(start)  \(Self.next)")
    let paused = try line(.triggered(Self.slot)) { $0.control.pause = Schedule.Pause(since: Self.slot) }
    #expect(paused == "\(start)  paused")
  }

  @Test("an update names what changed, and the revision")
  func updated() throws {
    let start = "00:00:01.004  updated    x"
    let changed = try line(.updated(changed: ["cron", "limit"], ignored: ["limt"])) { $0.control.revision = 5 }
    #expect(changed == "\(start)  changed cron, limit  \(Self.next)  revision 5  ignored fields: limt")
    #expect(try line(.updated(changed: [], ignored: [])) == "\(start)  nothing changed  \(Self.next)  revision 1")
  }

  @Test("the other outcomes")
  func others() throws {
    let schedule = try Self.schedule()
    let started = Started(
      definition: schedule.definition, generation: 1, counter: 3, nextSlot: nil, effect: .replaced, ignored: ["y"],
      isPaused: true)
    #expect(
      line(.started(started))
        == "00:00:01.004  started    x  every 1h  limit 9  replaced  paused  ignored fields: y")
    let stopped = Stopped(definition: nil, id: schedule.id, generation: 1, counter: 3, reason: "enough")
    #expect(line(.stopped(stopped)) == "00:00:01.004  stopped    x  enough  ticks 3")
    let rejection = Rejection(id: schedule.id, command: EventName.update.rawValue, field: "ifRevision", reason: "no")
    #expect(line(.rejected(rejection)) == "00:00:01.004  rejected   x  Schedule Update  field ifRevision  no")
  }

  @Test("every event of the service has a line with its columns in place", arguments: EventName.own)
  func columns(name: EventName) {
    let line = ReceivedEvent(name: name.rawValue, body: Array(#"{"Detail":{"id":"x"}}"#.utf8)).line(coloured: false)
    #expect(line.hasPrefix("--:--:--.---  "))
    #expect(Array(line)[23...].starts(with: "  x"), "\(line)")
  }
}
