import AdminHTTP
import CoreMetrics
import Foundation
import PrometheusMetrics
import Recurrence
import Scheduling
import Synchronization

/// What the service counts. No schedule's id is a label: there may be a million.
///
/// Handles are looked up here, once. All but `totals` is called by the engine's thread.
final class ServiceMetrics: Sendable {
  private let ticks: Counter
  private let lateness: Recorder
  private let confirmation: Recorder
  private let outstanding: Meter
  private let commands: [CommandResult: Counter]
  private let returned: Counter
  private let nacked: Counter
  private let givenUp: Counter
  private let folded: Counter
  private let skipped: Counter
  private let connected: [Readiness.Part: Gauge]
  private let blocked: Gauge
  private let commit: Recorder
  private let flight = Mutex(Flight())
  private let sums = Mutex([Sum: Int64]())

  /// How a command was answered.
  private enum CommandResult: String, CaseIterable {
    case started, replaced, kept, stopped, startRejected, stopRejected, otherRejected

    var labels: [(String, String)] {
      switch self {
      case .started, .replaced, .kept: [("type", "start"), ("result", rawValue)]
      case .stopped: [("type", "stop"), ("result", rawValue)]
      case .startRejected: [("type", "start"), ("result", "rejected")]
      case .stopRejected: [("type", "stop"), ("result", "rejected")]
      case .otherRejected: [("type", "other"), ("result", "rejected")]
      }
    }
  }

  /// What the overview shows.
  private enum Sum: String, CaseIterable {
    case ticks = "Ticks sent", missed = "Missed slots", rejected = "Rejected commands"
    case returned = "Ticks that no queue took", nacked = "Refusals by the broker", givenUp = "Ticks given up"
  }

  /// When each publication in flight left, by its number: the last so many, which is more than can be in flight.
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
    returned = counter("returned_total")
    nacked = counter("nacked_total")
    givenUp = counter("given_up_total")
    folded = counter("missed_total", [("policy", "fold")])
    skipped = counter("missed_total", [("policy", "skip")])
    func connection(_ name: String) -> Gauge {
      Gauge(label: "pocketwatch_amqp_connected", dimensions: [("connection", name)], factory: registry)
    }
    connected = [.publisher: connection("publisher"), .consumer: connection("consumer")]
    blocked = Gauge(label: "pocketwatch_amqp_blocked", factory: registry)
    commit = recorder("sqlite_commit_seconds")
    registry.observeGauge("pocketwatch_sqlite_wal_bytes") { Self.size(of: database + "-wal") }
    registry.observeGauge("pocketwatch_sqlite_database_bytes") { Self.size(of: database) }
    let tzdata = ZoneDirectory().version ?? "unknown"
    registry.observeGauge("pocketwatch_build_info", labels: [("version", Version.current), ("tzdata", tzdata)]) { 1 }
  }

  /// Help and buckets, for the registry.
  static let descriptions = [
    MetricDescription("pocketwatch_ticks_published_total", help: "Ticks handed to the broker, repeats included."),
    MetricDescription(
      "pocketwatch_tick_lateness_seconds", help: "How long after its slot a tick left; jitter counts in.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600]),
    MetricDescription(
      "pocketwatch_publish_confirm_seconds", help: "How long the broker took to confirm a message.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
    MetricDescription("pocketwatch_confirms_outstanding", help: "Messages published and not yet confirmed."),
    MetricDescription("pocketwatch_commands_total", help: "Commands answered, by type and result."),
    MetricDescription("pocketwatch_returned_total", help: "Ticks that no queue took."),
    MetricDescription("pocketwatch_nacked_total", help: "Refusals by the broker, of which each tick may get several."),
    MetricDescription("pocketwatch_given_up_total", help: "Ticks given up after an hour of refusals."),
    MetricDescription("pocketwatch_missed_total", help: "Slots missed, folded into a later tick or skipped."),
    MetricDescription("pocketwatch_amqp_connected", help: "Whether a connection to the broker is well, by connection."),
    MetricDescription("pocketwatch_amqp_blocked", help: "Whether the broker takes no messages because of an alarm."),
    MetricDescription(
      "pocketwatch_sqlite_commit_seconds", help: "How long a transaction took, with its wait for the disk.",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]),
    MetricDescription("pocketwatch_sqlite_wal_bytes", help: "Size of the database's write-ahead log in bytes."),
    MetricDescription("pocketwatch_sqlite_database_bytes", help: "Size of the database's file in bytes."),
    MetricDescription("pocketwatch_build_info", help: "Always 1; the labels name version and time zone data."),
  ]

  private static func size(of path: String) -> Double? {
    var status = stat()
    return stat(path, &status) == 0 ? Double(status.st_size) : nil
  }
}

