package import Recurrence
package import Scheduling

/// The scheduler as pages and API see it: a port that returns plain values.
///
/// Reads of the store run on the engine's thread, for at most 5 ms each.
package protocol AdminSource: Sendable {
  /// From memory: available at once, also while the engine is stalled.
  var status: AdminStatus { get }
  var recent: RecentEvents { get }
  func overview() async throws(AdminError) -> Overview
  /// A page of at most `limit` schedules. It may be short or empty and still have a `next`.
  func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int
  ) async throws(AdminError) -> ScheduleList
  /// Nil when no live schedule has this id, and no ended one that is still retained.
  func schedule(_ id: ScheduleID) async throws(AdminError) -> ScheduleDetails?
  func zone(named name: String) throws(ExpressionError) -> ZoneRules
  /// Publishes the command for a change as a client would; returns when the broker has confirmed it.
  func publish(_ change: ScheduleChange, of id: ScheduleID) async throws(AdminError)
  /// Publishes a command on several schedules, likewise.
  func publish(_ command: BatchCommand) async throws(AdminError)
  /// Copies the whole database while the service runs. Cancelling the task ends the copy.
  func backUp() async throws(AdminError) -> DatabaseCopy
}

/// A change that a form of the pages asks for.
package enum ScheduleChange: Hashable, Sendable {
  case stop(reason: String)
  /// Its definition again, which restarts its counter and ends its pause. An ended schedule is a conflict, because its
  /// payload is not retained.
  case restart
  case pause(Command.Pause.End?, reason: String)
  /// - Parameter policy: For the slots of the pause; nil for the default.
  case resume(policy: MisfirePolicy?)
  case trigger
}

/// A copy of the database. There is one at a time: the next can be made when this value has been released.
package struct DatabaseCopy: Sendable {
  package var file: any BackupFile
  package var origin: DatabaseOrigin
  /// Held for the lifetime of the copy; the next copy waits for its release.
  private let permit: any AnyObject & Sendable

  package init(file: any BackupFile, origin: DatabaseOrigin, permit: any AnyObject & Sendable) {
    self.file = file
    self.origin = origin
    self.permit = permit
  }
}

/// The database that a copy was made of. A client checks it before it stores the copy.
package struct DatabaseOrigin: Hashable, Sendable {
  package var stack: String
  /// The absolute path on the service's machine.
  package var path: String
  /// `device:inode` of the database file, its write-ahead log and its other companions.
  package var files: [String]

  package init(stack: String, path: String, files: [String]) {
    self.stack = stack
    self.path = path
    self.files = files
  }
}

/// Response headers that carry a copy's `DatabaseOrigin`.
package enum BackupHeader {
  package static let stack = "Pocketwatch-Stack"
  /// Percent-encoded.
  package static let database = "Pocketwatch-Database"
  /// Separated by spaces.
  package static let files = "Pocketwatch-Files"
}

/// Liveness and readiness.
package struct AdminStatus: Hashable, Sendable {
  package var now: Instant
  /// Whether the engine's loop runs. It also runs while the broker is unavailable.
  package var isAlive: Bool
  /// Why the service is not ready; nil when it is.
  package var reason: String?

  package init(now: Instant, isAlive: Bool, reason: String?) {
    self.now = now
    self.isAlive = isAlive
    self.reason = isAlive ? reason : "engine stalled"
  }
}

/// A count that stops at a bound.
package struct BoundedCount: Hashable, Sendable {
  package var value: Int
  /// Whether the bound was reached, so that there may be more.
  package var isAtLeast: Bool

  package init(_ value: Int, isAtLeast: Bool = false) {
    self.value = value
    self.isAtLeast = isAtLeast
  }

  var text: String { isAtLeast ? "\(value)+" : "\(value)" }
}

/// A summary of the service's state.
package struct Overview: Hashable, Sendable {
  /// A dependency of the service: broker, disk, clock, zone data.
  package struct Part: Hashable, Sendable {
    package var name: String
    package var isHealthy: Bool
    package var message: String

    package init(_ name: String, isHealthy: Bool, _ message: String) {
      self.name = name
      self.isHealthy = isHealthy
      self.message = message
    }
  }

  /// Lateness of recent ticks in milliseconds: sent time minus due time.
  package struct Lateness: Hashable, Sendable {
    package var p50: Int64
    package var p99: Int64

    package init(p50: Int64, p99: Int64) {
      self.p50 = p50
      self.p99 = p99
    }
  }

  /// A counter since the start of the service.
  package struct Total: Hashable, Sendable {
    /// For the pages, such as `Missed slots`.
    package var name: String
    /// For the API, such as `missed`.
    package var key: String
    package var value: Int64

    package init(_ name: String, key: String, _ value: Int64) {
      self.name = name
      self.key = key
      self.value = value
    }
  }

  package var version: String
  package var startedAt: Instant
  package var parts: [Part]
  package var counts: ScheduleCounts
  package var dueWithinMinute: BoundedCount
  package var dueWithinHour: BoundedCount
  package var nextDue: Instant?
  package var lateness: Lateness?
  package var totals: [Total]

  package init(
    version: String, startedAt: Instant, parts: [Part], counts: ScheduleCounts, dueWithinMinute: BoundedCount,
    dueWithinHour: BoundedCount, nextDue: Instant?, lateness: Lateness?, totals: [Total]
  ) {
    self.version = version
    self.startedAt = startedAt
    self.parts = parts
    self.counts = counts
    self.dueWithinMinute = dueWithinMinute
    self.dueWithinHour = dueWithinHour
    self.nextDue = nextDue
    self.lateness = lateness
    self.totals = totals
  }
}

/// One schedule with its history.
package struct ScheduleDetails: Hashable, Sendable {
  package var schedule: Schedule
  package var history: Schedule.History
  /// The Schedule Start event that would start it again, as JSON.
  package var startEvent: String

  package init(schedule: Schedule, history: Schedule.History, startEvent: String) {
    self.schedule = schedule
    self.history = history
    self.startEvent = startEvent
  }
}

/// Why a request to the scheduler failed.
package struct AdminError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Temporary: the store or the broker is unavailable, or the engine did not answer in time.
    case unavailable
    /// Not possible in the current state.
    case conflict
    case notFound
  }

  package var kind: Kind
  /// A sentence for the user.
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
