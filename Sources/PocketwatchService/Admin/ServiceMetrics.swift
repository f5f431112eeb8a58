import AdminHTTP
import CoreMetrics
import PrometheusMetrics
import Recurrence
import Scheduling
import Synchronization

/// The metrics of the service. Schedule ids are never labels: there may be a million.
///
/// All but `totals` and the count of replies is called by the engine's thread.
final class ServiceMetrics: Sendable {
  private let ticks: Counter
  private let lateness: Recorder
  private let confirmation: Recorder
  private let outstanding: Meter
  private let commands: [CommandResult: Counter]
  private let replies: [ReplySender.Result: Counter]
  private let returned: Counter
  private let nacked: Counter
  private let confirmTimeouts: Counter
  private let givenUp: Counter
  private let outcomesGivenUp: Counter
  private let missed: [MisfirePolicy: Counter]
  private let live: Gauge
  private let ended: Gauge
  private let paused: Gauge
  private let connected: [Readiness.Part: Gauge]
  private let blocked: Gauge
  private let suspended: Gauge
  private let redelivered: Counter
  private let commit: Recorder
  private let targetProblems: Gauge
  private let flight = Mutex((bus: Flight(), targets: Flight()))
  private let sums = Mutex([Sum: Int64]())
  /// In milliseconds since 1970; `Int64.max` if no tick is due.
  private let nextDue = Atomic(Int64.max)

  /// The result of a command.
  private enum CommandResult: String, CaseIterable {
    case started, replaced, kept, stopped, paused, resumed, triggered, updated, described, listed
    case startRejected, stopRejected, pauseRejected, resumeRejected, triggerRejected, updateRejected, describeRejected
    case listRejected, otherRejected

    init(_ effect: Started.Effect) {
      self =
        switch effect {
        case .created: .started
        case .replaced: .replaced
        case .kept: .kept
        }
    }

    var labels: [(String, String)] {
      switch self {
      case .started, .replaced, .kept: [("type", "start"), ("result", rawValue)]
      case .stopped: [("type", "stop"), ("result", rawValue)]
      case .paused: [("type", "pause"), ("result", rawValue)]
      case .resumed: [("type", "resume"), ("result", rawValue)]
      case .triggered: [("type", "trigger"), ("result", rawValue)]
      case .updated: [("type", "update"), ("result", rawValue)]
      case .described: [("type", "describe"), ("result", rawValue)]
      case .listed: [("type", "list"), ("result", rawValue)]
      case .startRejected: Self.rejected("start")
      case .stopRejected: Self.rejected("stop")
      case .pauseRejected: Self.rejected("pause")
      case .resumeRejected: Self.rejected("resume")
      case .triggerRejected: Self.rejected("trigger")
      case .updateRejected: Self.rejected("update")
      case .describeRejected: Self.rejected("describe")
      case .listRejected: Self.rejected("list")
      case .otherRejected: Self.rejected("other")
      }
    }

    private static func rejected(_ type: String) -> [(String, String)] { [("type", type), ("result", "rejected")] }
  }

  /// The totals of the overview.
  private enum Sum: String, CaseIterable {
    case ticks = "Ticks sent", missed = "Missed slots", rejected = "Rejected commands"
    case unroutable = "Unroutable ticks", nacked = "Nacked (retried)"
    case confirmTimeouts = "Confirm timeouts", expired = "Expired ticks"
  }

  /// The sending times of the last `size` publications, by number. More than can be in flight.
  private struct Flight {
    static let size = 8192

    var leftAt = [Int64](repeating: 0, count: size)
    var count = 0

    mutating func leave(_ number: UInt64, at uptime: Int64) {
      leftAt[Int(number % UInt64(Self.size))] = uptime
      count += 1
    }
  }

