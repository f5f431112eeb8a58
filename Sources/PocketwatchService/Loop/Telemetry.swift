import AMQP
import Logging
import Recurrence
import Scheduling

/// Reports events to log, readiness, metrics and pages. Makes no decisions.
///
/// Every switch is exhaustive, so that a new event or report cannot be forgotten.
struct Telemetry {
  /// Nil when HTTP is off.
  let watch: ServiceWatch?
  private var readiness: Readiness
  private var log: EventLog
  private var targets = TargetHealth()
  private var stability = ConnectionStability()
  private var isPublisherUp = false
  /// The largest body that the broker accepts, in bytes; nil while unknown.
  private var messageLimit: Int?

  init(notifier: Notifier, watch: ServiceWatch?, logger: Logger) {
    self.watch = watch
    readiness = Readiness(logger: logger, notifier: notifier, watch: watch)
    log = EventLog(logger: logger)
  }

  /// When `iterated` and `update` must be called without another event, on the monotonic clock; nil while not necessary.
  var deadline: Int64? { [stability.end, readiness.deadline].compactMap(\.self).min() }

  /// Called in each iteration of the loop.
  mutating func iterated(at now: Now, nextDue: Instant?) {
    watch?.iterated(at: now, nextDue: nextDue)
    log.flush(uptime: now.uptime)
    if let server = stability.passed(at: now) {
      log.connected("publishing", to: server)
      readiness.set(.publisher, reason: nil)
    }
  }

  /// Reports to systemd, `/readyz` and the log whether the service is ready.
  mutating func update(at now: Now) { readiness.update(at: now.uptime) }
}

// MARK: - Connections

extension Telemetry {
  mutating func note(_ event: Publisher.Event, on outlet: Outlet, at now: Now) {
    switch outlet {
    case .bus: note(event, at: now)
    case .targets: noteTargets(event, at: now)
    }
  }

  private mutating func noteTargets(_ event: Publisher.Event, at now: Now) {
    switch event {
    case .up, .down: watch?.metrics.connectionLost(on: .targets)
    case .acked(let numbers): watch?.confirmed(numbers, on: .targets, at: now)
    case .nacked(let numbers): watch?.metrics.resolved(numbers, on: .targets, at: now)
    case .refused(let number, _), .unsendable(let number, _):
      watch?.metrics.resolved([number], on: .targets, at: now)
    case .refusing, .blocked, .unblocked, .returned: break
    }
    let (new, isOver) = targets.note(event)
    for problem in new { log.targetsRefused(problem) }
    if isOver { log.targetsRefused(nil) }
    readiness.details[.targets] =
      targets.problems.isEmpty ? nil : "targets: " + targets.problems.joined(separator: "; ")
    watch?.metrics.set(targetProblems: targets.problems.count)
  }

  private mutating func note(_ event: Publisher.Event, at now: Now) {
    switch event {
    case .up(_, let server):
      if isPublisherUp { watch?.metrics.connectionLost(on: .bus) } else { stability.connected(to: server, at: now) }
      isPublisherUp = true
    case .down(let error, _):
      log.disconnected("publishing", error)
      stability.failed(error)
      readiness.set(.publisher, reason: .init(error), at: error.endpoint)
      readiness.set(.blocked, reason: nil)
      watch?.metrics.connectionLost(on: .bus)
      isPublisherUp = false
    case .acked(let numbers):
      stability.confirmed(at: now)
      watch?.confirmed(numbers, on: .bus, at: now)
    case .nacked(let numbers): watch?.metrics.resolved(numbers, on: .bus, at: now)
    case .refused(let number, _), .unsendable(let number, _): watch?.metrics.resolved([number], on: .bus, at: now)
    case .refusing(let refusals): note(refusals)
    case .blocked(let reason):
      readiness.set(.blocked, reason: .init("publishing blocked by the broker (\(reason))"))
    case .unblocked: readiness.set(.blocked, reason: nil)
    case .returned: break  // the engine reports it, with the schedule
    }
  }

  /// The kinds of messages that the broker is known to refuse have changed.
  private mutating func note(_ refusals: Refusals) {
    var reasons: [String] = []
    for (kind, error) in refusals.current {
      switch kind {
      case .routingKey(let key): reasons.append("\"\(key)\" cannot be published, all others are: \(error)")
      case .topic(let name, _), .exchange(let name): reasons.append("nothing can be published to \(name): \(error)")
      case .bodyBytes: break
      }
    }
    readiness.set(.rights, reason: reasons.isEmpty ? nil : .init(reasons.joined(separator: "; ")))
    if let limit = refusals.largestBody, limit != messageLimit { log.learntLimit(limit) }
    messageLimit = refusals.largestBody
  }

  mutating func note(_ event: Consumer.Event) {
    switch event {
    case .up(_, let server):
      log.connected("consuming", to: server)
      readiness.set(.consumer, reason: nil)
    case .down(let error, _):
      log.disconnected("consuming", error)
      readiness.set(.consumer, reason: .init(error), at: error.endpoint)
    case .suspended, .exhausted, .congested, .deliveries, .quiesced: break
    }
  }

  /// Replies are a service to clients: without them commands are processed and ticks are sent.
  mutating func noteReplies(_ problem: String?) {
    log.repliesRefused(problem)
    readiness.details[.replies] = problem.map { "replies refused: \($0)" }
  }

  mutating func publishingStarts() { readiness.set(.publisher, reason: .connecting) }
}

// MARK: - Work

extension Telemetry {
  func published(_ publications: [Publication], on outlet: Outlet, at now: Now) {
    watch?.published(publications, on: outlet, at: now)
  }

  func committed(in duration: Duration) { watch?.metrics.committed(in: duration) }

  func counted(_ counts: ScheduleCounts) { watch?.metrics.set(counts) }

  func zonesChanged(_ changes: ZoneDirectory.Changes, version: String?) { log.zonesChanged(changes, version: version) }

  mutating func stopping() { readiness.set(.stopping, reason: .stopping) }

  mutating func note(_ report: Engine.Report, at now: Now) {
    switch report {
    case .storeUnavailable(let error): readiness.set(.store, reason: .init("the database: \(error)"))
    case .storeRecovered: readiness.set(.store, reason: nil)
    case .intakeSuspended(let reason):
      readiness.set(.intake, reason: .init("commands are left in their queue: \(reason.text)"))
    case .intakeResumed: readiness.set(.intake, reason: nil)
    case .tickReturned, .outcomeReturned, .nacked, .confirmTimedOut, .tickExpired, .outcomeExpired, .missedSlotsFolded,
      .missedSlotsSkipped, .commandRejected, .questionAnswered, .scheduleStarted, .scheduleStopped, .schedulePaused,
      .scheduleResumed,
      .scheduleTriggered, .scheduleUpdated, .batchBegan, .batchDone, .zoneMissing, .targetRefused, .clockSetBack,
      .slotMoved,
      .slotRecomputed, .heldWithoutSlot, .ownEventDropped, .commandsRedelivered, .commandPoisoned:
      break
    }
    log.note(report, uptime: now.uptime)
    watch?.note(report, at: now)
  }
}
