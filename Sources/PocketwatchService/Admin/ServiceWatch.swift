package import AdminHTTP
import EventBus
import Foundation
package import PrometheusMetrics
package import Recurrence
package import Scheduling
import Synchronization

/// The thread-safe view of a running scheduler: its state, its recent events, and queries of its store.
///
/// The engine's thread reports to it, in a few nanoseconds each. Readers use their own threads. Questions to the store pass through
/// the inbox and are answered between two iterations of the loop.
package final class ServiceWatch: Sendable {
  /// The engine counts as stalled after this many milliseconds without an iteration of its loop. It iterates at least every ten
  /// seconds, unless a commit on a hanging disk blocks it.
  static let longestIterationMilliseconds: Int64 = 30_000
  /// The timeout of a question to the engine's thread.
  static let patience = Duration.seconds(2)

  package let recent = RecentEvents()
  let metrics: ServiceMetrics
  let broker: BrokerSettings
  let backups = BackupPermits()
  let database: String
  private let zones = Mutex<ZoneDirectory?>(nil)
  private let inbox = Mutex<Inbox?>(nil)
  private let reasons = Mutex<[Readiness.Part: String]>([.consumer: Readiness.Reason.connecting.text])
  /// Why the pages are unreachable; nil if they are not.
  private let pages = Mutex<String?>(nil)
  private let lastIteration = Atomic<Int64>(SystemClock.now().uptime)
  private let started = SystemClock.now().wall

  package init(configuration: Configuration, registry: PrometheusRegistry) {
    broker = configuration.broker
    database = configuration.database
    metrics = ServiceMetrics(registry, database: configuration.database)
  }
}

// MARK: - Reports of the engine's thread

extension ServiceWatch {
  /// Accepts questions from now on.
  func open(_ inbox: Inbox, _ zones: ZoneDirectory) {
    self.inbox.withLock { $0 = inbox }
    self.zones.withLock { $0 = zones }
  }

  func iterated(at now: Now, nextDue: Instant? = nil) {
    lastIteration.store(now.uptime, ordering: .relaxed)
    metrics.set(nextDue: nextDue)
  }

  func set(_ part: Readiness.Part, reason: String?) {
    reasons.withLock { $0[part] = reason }
    metrics.set(part, isHealthy: reason == nil)
  }

  /// Called by the pages: why they are unreachable, or nil. Ticks do not depend on them.
  func set(pagesProblem: String?) { pages.withLock { $0 = pagesProblem } }

  var pagesProblem: String? { pages.withLock { $0 } }

  func published(_ publications: [Publication], on outlet: Outlet, at now: Now) {
    metrics.published(publications, on: outlet, at: now)
    for publication in publications {
      if case .tick(let tick) = publication.event {
        recent.append(
          RecentEvent(
            at: now.wall, kind: .tick, id: tick.definition.id, slot: tick.slot,
            latenessMilliseconds: now.wall.milliseconds - tick.due.milliseconds,
            detail: tick.missed > 0 ? "includes \(tick.missed) missed before it" : ""),
          publication: .init(number: Self.number(publication.number, on: outlet), uptime: now.uptime))
      }
    }
  }

  func confirmed(_ numbers: [UInt64], on outlet: Outlet, at now: Now) {
    metrics.resolved(numbers, on: outlet, at: now)
    recent.confirmed(outlet == .bus ? numbers : numbers.map { Self.number($0, on: outlet) }, uptime: now.uptime)
  }

  /// The number among the publications of both outlets: each counts from 1.
  private static func number(_ number: UInt64, on outlet: Outlet) -> UInt64 {
    outlet == .bus ? number : number | 1 << 63
  }

  func note(_ report: Engine.Report, at now: Now) {
    metrics.note(report)
    if let event = RecentEvent(report, at: now.wall) { recent.append(event) }
  }
}

// MARK: - Questions of readers

extension ServiceWatch: AdminSource {
  package var status: AdminStatus {
    let now = SystemClock.now()
    let reasons = reasons.withLock { $0 }
    return AdminStatus(
      now: now.wall, isAlive: now.uptime - lastIteration.load(ordering: .relaxed) < Self.longestIterationMilliseconds,
      reason: Readiness.Part.allCases.lazy.compactMap { reasons[$0] }.first)
  }

  package func overview() async throws(AdminError) -> Overview {
    let now = SystemClock.now().wall
    let (counts, minute, hour, next) = try await ask { store throws(StoreError) in
      (
        try store.counts(), try store.dueCount(through: now.advanced(byMilliseconds: 60_000), upTo: Self.countBound),
        try store.dueCount(through: now.advanced(byMilliseconds: 3_600_000), upTo: Self.countBound),
        try store.nextDue(examining: Self.examinedRows)
      )
    }
    return Overview(
      version: Version.current, startedAt: started, parts: parts, counts: counts,
      dueWithinMinute: BoundedCount(minute.count, isAtLeast: !minute.isAll),
      dueWithinHour: BoundedCount(hour.count, isAtLeast: !hour.isAll), nextDue: next, lateness: lateness,
      totals: metrics.totals)
  }

