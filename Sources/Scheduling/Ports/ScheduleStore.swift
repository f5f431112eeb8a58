package import Recurrence

/// Durable storage, as the engine needs it.
///
/// Every call is one transaction: when `apply` returns, its changes are on disk. Used by one thread at a time.
package protocol ScheduleStore: AnyObject {
  /// The state that is needed before the first decision.
  func load() throws(StoreError) -> PersistentState

  /// The schedules with these ids, live or ended, in the order asked; nil where there is none.
  func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?]

  /// The answers to these commands, in the order asked; nil where the command is not known.
  func remembered(_ keys: [CommandKey]) throws(StoreError) -> [RememberedCommand?]

  /// Commands of the inbox's complete batches, in order, after `position`. Before it returns, durably counts a try for
  /// each that has no answer yet.
  ///
  /// At most `limit`, and fewer when they reach `InboxPage.maximumBytes`. A command that was tried before is returned
  /// alone, since it may have ended the process.
  func takeInbox(after position: InboxPosition?, limit: Int) throws(StoreError) -> InboxPage

  /// Durably counts one more try of these inbox commands, and one less of those that were passed over: they wait, and
  /// ended no process.
  func countTries(of positions: [InboxPosition], passedOver: [InboxPosition]) throws(StoreError)

  /// Live schedules in order of `DuePosition`, after `position` and not after `end`.
  ///
  /// At most `limit`; fewer when their payloads reach `DuePage.maximumPayloadBytes`, but at least one if there is one.
  func due(after position: DuePosition?, through end: DuePosition, limit: Int) throws(StoreError) -> DuePage

  /// Live schedules whose slots depend on the rules of a time zone (those that store a `since`), in order of
  /// `DuePosition`, after `position`.
  func followingZones(after position: DuePosition?, limit: Int) throws(StoreError) -> [Schedule]

  /// Schedules that owe an event, in order of generation, after `generation`.
  func owing(after generation: Int64, limit: Int) throws(StoreError) -> [Schedule]

  /// Members of batches, in order, after `member`; with the first page, all batches.
  func batches(after member: BatchMember?, limit: Int) throws(StoreError) -> BatchPage

  /// Makes all the changes, in order, or none.
  func apply(_ changes: [Change]) throws(StoreError)

  /// Removes what need not be retained any longer, in one small step. Returns the number of rows removed.
  func sweep(_ retention: Retention, limit: Int) throws(StoreError) -> Int

  /// Throws if the next process could not find what is stored from now on.
  func checkIntact() throws(StoreError)
}

/// What a store keeps besides schedules and commands.
package struct PersistentState: Hashable, Sendable {
  /// The highest generation ever assigned.
  package var lastGeneration: Int64
  /// Ticks due at or before this instant may have been published by an earlier process.
  package var inDoubtThrough: Instant
  /// The secret of this database, under which command keys are hashed. Drawn when the database was created.
  package var secret: SipHash.Key
  /// The last complete batch of the inbox.
  package var inboxBatch: Int64
  /// The version of the rules of cron expressions (`CronExpression.rulesVersion`) that the stored slots follow.
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

/// Consecutive schedules in due order.
package struct DuePage: Sendable {
  /// No further schedule is added to a page whose payloads have this many bytes.
  package static let maximumPayloadBytes = 4 << 20

  package var schedules: [Schedule]
  /// Whether no more schedules follow up to the position asked for.
  package var isLast: Bool

  package init(schedules: [Schedule], isLast: Bool) {
    self.schedules = schedules
    self.isLast = isLast
  }
}

/// What may be removed.
package struct Retention: Hashable, Sendable {
  /// Schedules that ended before this instant by a Stop, their limit or end date.
  package var endedBefore: Instant
  /// Schedules that ended automatically before this instant, declared with `keep` or `replaceIfChanged`.
  package var lastingBefore: Instant
  /// Other one-shots that fired before this instant.
  package var firedBefore: Instant
  /// Commands answered before this instant.
  package var answeredBefore: Instant
  /// The most ended schedules kept, whatever their age.
  package var maximumEnded: Int
  /// The most answered commands kept, whatever their age.
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
