package import Recurrence
package import Scheduling

/// What the pages ask the scheduler: the port to it. Answers are plain values.
///
/// What needs the store waits for the engine's thread; what it does there takes 5 ms at most.
package protocol AdminSource: Sendable {
  /// How the service is, from memory: it answers at once, also while the engine is stalled.
  var status: AdminStatus { get }
  /// Recent events.
  var recent: RecentEvents { get }
  func overview() async throws(AdminError) -> Overview
  /// A page of at most `limit`; like one of `ScheduleStore`, it may be short or empty and still have a `next`.
  func list(
    _ search: ScheduleSearch, after position: ListPosition?, limit: Int
  ) async throws(AdminError) -> ScheduleList
  /// Nil when there is no such schedule, nor an ended one of that id that is still kept.
  func schedule(_ id: ScheduleID) async throws(AdminError) -> ScheduleDetails?
  func zone(named name: String) throws(ExpressionError) -> ZoneRules
  /// Publishes a Schedule Stop, like any client, and returns when the broker has confirmed it.
  func stop(_ id: ScheduleID, reason: String) async throws(AdminError)
  /// Publishes the definition of a live schedule as a Schedule Start, which replaces it and counts from 0, and returns when
  /// the broker has confirmed it. Not of an ended one: its payload is not kept.
  func startAgain(_ id: ScheduleID) async throws(AdminError)
  /// Makes a copy of the whole database while the service runs. A cancelled task ends it.
  func backUp() async throws(AdminError) -> DatabaseCopy
}

/// A copy of the database. There is one at a time: another can be made when all who hold this have let go of it.
package struct DatabaseCopy: Sendable {
  package var file: any BackupFile
  package var origin: DatabaseOrigin
  /// What the next copy waits for.
  private let turn: any AnyObject & Sendable

  package init(file: any BackupFile, origin: DatabaseOrigin, turn: any AnyObject & Sendable) {
    self.file = file
    self.origin = origin
    self.turn = turn
  }
}

/// Whose database a copy is of, so that nobody takes it for another's.
package struct DatabaseOrigin: Hashable, Sendable {
  package var stack: String
  /// The database's absolute path on the machine of the service.
  package var path: String
  /// Device and inode, as `device:inode`, of the database and of the files that belong to it.
  package var files: [String]

  package init(stack: String, path: String, files: [String]) {
    self.stack = stack
    self.path = path
    self.files = files
  }
}

/// Headers of a copy that say whose it is.
package enum BackupHeader {
  package static let stack = "Pocketwatch-Stack"
  /// Percent-encoded.
  package static let database = "Pocketwatch-Database"
  /// Separated by spaces.
  package static let files = "Pocketwatch-Files"
}

/// How the service is now.
package struct AdminStatus: Hashable, Sendable {
  package var now: Instant
  /// Whether the engine's loop turns. A broker that is away does not stop it.
  package var isAlive: Bool
  /// What keeps commands from being answered and ticks from being sent, in words; nil when nothing does.
  package var obstacle: String?

  package init(now: Instant, isAlive: Bool, obstacle: String?) {
    self.now = now
    self.isAlive = isAlive
    self.obstacle = obstacle
  }

  /// Why it is not ready; nil when it is.
  var reason: String? { isAlive ? obstacle : "engine stalled" }
}

/// A number that was counted no further than a bound.
package struct BoundedCount: Hashable, Sendable {
  package var value: Int
  /// Whether there may be more.
  package var isAtLeast: Bool

  package init(_ value: Int, isAtLeast: Bool = false) {
    self.value = value
    self.isAtLeast = isAtLeast
  }

  var text: String { isAtLeast ? "\(value)+" : "\(value)" }
}

/// The service at a glance.
package struct Overview: Hashable, Sendable {
  /// Something that the service depends on: broker, disk, clock, zone data.
  package struct Part: Hashable, Sendable {
    package var name: String
    package var isWell: Bool
    package var words: String

    package init(_ name: String, isWell: Bool, _ words: String) {
      self.name = name
      self.isWell = isWell
      self.words = words
    }
  }

  /// How late recent ticks left, in milliseconds after they were due.
  package struct Lateness: Hashable, Sendable {
    package var median: Int64
    package var worstInHundred: Int64

    package init(median: Int64, worstInHundred: Int64) {
      self.median = median
      self.worstInHundred = worstInHundred
    }
  }

  /// Something that is counted since the start.
  package struct Total: Hashable, Sendable {
    /// For people.
    package var name: String
    /// For programs, such as `missed`.
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

/// One schedule, with what only its page shows.
package struct ScheduleDetails: Hashable, Sendable {
  package var schedule: Schedule
  package var history: Schedule.History
  /// The Schedule Start event that would make it again, as JSON.
  package var startEvent: String

  package init(schedule: Schedule, history: Schedule.History, startEvent: String) {
    self.schedule = schedule
    self.history = history
    self.startEvent = startEvent
  }
}

/// Why there is no answer.
package struct AdminError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Not now: the store is unavailable, the engine's thread did not answer in time, or the broker is away.
    case unavailable
    /// It cannot be done in the state that things are in.
    case conflict
    case notFound
  }

  package var kind: Kind
  /// A sentence for the person who asked.
  package var words: String

  package init(_ kind: Kind, _ words: String) {
    self.kind = kind
    self.words = words
  }
}
