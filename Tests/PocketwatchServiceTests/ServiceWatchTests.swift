import AMQP
import AdminHTTP
import Foundation
import PrometheusMetrics
import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

@testable import PocketwatchService

/// The view of a scheduler from other threads.
@Suite("Service watch")
struct ServiceWatchTests {
  private let registry = PrometheusRegistry()
  private let watch: ServiceWatch

  init() throws {
    let configuration = Configuration(
      broker: BrokerSettings(urls: [try BrokerURL("amqp://broker")]), database: "/nowhere/pocketwatch.sqlite")
    watch = ServiceWatch(configuration: configuration, registry: registry)
  }

  private func id(_ text: String) -> ScheduleID { ScheduleID(stored: Array(text.utf8)) }

  private func definition(_ text: String) throws -> Definition {
    Definition(id: id(text), timing: .every(try DurationExpression("1h")), payload: Array(#"{"a": 1.0}"#.utf8))
  }

  /// Runs `body` with a thread that answers questions like the engine's.
  private func answering(_ store: MemoryStore, _ body: () async throws -> Void) async throws {
    let inbox = try Inbox()
    watch.open(inbox, ZoneDirectory())
    // Only this thread uses the store until it has ended.
    nonisolated(unsafe) let store = store
    let ended = AsyncStream<Void>.makeStream()
    let thread = Thread {
      while true {
        inbox.wait(milliseconds: 1_000)
        while let ask = inbox.takeQuestion() { ask(store) }
        if inbox.take().contains(where: \.isStop) { return ended.continuation.finish() }
      }
    }
    thread.start()
    defer { inbox.post(.stop) }
    try await body()
  }

  @Test("questions are answered on the engine's thread")
  func questions() async throws {
    let store = MemoryStore()
    let soon = SystemClock.now().wall.advanced(byMilliseconds: 30_000)
    let slot = soon.advanced(byMilliseconds: -40_000)  // in the past: its jitter is what is waited for
    let live = Schedule(
      definition: try definition("a"), origin: Origin(), generation: 1, state: .live(.init(slot: slot, due: soon)))
    let ended = Schedule(
      definition: try definition("b"), origin: Origin(), generation: 2,
      state: .ended(.init(reason: "x", at: soon, owesStopped: false)))
    try store.apply([.start(live), .start(ended)])
    try await answering(store) {
      let overview = try await watch.overview()
      #expect(overview.dueWithinMinute == BoundedCount(1) && overview.dueWithinHour == BoundedCount(1))
      #expect(overview.nextDue == soon)
      #expect(try await watch.list(ScheduleSearch(), after: nil, limit: 10).schedules.map(\.id.text) == ["a", "b"])
      #expect(
        try await watch.schedule(id("a"))?.startEvent
          == #"{"DetailType":"Schedule Start","Detail":{"id":"a","every":"1h","payload":{"a": 1.0}}}"#)
      #expect(try await watch.schedule(id("c")) == nil)
      await #expect(
        throws: AdminError(
          .conflict, "it has ended, and its payload is not kept: copy the Start event, add the payload, publish it")
      ) {
        try await watch.publish(.restart, of: id("b"))
      }
      await #expect(throws: AdminError(.notFound, "no schedule has this id")) {
        try await watch.publish(.restart, of: id("c"))
      }
    }
  }

  @Test("the next due tick is that of a schedule that is not paused")
  func nextDueOfActive() async throws {
    let now = SystemClock.now().wall
    let schedules = try (1...4).map { (number: Int) throws -> Schedule in
      let due = now.advanced(byMilliseconds: Int64(number) * 10_000)
      var schedule = Schedule(
        definition: try definition("\(number)"), origin: Origin(), generation: Int64(number),
        state: .live(.init(slot: due, due: due)))
      if number != 3 { schedule.control.pause = Schedule.Pause(since: now, until: due) }
      return schedule
    }
    let store = MemoryStore()
    try store.apply(schedules.map { .start($0) })
    try await answering(store) {
      let overview = try await watch.overview()
      #expect(overview.nextDue == schedules[2].nextTick?.due)
      #expect(overview.counts == ScheduleCounts(live: 4, ended: 0, paused: 3))
      let paused = ScheduleSearch(lifecycle: .paused)
      #expect(try await watch.list(paused, after: nil, limit: 9).schedules.map(\.id.text) == ["1", "2", "4"])
    }
    try store.apply(
      (Int64(5)...300).map { number in
        var pause = Schedule.sample("\(number)", generation: number, due: number)
        pause.control.pause = Schedule.Pause(since: now, until: Instant(milliseconds: number))
        return .start(pause)
      })
    try await answering(store) {
      // Not the tick, which is behind too many ends of pauses, but nothing is due before.
      let overview = try await watch.overview()
      #expect(overview.nextDue == Instant(milliseconds: 254))
    }
  }