  init(_ registry: PrometheusRegistry, database: String) {
    func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
      Counter(label: "pocketwatch_\(name)", dimensions: labels, factory: registry)
    }
    func recorder(_ name: String) -> Recorder { Recorder(label: "pocketwatch_\(name)", factory: registry) }
    ticks = counter("ticks_published_total")
    lateness = recorder("tick_lateness_seconds")
    confirmation = recorder("publish_confirm_seconds")
    outstanding = Meter(label: "pocketwatch_confirms_outstanding", factory: registry)
    commands = Dictionary(
      uniqueKeysWithValues: CommandResult.allCases.map { ($0, counter("commands_total", $0.labels)) })
    replies = Dictionary(
      uniqueKeysWithValues: ReplySender.Result.allCases.map {
        ($0, counter("replies_total", [("result", $0.rawValue)]))
      })
    returned = counter("returned_total")
    nacked = counter("nacked_total")
    confirmTimeouts = counter("confirm_timeouts_total")
    givenUp = counter("given_up_total")
    outcomesGivenUp = counter("outcomes_given_up_total")
    func schedules(_ state: String) -> Gauge {
      Gauge(label: "pocketwatch_schedules", dimensions: [("state", state)], factory: registry)
    }
    (live, ended, paused) = (schedules("live"), schedules("ended"), schedules("paused"))
    missed = Dictionary(
      uniqueKeysWithValues: MisfirePolicy.allCases.map { ($0, counter("missed_total", [("policy", $0.rawValue)])) })
    func connection(_ name: String) -> Gauge {
      Gauge(label: "pocketwatch_amqp_connected", dimensions: [("connection", name)], factory: registry)
    }
    connected = [.publisher: connection("publisher"), .consumer: connection("consumer")]
    blocked = Gauge(label: "pocketwatch_amqp_blocked", factory: registry)
    targetProblems = Gauge(label: "pocketwatch_target_problems", factory: registry)
    targetProblems.record(0)
    suspended = Gauge(label: "pocketwatch_intake_suspended", factory: registry)
    redelivered = Counter(label: "pocketwatch_commands_redelivered_total", factory: registry)
    commit = recorder("sqlite_commit_seconds")
    registry.observeGauge("pocketwatch_sqlite_wal_bytes") { HostStatus.size(of: database + "-wal").map(Double.init) }
    registry.observeGauge("pocketwatch_sqlite_database_bytes") { HostStatus.size(of: database).map(Double.init) }
    let tzdata = ZoneDirectory().version ?? "unknown"
    registry.observeGauge("pocketwatch_build_info", labels: [("version", Version.current), ("tzdata", tzdata)]) { 1 }
    registry.observeGauge("pocketwatch_next_due_timestamp_seconds") { [weak self] in
      let milliseconds = self?.nextDue.load(ordering: .relaxed) ?? .max
      return milliseconds == .max ? nil : Double(milliseconds) / 1000
    }
  }
}

// MARK: - Reports of the engine's thread

extension ServiceMetrics {
  func published(_ publications: [Publication], on outlet: Outlet, at now: Now) {
    var sent = 0
    for publication in publications {
      guard case .tick(let tick) = publication.event else { continue }
      sent += 1
      lateness.record(Double(now.wall.milliseconds - tick.due.milliseconds) / 1000)
    }
    withFlight(outlet) { flight in
      for publication in publications { flight.leave(publication.number, at: now.uptime) }
    }
    if sent > 0 {
      ticks.increment(by: sent)
      add(.ticks, sent)
    }
  }

  func set(_ counts: ScheduleCounts) {
    live.record(counts.live)
    ended.record(counts.ended)
    paused.record(counts.paused)
  }

  func set(nextDue: Instant?) {
    self.nextDue.store(nextDue?.milliseconds ?? .max, ordering: .relaxed)
  }

  private func count(_ rejection: Rejection) {
    switch EventName(rawValue: rejection.command) {
    case .start: count(.startRejected)
    case .stop: count(.stopRejected)
    case .pause: count(.pauseRejected)
    case .resume: count(.resumeRejected)
    case .trigger: count(.triggerRejected)
    case .update: count(.updateRejected)
    case .describe: count(.describeRejected)
    case .list: count(.listRejected)
    case .tick, .started, .stopped, .paused, .resumed, .triggered, .updated, .batchDone, .rejected, .described,
      .listed, nil:
      count(.otherRejected)
    }
    add(.rejected)
  }

