import Recurrence
import Scheduling

/// Periodic work of the engine's thread: notifies systemd's watchdog, refreshes the time zone files, checks the files of the
/// database, and limits the duration of a clean stop.
struct Housekeeping {
  /// How long a clean stop waits for confirms. With up to two seconds for the connections' threads and the closing of the
  /// database, a stop takes well under the ten seconds promised.
  static let drainMilliseconds: Int64 = 5_000
  /// How often the time zone files are checked.
  static let zoneRefreshMilliseconds: Int64 = 60_000
  /// How often the store's files are checked while nothing is stored.
  static let intactCheckMilliseconds: Int64 = 1_000

  private let notifier: Notifier
  /// All on the monotonic clock.
  private var nextWatchdog: Int64 = 0
  private var nextIntactCheck: Int64 = 0
  private var nextZoneRefresh: Int64
  /// When a clean stop stops waiting; nil before it began.
  private var drainDeadline: Int64?

  init(notifier: Notifier, at now: Now) {
    self.notifier = notifier
    nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds
  }

  /// The earliest deadline.
  var deadline: Int64 {
    var deadline = min(nextIntactCheck, nextZoneRefresh)
    if notifier.watchdogMilliseconds != nil { deadline = min(deadline, nextWatchdog) }
    return min(deadline, drainDeadline ?? .max)
  }

  /// Notifies systemd's watchdog, if due. Called in each iteration, so that a long backlog does not look like a stall.
  mutating func feedWatchdog(at now: Now) {
    guard let interval = notifier.watchdogMilliseconds, now.uptime >= nextWatchdog else { return }
    notifier.send("WATCHDOG=1")
    nextWatchdog = now.uptime + interval
  }

  /// Whether the time zone files must be checked now.
  mutating func mustRefreshZones(at now: Now) -> Bool { isDue(&nextZoneRefresh, Self.zoneRefreshMilliseconds, at: now) }

  /// The time zone files were checked.
  mutating func refreshedZones(at now: Now) { nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds }

  /// Throws if the database's files were misplaced. A transient failure shows at the next transaction, which also checks them.
  mutating func checkIntact(_ store: any ScheduleStore, at now: Now) throws(ServiceFailure) {
    guard isDue(&nextIntactCheck, Self.intactCheckMilliseconds, at: now) else { return }
    do throws(StoreError) {
      try store.checkIntact()
    } catch {
      if !error.isPassing { throw ServiceFailure(whileRunning: error) }
    }
  }

  /// Begins a clean stop; false if it began before.
  mutating func beginDraining(at now: Now) -> Bool {
    guard drainDeadline == nil else { return false }
    drainDeadline = now.uptime + Self.drainMilliseconds
    notifier.send("STOPPING=1")
    return true
  }

  /// Whether a clean stop has reached its limit.
  func mustEnd(at now: Now) -> Bool { drainDeadline.map { now.uptime >= $0 } ?? false }

  private func isDue(_ next: inout Int64, _ interval: Int64, at now: Now) -> Bool {
    guard now.uptime >= next else { return false }
    next = now.uptime + interval
    return true
  }
}
