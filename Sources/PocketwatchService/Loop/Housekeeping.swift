import Recurrence
import Scheduling

/// What the engine's thread does beside scheduling, each in its time: it feeds systemd's watchdog, re-reads the files of the
/// time zones, checks that the database is still where it was, and bounds a clean stop.
struct Housekeeping {
  /// How long a clean stop may take before what is still unconfirmed is left to the next start. With the two seconds
  /// that the connections' threads get after it, and the database's closing, it stays well within the ten promised.
  static let drainMilliseconds: Int64 = 5_000
  /// How often the files of the time zones are read.
  static let zoneRefreshMilliseconds: Int64 = 60_000
  /// How often the store's files are checked while nothing is stored.
  static let intactCheckMilliseconds: Int64 = 1_000

  private let notifier: Notifier
  /// All on the monotonic clock.
  private var nextWatchdog: Int64 = 0
  private var nextIntactCheck: Int64 = 0
  private var nextZoneRefresh: Int64
  /// When a clean stop gives up waiting; nil before it began.
  private var drainDeadline: Int64?

  init(notifier: Notifier, at now: Now) {
    self.notifier = notifier
    nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds
  }

  /// When the next of all this is due.
  var deadline: Int64 {
    var deadline = min(nextIntactCheck, nextZoneRefresh)
    if notifier.watchdogMilliseconds != nil { deadline = min(deadline, nextWatchdog) }
    return min(deadline, drainDeadline ?? .max)
  }

  /// Tells systemd that the service lives. Each turn of the loop asks, so that a long backlog does not look like a stall.
  mutating func feedWatchdog(at now: Now) {
    guard let interval = notifier.watchdogMilliseconds, now.uptime >= nextWatchdog else { return }
    notifier.send("WATCHDOG=1")
    nextWatchdog = now.uptime + interval
  }

  /// Whether it is time to read the files of the time zones.
  mutating func mustRefreshZones(at now: Now) -> Bool { isDue(&nextZoneRefresh, Self.zoneRefreshMilliseconds, at: now) }

  /// The files of the time zones were read.
  mutating func refreshedZones(at now: Now) { nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds }

  /// A failure that may pass shows with the next transaction, which checks, too, before it is committed.
  mutating func checkIntact(_ store: any ScheduleStore, at now: Now) throws(ServiceFailure) {
    guard isDue(&nextIntactCheck, Self.intactCheckMilliseconds, at: now) else { return }
    do throws(StoreError) {
      try store.checkIntact()
    } catch {
      if !error.isPassing { throw ServiceFailure(whileRunning: error) }
    }
  }

  /// Begins to bound a clean stop; false if it began before.
  mutating func beginDraining(at now: Now) -> Bool {
    guard drainDeadline == nil else { return false }
    drainDeadline = now.uptime + Self.drainMilliseconds
    notifier.send("STOPPING=1")
    return true
  }

  /// Whether a clean stop has taken as long as it may.
  func mustEnd(at now: Now) -> Bool { drainDeadline.map { now.uptime >= $0 } ?? false }

  private func isDue(_ next: inout Int64, _ interval: Int64, at now: Now) -> Bool {
    guard now.uptime >= next else { return false }
    next = now.uptime + interval
    return true
  }
}