  package func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int
  ) async throws(AdminError) -> ScheduleList {
    try await ask { store throws(StoreError) in
      try store.list(search, after: position, limit: limit, examining: Self.examinedRows)
    }
  }

  package func schedule(_ id: ScheduleID) async throws(AdminError) -> ScheduleDetails? {
    let (found, history) = try await ask { store throws(StoreError) in
      (try store.schedules([id]).first.flatMap(\.self), try store.history(of: id))
    }
    return found.map {
      ScheduleDetails(
        schedule: $0, history: history ?? Schedule.History(),
        startEvent: String(decoding: $0.definition.startEvent(), as: UTF8.self))
    }
  }

  package func zone(named name: String) throws(ExpressionError) -> ZoneRules {
    try (zones.withLock { $0 } ?? ZoneDirectory()).rules(named: name)
  }

  /// Limits of one question to the store, for at most 5 ms: rows read, and index entries counted.
  private static let examinedRows = 250
  private static let countBound = 10_000

  private var parts: [Overview.Part] {
    let reasons = reasons.withLock { $0 }
    func part(_ name: String, _ part: Readiness.Part, _ healthyText: String) -> Overview.Part {
      Overview.Part(name, isHealthy: reasons[part] == nil, reasons[part] ?? healthyText)
    }
    let zoneData = zones.withLock { $0?.version }
    return [
      part("Broker, commands", .consumer, "consuming \(broker.names.commandQueue)"),
      part("Broker, ticks", .publisher, "publishing to \(broker.names.eventBus)"),
      part("Broker alarms", .blocked, "none"),
      part("Database", .store, HostStatus.sizes(of: database)), HostStatus.disk(of: database), HostStatus.clock,
      Overview.Part("Zone data", isHealthy: zoneData != nil, zoneData ?? "unknown version"),
    ]
  }

  private var lateness: Overview.Lateness? {
    let values = recent.entries().compactMap(\.event.latenessMilliseconds).sorted()
    guard !values.isEmpty else { return nil }
    return Overview.Lateness(p50: values[values.count / 2], p99: values[(values.count - 1) * 99 / 100])
  }

  /// Runs a closure with the store on the engine's thread, if it is still running. Does not wait.
  func enqueue(_ work: @escaping @Sendable (any ScheduleQueries) -> Void) {
    inbox.withLock { $0 }?.ask(work, ignoresLimit: true)
  }

  /// Queries the store on the engine's thread.
  func ask<Answer: Sendable>(
    _ question: @escaping @Sendable (any ScheduleQueries) throws(StoreError) -> Answer
  ) async throws(AdminError) -> Answer {
    guard let inbox = inbox.withLock({ $0 }) else { throw AdminError(.unavailable, "the service is starting") }
    let slot = AnswerSlot<Answer>()
    let isAccepted = inbox.ask { store in
      guard !slot.isDone else { return }  // its timeout is over
      slot.fill(Result { () throws(StoreError) in try question(store) })
    }
    guard isAccepted else { throw AdminError(.unavailable, "too many questions are waiting for the engine; ask again") }
    switch await slot.wait(Self.patience) {
    case .success(let answer): return answer
    case .failure(let error): throw AdminError(.unavailable, "the database: \(error)")
    case nil: throw AdminError(.unavailable, "the engine did not answer within \(Self.patience.components.seconds) s")
    }
  }
}

extension ScheduleQueries {
  /// The due time of the next tick. If many pauses end before it, a time before which there is none.
  fileprivate func nextDue(examining rows: Int) throws(StoreError) -> Instant? {
    let list = try list(ScheduleSearch(lifecycle: .active, order: .next), after: nil, limit: 1, examining: rows)
    if let first = list.schedules.first { return first.nextSlot.flatMap { _ in first.nextTick?.due } }
    guard case .due(let last) = list.next, last.due < Schedule.NextTick.pausedDue else { return nil }
    return last.due
  }
}

/// Waits for an answer with a timeout: the first of both resumes the waiting task.
private final class AnswerSlot<Answer: Sendable>: Sendable {
  private enum State {
    case empty
    case waiting(CheckedContinuation<Result<Answer, StoreError>?, Never>)
    case done(Result<Answer, StoreError>?)
  }

  private let state = Mutex(State.empty)

  var isDone: Bool { state.withLock { if case .done = $0 { true } else { false } } }

  func fill(_ answer: Result<Answer, StoreError>?) {
    let waiter: CheckedContinuation<Result<Answer, StoreError>?, Never>? = state.withLock { state in
      defer { if case .done = state {} else { state = .done(answer) } }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    waiter?.resume(returning: answer)
  }

  func wait(_ patience: Duration) async -> Result<Answer, StoreError>? {
    let timer = Task {
      try await Task.sleep(for: patience)
      fill(nil)
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
      let known: Result<Answer, StoreError>?? = state.withLock { state in
        if case .done(let answer) = state { return .some(answer) }
        state = .waiting(continuation)
        return .none
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
