package import Recurrence

/// Where schedules are kept: what the engine needs of durable storage.
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