  @Test("an unavailable store and an engine that does not answer are reported")
  func unavailable() async throws {
    await #expect(throws: AdminError(.unavailable, "the service is starting")) { try await watch.overview() }
    let store = MemoryStore()
    store.fault = StoreError(.full, "no room")
    try await answering(store) {
      await #expect(throws: AdminError(.unavailable, "the database: no room")) { try await watch.overview() }
    }
    watch.open(try Inbox(), ZoneDirectory())
    await #expect(throws: AdminError(.unavailable, "the engine did not answer within 2 s")) {
      try await watch.overview()
    }
  }

  @Test("one backup at a time, and the next when the permit is released")
  func backups() async throws {
    let turns = BackupPermits()
    var first = turns.take()
    #expect(first != nil)
    #expect(turns.take() == nil)
    first = nil
    #expect(turns.take() != nil)
    try await answering(MemoryStore()) {
      for _ in 1...2 {
        await #expect(throws: AdminError(.unavailable, "the database: This store does not support backups.")) {
          _ = try await watch.backUp()
        }
      }
    }
  }

  @Test("the number of waiting questions is limited, and each gets an answer")
  func manyQuestions() async throws {
    let inbox = try Inbox()
    watch.open(inbox, ZoneDirectory())
    let errors = await withTaskGroup(of: AdminError?.self) { tasks in
      for _ in 1...Inbox.maximumQuestions + 20 {
        tasks.addTask { [watch] in
          do throws(AdminError) {
            _ = try await watch.overview()
            return nil
          } catch {
            return error
          }
        }
      }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
    let refused = errors.count { $0?.message == "too many questions are waiting for the engine; ask again" }
    let unanswered = errors.count { $0?.message == "the engine did not answer within 2 s" }
    #expect(refused == 20 && unanswered == Inbox.maximumQuestions)
  }

  @Test("readiness is the most important reason, health an iterating loop")
  func status() {
    #expect(watch.status.reason == "connecting to the broker" && watch.status.isAlive)
    watch.set(.consumer, reason: nil)
    #expect(watch.status.reason == nil)
    watch.set(.blocked, reason: "publishing blocked by the broker (low on memory)")
    watch.set(.store, reason: "the database: full")
    #expect(watch.status.reason == "the database: full")
    let now = SystemClock.now()
    watch.iterated(at: Now(wall: now.wall, uptime: now.uptime - 31_000))
    #expect(!watch.status.isAlive)
    watch.iterated(at: now)
    #expect(watch.status.isAlive)
  }

  @Test("publications, confirms and reports are counted")
  func counts() throws {
    let slot = Instant(milliseconds: 1_000)
    let due = slot.advanced(byMilliseconds: 8_000)  // jitter is not lateness
    let now = Now(wall: due.advanced(byMilliseconds: 3), uptime: 100)
    let tick = Tick(
      definition: try definition("a"), generation: 1, counter: 0, slot: slot, due: due, missed: 2, nextSlot: nil)
    watch.published(
      [
        Publication(number: 1, content: .event(.tick(tick)), origin: Origin()),
        Publication(
          number: 2, content: .event(.rejected(Rejection(command: "Schedule Stop", field: "id", reason: "none"))),
          origin: Origin()),
      ], on: .bus, at: now)
    watch.confirmed([1], on: .bus, at: Now(wall: now.wall, uptime: 107))
    watch.note(.commandRejected(Rejection(command: "Schedule Stop", field: "id", reason: "none")), at: now)
    watch.note(.missedSlotsFolded(id("a"), count: 2), at: now)
    watch.note(.missedSlotsSkipped(id("a"), count: 3, policy: .fireAll), at: now)
    watch.note(.scheduleStarted(id("a"), .replaced), at: now)
    // A client's reason does not make it an automatic end, nor the reverse.
    watch.note(.scheduleStopped(id("a"), reason: Schedule.EndReason.countLimit, byCommand: true), at: now)
    watch.note(.scheduleStopped(id("a"), reason: "enough", byCommand: false), at: now)
    watch.note(.tickReturned(id("a"), cause: "312"), at: now)
    watch.note(.schedulePaused(id("a"), until: slot), at: now)
    watch.note(.scheduleResumed(id("a"), byCommand: true), at: now)
    watch.note(.scheduleResumed(id("a"), byCommand: false), at: now)
    watch.note(.scheduleTriggered(id("a")), at: now)
    watch.note(.scheduleUpdated(id("a"), changed: ["limit", "cron"]), at: now)
    watch.note(.commandRejected(Rejection(command: EventName.pause.rawValue, field: "id", reason: "none")), at: now)
    watch.metrics.set(ScheduleCounts(live: 5, ended: 1, paused: 2))
    watch.set(.publisher, reason: nil)
    let text = registry.text
    for line in [
      "pocketwatch_ticks_published_total 1", #"pocketwatch_tick_lateness_seconds_bucket{le="0.0025"} 0"#,
      #"pocketwatch_tick_lateness_seconds_bucket{le="0.005"} 1"#, "pocketwatch_publish_confirm_seconds_sum 0.007",
      "pocketwatch_confirms_outstanding 1", #"pocketwatch_commands_total{result="rejected",type="stop"} 1"#,
      #"pocketwatch_commands_total{result="started",type="start"} 0"#,
      #"pocketwatch_missed_total{policy="fireOnce"} 2"#,
      #"pocketwatch_missed_total{policy="fireAll"} 3"#, #"pocketwatch_missed_total{policy="skip"} 0"#,
      #"pocketwatch_commands_total{result="replaced",type="start"} 1"#,
      #"pocketwatch_commands_total{result="stopped",type="stop"} 1"#,
      "pocketwatch_returned_total 1", #"pocketwatch_amqp_connected{connection="publisher"} 1"#,
      "pocketwatch_amqp_blocked 0", #"pocketwatch_schedules{state="paused"} 2"#,
      #"pocketwatch_schedules{state="live"} 5"#, #"pocketwatch_commands_total{result="paused",type="pause"} 1"#,
      #"pocketwatch_commands_total{result="resumed",type="resume"} 1"#,
      #"pocketwatch_commands_total{result="triggered",type="trigger"} 1"#,
      #"pocketwatch_commands_total{result="updated",type="update"} 1"#,
      #"pocketwatch_commands_total{result="rejected",type="pause"} 1"#,
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
    watch.metrics.connectionLost(on: .bus)
    #expect(registry.text.contains("\npocketwatch_confirms_outstanding 0\n"))
    let events = watch.recent.entries().map(\.event)
    #expect(
      events.map(\.kind) == [
        .tick, .rejected, .missed, .missed, .started, .stopped, .stopped, .unroutable, .paused, .resumed, .resumed,
        .triggered, .updated, .rejected,
      ])
    #expect(events[8...12].map(\.detail) == ["until \(slot.rfc3339)", "", "its pause was over", "", "limit, cron"])
    #expect(events.map(\.confirmMilliseconds) == [7] + [Int64?](repeating: nil, count: 13))
    #expect(watch.metrics.totals.map(\.value) == [1, 5, 2, 1, 0, 0, 0])
  }

  @Test("the due time of the next tick is a metric while there is one")
  func nextDue() {
    let name = "pocketwatch_next_due_timestamp_seconds"
    #expect(!registry.text.contains("\n\(name) "))
    watch.iterated(at: SystemClock.now(), nextDue: Instant(milliseconds: 1_795_000_000_250))
    #expect(registry.text.contains("\n\(name) 1795000000.25\n"))
    watch.iterated(at: SystemClock.now())
    #expect(!registry.text.contains("\n\(name) "))
  }

  @Test("the overview reports disk and clock")
  func hostStatus() {
    #expect(
      HostStatus.disk(of: "/").message.contains("B free") || HostStatus.disk(of: "/").message.contains("bytes free"))
    #expect(!HostStatus.disk(of: "/nowhere/at all").isHealthy)
    #expect(HostStatus.sizes(of: "/nowhere/at all") == "/nowhere/at all")
    #expect(HostStatus.sizes(of: "/proc/self/status") == "/proc/self/status: 0 bytes, log 0 bytes")
    #expect(!HostStatus.clock.message.isEmpty)
    let texts: [(Int, String)] = [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (37_240_000_000, "37.2 GB")]
    for (bytes, text) in texts { #expect(HostStatus.text(bytes) == text) }
  }
}
