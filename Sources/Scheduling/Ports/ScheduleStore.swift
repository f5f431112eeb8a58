package import Recurrence

/// Where schedules are kept: the port to durable storage.
///
/// Every call is one transaction: what `apply` returned from is on disk. Used by one thread at a time.
package protocol ScheduleStore: AnyObject {
  /// What is needed before the first decision.
  func load() throws(StoreError) -> PersistentState

  /// The schedules with these ids, live or ended, in the order asked; nil where there is none.
  func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?]

  /// What these commands were answered, in the order asked; nil where the command is not known.
  func remembered(_ keys: [CommandKey]) throws(StoreError) -> [RememberedCommand?]

  /// Commands of the inbox's complete batches, those beyond `position`, in order. Counts, durably, a try of each that has no
  /// answer yet, before it returns them.
  ///
  /// At most `limit`, and fewer when they reach `InboxPage.maximumBytes`. A command that was tried before comes alone, since
  /// it may be the one that ended the process.
  func takeInbox(after position: InboxPosition?, limit: Int) throws(StoreError) -> InboxPage

  /// Counts, durably, one more try of these commands of the inbox, and one less of those that were passed over: they have to
  /// wait, and ended no process.
  func countTries(of positions: [InboxPosition], passedOver: [InboxPosition]) throws(StoreError)

  /// Live schedules in order of `DuePosition`, those beyond `position` and due at or before `through`.
  ///
  /// At most `limit`; fewer when their payloads reach `DuePage.maximumPayloadBytes`, but at least one when there is one.
  func due(after position: DuePosition?, through: Instant, limit: Int) throws(StoreError) -> DuePage

  /// Live schedules whose slots depend on the rules of a time zone, which are those that keep a `since`, in order of
  /// `DuePosition`, those beyond `position`.
  func followingZones(after position: DuePosition?, limit: Int) throws(StoreError) -> [Schedule]

  /// Ended schedules that owe their Stopped, by generation, those beyond `generation`.
  func owingStopped(after generation: Int64, limit: Int) throws(StoreError) -> [Schedule]

  /// Makes all the changes, in order, or none.
  func apply(_ changes: [Change]) throws(StoreError)

  /// Removes what the retention no longer asks for, in one small step, and says how many rows that were.
  func sweep(_ retention: Retention, limit: Int) throws(StoreError) -> Int

  /// Throws when what is stored from now on could not be found again by the next process.
  func checkIntact() throws(StoreError)

  /// How a schedule of any state began and what became of its ticks; nil when there is none of this id.
  func history(of id: ScheduleID) throws(StoreError) -> Schedule.History?

  /// How many schedules there are.
  func counts() throws(StoreError) -> ScheduleCounts

  /// Schedules of any state by id, those beyond `id`.
  func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule]

  /// Schedules along a walk, at most `limit`, without their payloads and declarations: what one costs to read does not depend
  /// on them.
  func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule]

  /// How many live schedules are due at or before an instant, counted no further than `bound`, without reading them.
  func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool)
}

/// What a store remembers beside schedules and commands.
package struct PersistentState: Hashable, Sendable {
  /// The highest generation ever given.
  package var lastGeneration: Int64
  /// Ticks due at or before this instant may have been published by an earlier process.
  package var inDoubtThrough: Instant
  /// The secret of this database, drawn when it was made, under which command keys are hashed.
  package var secret: SipHash.Key
  /// The last batch of the inbox that is complete.
  package var inboxBatch: Int64
  /// The rules of expressions (`CronExpression.rulesVersion`) by which the stored slots were found.
  package var rulesVersion: Int64

  package init(
    lastGeneration: Int64, inDoubtThrough: Instant, secret: SipHash.Key, inboxBatch: Int64 = 0,
    rulesVersion: Int64 = CronExpression.rulesVersion
  ) {
    self.lastGeneration = lastGeneration
    self.inDoubtThrough = inDoubtThrough
    self.secret = secret
    self.inboxBatch = inboxBatch
    self.rulesVersion = rulesVersion
  }
}

/// Schedules by state.
package struct ScheduleCounts: Hashable, Sendable {
  package var live: Int
  package var ended: Int

  package init(live: Int = 0, ended: Int = 0) {
    self.live = live
    self.ended = ended
  }
}

/// A place in the order in which ticks become due.
package struct DuePosition: Hashable, Comparable, Sendable {
  package var due: Instant
  package var generation: Int64

  package init(due: Instant, generation: Int64) {
    self.due = due
    self.generation = generation
  }

  /// By numbers, since the ticks of a burst are kept in order by it, and tuples ask a witness for each part.
  package static func < (left: DuePosition, right: DuePosition) -> Bool {
    left.due.milliseconds == right.due.milliseconds
      ? left.generation < right.generation : left.due.milliseconds < right.due.milliseconds
  }
}

