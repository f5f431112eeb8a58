package import Recurrence

/// One change of stored state.
package enum Change: Hashable, Sendable {
  /// A new schedule. Any schedule with the same id, live or ended, is removed. Raises the last generation.
  case start(Schedule, Schedule.Beginning? = nil)
  /// A live schedule advances or ends, and the delivery results of its tick are added to its history. No effect unless
  /// it is live with exactly this slot. `on` is where its ticks leave.
  case advance(
    Schedule.Key, from: Instant, to: Schedule.Progress, adding: Schedule.Tally = Schedule.Tally(), on: Outlet = .bus)
  /// A control command, or the end of a pause, has changed a live schedule: its progress, its control and, if
  /// `isRedefined`, its definition. No effect unless it is live with exactly this slot.
  case revise(Schedule, from: Instant, isRedefined: Bool, adding: Schedule.Tally = Schedule.Tally())
  /// An event that a schedule owed was confirmed. With its Stopped, the payload of an ended schedule is dropped.
  case announced(generation: Int64, OwedEvent = .stopped)
  /// A Start left a schedule unchanged, and declared it.
  case declare(Schedule.Key, Schedule.Declaration)
  /// All stored slots follow this version of the rules of cron expressions.
  case followRules(version: Int64)
  /// A command was answered.
  case remember(RememberedCommand)
  /// Ticks due up to this instant may be published from now on.
  case markInDoubt(through: Instant)
  case inbox(InboxChange)
  case batch(BatchChange)
}

/// One change to the inbox.
package enum InboxChange: Hashable, Sendable {
  /// These commands arrived, in this order, in a batch that is not complete yet.
  case receive([InboxArrival], batch: Int64)
  /// A batch is complete: its commands may be decided.
  case complete(batch: Int64)
  /// Incomplete batches are removed: the broker redelivers their commands.
  case discardIncomplete
  /// A command is decided, in the transaction of its effect.
  case answered(InboxPosition, RememberedCommand.Answer)
  /// A command without `message_id` was applied. Later commands on the same schedule, up to and including this batch,
  /// have to be applied, too, so that the last of them determines the result.
  case reapply(ScheduleID, through: Int64)
  /// The outcome of a command is confirmed.
  case remove(InboxPosition)
}

/// One change to the batches under way.
package enum BatchChange: Hashable, Sendable {
  /// A batch without members yet.
  case begin(Batch)
  /// These schedules are members of a batch.
  case add([ScheduleID], batch: Int64)
  /// All members of a batch are stored.
  case complete(Int64)
  /// A member is decided, in the transaction of its effect.
  case decided(BatchMember, RememberedCommand.Answer, isChanged: Bool)
  /// The outcome of a member is confirmed; or its batch is not complete and begins again.
  case remove(BatchMember)
  /// A batch has no members any more.
  case end(Int64)
}

extension Change {
  /// A live schedule advances or ends. What a control command has left for this slot is done with.
  package static func advance(
    _ schedule: Schedule, from slot: Instant, to progress: Schedule.Progress,
    adding tally: Schedule.Tally = Schedule.Tally()
  ) -> Change {
    let outlet = schedule.definition.outlet
    guard !schedule.hasPlainControl else {
      return .advance(schedule.key, from: slot, to: progress, adding: tally, on: outlet)
    }
    let advanced = schedule.advanced(to: progress)
    return advanced.control == schedule.control
      ? .advance(schedule.key, from: slot, to: advanced.progress, adding: tally, on: outlet)
      : .revise(advanced, from: slot, isRedefined: false, adding: tally)
  }
}
