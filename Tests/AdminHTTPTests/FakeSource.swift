import AdminHTTP
import Recurrence
import Scheduling
import SchedulingTestKit
import Synchronization

/// A scheduler with prepared answers.
final class FakeSource: AdminSource {
  struct State: Sendable {
    var isAlive = true
    var reason: String?
    var schedules: [Schedule] = []
    var history = Schedule.History()
    /// Published changes, with their ids.
    var changes: [(id: String, change: ScheduleChange)] = []
    var commands: [BatchCommand] = []
    var error: AdminError?
    /// The most rows examined per read.
    var examining = 1000
    var asks = 0
    var copy: FakeCopy?
    /// Receives the progress of a backup that never completes.
    var slowBackup: AsyncStream<String>.Continuation?
  }

  static let now = Instant(milliseconds: 1_795_000_000_000)

  let state: Mutex<State>
  let recent = RecentEvents(capacity: 50)

  init(_ schedules: [Schedule] = []) {
    state = Mutex(State(schedules: schedules))
  }

  var status: AdminStatus {
    state.withLock { AdminStatus(now: Self.now, isAlive: $0.isAlive, reason: $0.reason) }
  }

  func overview() async throws(AdminError) -> Overview {
    try check()
    return Overview(
      version: "1.2.3", startedAt: Self.now.advanced(byMilliseconds: -7_200_000),
      parts: [.init("broker", isHealthy: true, "RabbitMQ 3.10.8"), .init("disk", isHealthy: false, "<b>full</b>")],
      counts: ScheduleCounts(live: 1_234_567, ended: 8, paused: 3), dueWithinMinute: BoundedCount(3),
      dueWithinHour: BoundedCount(1000, isAtLeast: true), nextDue: Self.now,
      lateness: .init(p50: 1, p99: 9), totals: [.init("Ticks sent", key: "ticks", 42)])
  }

  func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int
  ) async throws(AdminError) -> ScheduleList {
    try check()
    let (schedules, examining) = state.withLock { state in
      state.asks += 1
      return (state.schedules, state.examining)
    }
    let store = MemoryStore()
    do throws(StoreError) {
      try store.apply(schedules.map { .start($0) })
      return try store.list(search, after: position, limit: limit, examining: examining)
    } catch {
      throw AdminError(.unavailable, error.description)
    }
  }

  func schedule(_ id: ScheduleID) async throws(AdminError) -> ScheduleDetails? {
    try check()
    let (found, history) = state.withLock { state in (state.schedules.first { $0.id == id }, state.history) }
    return found.map {
      ScheduleDetails(
        schedule: $0, history: history,
        startEvent: #"{"DetailType":"Schedule Start","Detail":{"id":"\#($0.id.text)"}}"#)
    }
  }

  func zone(named name: String) throws(ExpressionError) -> ZoneRules { try ZoneDirectory().rules(named: name) }

  func publish(_ change: ScheduleChange, of id: ScheduleID) async throws(AdminError) {
    try check()
    state.withLock { $0.changes.append((id.text, change)) }
  }

  func publish(_ command: BatchCommand) async throws(AdminError) {
    try check()
    state.withLock { $0.commands.append(command) }
  }

  func backUp() async throws(AdminError) -> DatabaseCopy {
    try check()
    if let slow = state.withLock({ $0.slowBackup }) {
      slow.yield("began")
      let never = AsyncStream<Void>.makeStream()
      for await _ in never.stream {}  // ends when the task is cancelled
      slow.yield(Task.isCancelled ? "cancelled" : "not cancelled")
    }
    guard let copy = state.withLock({ $0.copy }) else { throw AdminError(.conflict, "another backup is being made") }
    return DatabaseCopy(
      file: copy, origin: DatabaseOrigin(stack: "billing", path: "/data/ä b.sqlite", files: ["1:2", "1:3"]),
      permit: copy)
  }

  private func check() throws(AdminError) {
    if let error = state.withLock({ $0.error }) { throw error }
  }
}

/// A copy without a database.
final class FakeCopy: BackupFile {
  let bytes: [UInt8]
  /// The claimed size.
  let size: Int

  init(_ bytes: [UInt8], size: Int? = nil) {
    self.bytes = bytes
    self.size = size ?? bytes.count
  }

  func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] { Array(bytes.dropFirst(offset).prefix(count)) }
}

extension Schedule {
  /// A schedule whose next slot is `inSeconds` from now.
  static func fake(
    _ id: String, generation: Int64 = 1, cron: String = "30 2 * * *", timezone: String? = nil, inSeconds: Int64 = 60,
    ended: String? = nil
  ) throws -> Schedule {
    let slot = FakeSource.now.advanced(byMilliseconds: inSeconds * 1000)
    let definition = Definition(
      id: ScheduleID(stored: Array(id.utf8)), timing: .cron(try CronExpression(cron)), timezone: timezone)
    return Schedule(
      definition: definition, origin: Origin(messageID: Array("m-1".utf8)), generation: generation, counter: 7,
      state: ended.map { .ended(Ending(reason: $0, at: FakeSource.now, owesStopped: false)) }
        ?? .live(NextTick(slot: slot, due: slot)))
  }
}