  /// The broker confirmed, nacked or refused these.
  func resolved(_ numbers: [UInt64], on outlet: Outlet, at now: Now) {
    withFlight(outlet) { flight in
      for number in numbers {
        let left = flight.leftAt[Int(number % UInt64(Flight.size))]
        confirmation.record(Double(now.uptime - left) / 1000)
      }
      flight.count = max(0, flight.count - numbers.count)
    }
  }

  /// Messages in flight will no longer be confirmed.
  func connectionLost(on outlet: Outlet) {
    withFlight(outlet) { $0.count = 0 }
  }

  private func withFlight(_ outlet: Outlet, _ change: (inout Flight) -> Void) {
    flight.withLock { flight in
      if outlet == .bus { change(&flight.bus) } else { change(&flight.targets) }
      outstanding.set(Double(flight.bus.count + flight.targets.count))
    }
  }

  /// How many things cannot be published to targets now.
  func set(targetProblems count: Int) { targetProblems.record(count) }

  func committed(in duration: Duration) {
    let (seconds, attoseconds) = duration.components
    commit.record(Double(seconds) + Double(attoseconds) / 1e18)
  }

  func set(_ part: Readiness.Part, isHealthy: Bool) {
    connected[part]?.record(isHealthy ? 1 : 0)
    if part == .blocked { blocked.record(isHealthy ? 0 : 1) }
    if part == .intake { suspended.record(isHealthy ? 0 : 1) }
  }

  func note(_ report: Engine.Report) {
    switch report {
    case .tickReturned:
      returned.increment()
      add(.unroutable)
    case .nacked:
      nacked.increment()
      add(.nacked)
    case .confirmTimedOut:
      confirmTimeouts.increment()
      add(.confirmTimeouts)
    case .tickExpired:
      givenUp.increment()
      add(.expired)
    case .outcomeExpired: outcomesGivenUp.increment()
    case .missedSlotsFolded(_, let slots): count(missed: slots, by: .fireOnce)
    case .missedSlotsSkipped(_, let slots, let policy): count(missed: slots, by: policy)
    case .scheduleStarted(_, let effect): count(CommandResult(effect))
    case .scheduleStopped(_, _, byCommand: true): count(.stopped)
    case .schedulePaused: count(.paused)
    case .scheduleResumed(_, byCommand: true): count(.resumed)
    case .scheduleTriggered: count(.triggered)
    case .scheduleUpdated: count(.updated)
    case .commandRejected(let rejection): count(rejection)
    case .questionAnswered(.list): count(.listed)
    case .questionAnswered: count(.described)
    case .commandsRedelivered(let number): redelivered.increment(by: number)
    // The automatic end of a schedule or a pause, states of the service, and reports for the log only.
    case .scheduleStopped(_, _, byCommand: false), .scheduleResumed(_, byCommand: false), .outcomeReturned,
      .batchBegan, .batchDone, .zoneMissing, .targetRefused, .clockSetBack, .slotMoved,
      .slotRecomputed, .heldWithoutSlot, .ownEventDropped, .storeUnavailable, .storeRecovered, .intakeSuspended,
      .intakeResumed, .commandPoisoned:
      break
    }
  }

  /// From any thread.
  func count(_ number: Int, _ result: ReplySender.Result) { replies[result]?.increment(by: number) }

  private func count(missed slots: Int, by policy: MisfirePolicy) {
    missed[policy]?.increment(by: slots)
    add(.missed, slots)
  }

  private func count(_ result: CommandResult) { commands[result]?.increment() }

  private func add(_ sum: Sum, _ amount: Int = 1) {
    sums.withLock { $0[sum, default: 0] += Int64(amount) }
  }

  /// The totals since the start, for the overview.
  var totals: [Overview.Total] {
    let sums = sums.withLock { $0 }
    return Sum.allCases.map { Overview.Total($0.rawValue, key: "\($0)", sums[$0] ?? 0) }
  }
}
