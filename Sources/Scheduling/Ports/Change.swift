package import Recurrence

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