/// A place in the order in which schedules ended.
package struct EndPosition: Hashable, Comparable, Sendable {
  package var at: Instant
  package var generation: Int64

  package init(at: Instant, generation: Int64) {
    self.at = at
    self.generation = generation
  }

  package static func < (left: EndPosition, right: EndPosition) -> Bool {
    (left.at, left.generation) < (right.at, right.generation)
  }
}

/// An order in which people look through schedules, and where to begin.
package enum ListWalk: Hashable, Sendable {
  /// All, by the bytes of their ids, from these bytes on.
  case id(from: [UInt8])
  /// Live ones, what is due first coming first, those beyond a position; nil for all.
  case due(after: DuePosition?)
  /// Ended ones, those that owe their Stopped included, the latest end coming first, those that ended before a position;
  /// nil for all.
  case end(before: EndPosition?)
}

/// Some of what is due.
package struct DuePage: Sendable {
  /// A page takes no further schedule once the payloads in it come to this much.
  package static let maximumPayloadBytes = 4 << 20

  package var schedules: [Schedule]
  /// Whether nothing more is due up to the instant asked for.
  package var isLast: Bool

  package init(schedules: [Schedule], isLast: Bool) {
    self.schedules = schedules
    self.isLast = isLast
  }
}

/// One change to what is stored.
package enum Change: Hashable, Sendable {
  /// A new schedule; whatever stands under its id, live or ended, is removed. Raises the last generation.
  case start(Schedule, Schedule.Beginning? = nil)
  /// A live schedule goes on or ends. Without effect unless it is live with this very slot.
  /// What became of its tick is added to its history.
  case advance(Schedule.Key, from: Instant, to: Schedule.Progress, adding: Schedule.Tally = Schedule.Tally())
  /// An ended schedule's Stopped was published: it owes nothing more, and its payload is dropped.
  case announced(generation: Int64)
  /// A Start left a schedule of any state as it is, and declared it.
  case declare(Schedule.Key, Schedule.Declaration)
  /// All stored slots are those that these rules of expressions lead to.
  case followRules(version: Int64)
  /// A command was answered.
  case remember(RememberedCommand)
  /// Ticks due up to this instant may be published from now on.
  case markInDoubt(through: Instant)
  case inbox(InboxChange)
}

/// One change to the inbox.
package enum InboxChange: Hashable, Sendable {
  /// These arrived, in this order, in a batch that is not complete yet.
  case receive([InboxArrival], batch: Int64)
  /// All of a batch is there: what is in it may be decided.
  case complete(batch: Int64)
  /// Batches that are not complete are forgotten: the broker delivers what is in them again.
  case discardIncomplete
  /// A command is decided, in the transaction of its effect.
  case answered(InboxPosition, RememberedCommand.Answer)
  /// A command without `message_id` was applied: what is behind it on the same schedule, up to and with this batch, has to be
  /// applied, too, for the last of them to decide what stands there.
  case reapply(ScheduleID, through: Int64)
  /// The outcome of a command is confirmed.
  case remove(InboxPosition)
}

/// What may be forgotten.
package struct Retention: Hashable, Sendable {
  /// Schedules that ended before this instant by Stop, limit or date.
  package var endedBefore: Instant
  /// Schedules that are declared by Starts that keep them, and ended automatically before this instant.
  package var lastingBefore: Instant
  /// Other one-shots that fired before this instant.
  package var firedBefore: Instant
  /// Commands answered before this instant.
  package var answeredBefore: Instant
  /// The most ended schedules, and the most commands, kept whatever their age.
  package var maximumEnded: Int
  package var maximumCommands: Int

  package init(
    endedBefore: Instant, firedBefore: Instant, lastingBefore: Instant, answeredBefore: Instant, maximumEnded: Int,
    maximumCommands: Int
  ) {
    self.endedBefore = endedBefore
    self.lastingBefore = lastingBefore
    self.firedBefore = firedBefore
    self.answeredBefore = answeredBefore
    self.maximumEnded = maximumEnded
    self.maximumCommands = maximumCommands
  }
}

/// Why the store could not do what was asked.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// No room, or no right to write, for now: nothing was changed, and the same call may succeed later.
    case full, readOnly
    /// The disk failed. Whether the last transaction holds is unknown: end the process and open anew.
    case inputOutput
    /// The file is damaged, is no database of ours, was written by a newer version, or belongs to another process.
    case corrupt, foreign, newer, locked
    /// The file is not where it was opened, or has other names beside this one: what is written could be lost.
    case misplaced
    /// There is no such folder, or nothing there that can be opened: a mount may be late, or the path is wrong.
    case unreachable
    /// Anything else; like `inputOutput` for the caller.
    case other
  }

  package var kind: Kind
  /// What happened, where and what to do, in a sentence or two.
  package var description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// Whether the same call may succeed later in this process.
  package var isPassing: Bool { kind == .full || kind == .readOnly }
}