// MARK: - What the engine's thread tells

extension ServiceMetrics {
  func published(_ publications: [Publication], at now: Now) {
    var sent = 0
    for publication in publications {
      switch publication.event {
      case .tick(let tick):
        sent += 1
        lateness.record(Double(now.wall.milliseconds - tick.slot.milliseconds) / 1000)
      case .started(let started): count(started)
      case .stopped(let stopped): count(stopped)
      case .rejected(let rejection): count(rejection)
      }
    }
    flight.withLock { flight in
      for publication in publications { flight.leave(publication.number, at: now.uptime) }
      outstanding.set(Double(flight.count))
    }
    if sent > 0 {
      ticks.increment(by: sent)
      add(.ticks, sent)
    }
  }

  private func count(_ started: Started) {
    switch started.effect {
    case .created: count(.started)
    case .replaced: count(.replaced)
    case .kept: count(.kept)
    }
  }

  private func count(_ stopped: Stopped) {
    let ownEnds = [Schedule.EndReason.countLimit, Schedule.EndReason.endDate, Schedule.EndReason.noMoreSlots]
    if !ownEnds.contains(stopped.reason) { count(.stopped) }
  }

  private func count(_ rejection: Rejection) {
    switch rejection.command {
    case "Schedule Start": count(.startRejected)
    case "Schedule Stop": count(.stopRejected)
    default: count(.otherRejected)
    }
    add(.rejected)
  }

  /// The broker confirmed or refused these.
  func settled(_ numbers: [UInt64], at now: Now) {
    flight.withLock { flight in
      for number in numbers {
        let left = flight.leftAt[Int(number % UInt64(Flight.size))]
        confirmation.record(Double(now.uptime - left) / 1000)
      }
      flight.count = max(0, flight.count - numbers.count)
      outstanding.set(Double(flight.count))
    }
  }

  /// What was in flight will not be confirmed any more.
  func connectionLost() {
    flight.withLock { $0.count = 0 }
    outstanding.set(0)
  }

  func committed(in duration: Duration) {
    let (seconds, attoseconds) = duration.components
    commit.record(Double(seconds) + Double(attoseconds) / 1e18)
  }

  func set(_ part: Readiness.Part, isWell: Bool) {
    connected[part]?.record(isWell ? 1 : 0)
    if part == .blocked { blocked.record(isWell ? 0 : 1) }
  }

  func note(_ report: Engine.Report) {
    switch report {
    case .tickReturned:
      returned.increment()
      add(.returned)
    case .refusedByBroker:
      nacked.increment()
      add(.nacked)
    case .tickGivenUp:
      givenUp.increment()
      add(.givenUp)
    case .missedSlotsFolded(_, let slots):
      folded.increment(by: slots)
      add(.missed, slots)
    case .missedSlotsSkipped(_, let slots):
      skipped.increment(by: slots)
      add(.missed, slots)
    default: break
    }
  }

  private func count(_ result: CommandResult) { commands[result]?.increment() }

  private func add(_ sum: Sum, _ amount: Int = 1) {
    sums.withLock { $0[sum, default: 0] += Int64(amount) }
  }

  /// What was counted since the start, for people.
  var totals: [Overview.Total] {
    let sums = sums.withLock { $0 }
    return Sum.allCases.map { Overview.Total($0.rawValue, sums[$0] ?? 0) }
  }
}
