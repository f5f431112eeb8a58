package import Recurrence

/// What goes into the engine and what comes out.
extension Engine {
  /// What happened.
  package enum Event: Sendable {
    /// The answer to the store request of the last `decide`.
    case store(StoreAnswer)
    case publisherUp(epoch: UInt64)
    /// The publishing connection is gone, and every publication in flight with it.
    case publisherDown
    case blocked
    case unblocked
    /// The largest body that the broker takes; nil when that is not known.
    case messageLimit(Int?)
    case acked([UInt64])
    case nacked([UInt64], cause: String)
    /// The broker found no queue for it; its ack follows.
    case returned(UInt64, cause: String)
    /// Commands are consumed, on a channel with this number of ours.
    case commandsOpened(channel: UInt64)
    /// The channel is gone; its commands will be delivered again.
    case commandsClosed
    case deliveries([ReceivedCommand], channel: UInt64)
    /// The queue has no more commands for us than those delivered.
    case commandsExhausted(channel: UInt64)
    /// No more commands are read for a while now, for those that were come to as many bytes as there may be.
    case commandsCongested(channel: UInt64)
    /// The files of time zones were looked at: rules that were missing may be there, and with `changed`, known ones are new.
    case zonesRefreshed(changed: Bool)
    /// Finish what is under way and begin nothing new.
    case drain
  }

  /// What is to be done.
  package enum Action: Sendable {
    /// At most one is asked for before its answer is received.
    case store(StoreRequest)
    case publish([Publication], epoch: UInt64)
    case settle(Acknowledgements.Settled, channel: UInt64)
    /// Close the channel, which leaves the commands in their queue, until they are asked for again.
    case pauseCommands
    case resumeCommands
    case report([Report])
    /// The store failed in a way that only a new process can mend.
    case fail(StoreError)
    /// Nothing is under way any more.
    case drained
  }

  package enum StoreRequest: Sendable {
    /// What is stored about commands that are about to be decided; of those of the inbox, a try is counted first.
    case look(ids: [ScheduleID], keys: [CommandKey], tried: [InboxPosition] = [], passedOver: [InboxPosition] = [])
    case inbox(after: InboxPosition?, limit: Int)
    case due(after: DuePosition?, through: Instant, limit: Int)
    case owed(after: Int64, limit: Int)
    case followingZones(after: DuePosition?, limit: Int)
    case apply([Change])
    case sweep(Retention, limit: Int)
  }

  package enum StoreAnswer: Sendable {
    case looked([Schedule?], [RememberedCommand?])
    case inbox(InboxPage)
    case due(DuePage)
    case owed([Schedule])
    case followingZones([Schedule])
    case applied
    case swept(Int)
    case failed(StoreError)
  }

  /// Something a person may want to read in the log, or a counter count.
  package enum Report: Sendable {
    case tickReturned(ScheduleID, cause: String)
    case outcomeReturned(ScheduleID?, cause: String)
    /// The broker refused a publication, which will be sent again.
    case nacked(ScheduleID?, refusals: Int, cause: String)
    /// The broker did not confirm a publication in time. It is not sent again on this connection; a late confirm counts.
    case confirmTimedOut(ScheduleID?, seconds: Int64)
    case tickExpired(ScheduleID, slot: Instant, cause: String)
    /// The outcome of a command, or a Stopped for which a command waited, will not be sent again.
    case outcomeExpired(OutgoingEvent, Origin, cause: String)
    /// By `fireOnce`.
    case missedSlotsFolded(ScheduleID, count: Int)
    /// By `skip`, or by another policy because they are older than the catch-up window.
    case missedSlotsSkipped(ScheduleID, count: Int, policy: MisfirePolicy)
    case commandRejected(Rejection)
    case scheduleStarted(ScheduleID, Started.Effect)
    /// Not `byCommand`, it ended by itself.
    case scheduleStopped(ScheduleID, reason: String, byCommand: Bool)
    case zoneMissing(ScheduleID, zone: String)
    /// The wall clock was set back by more than a day; the slots of all schedules are looked for anew.
    case clockSetBack(from: Instant, to: Instant)
    /// New rules of its zone gave a schedule another next slot; nil when they end it.
    case slotMoved(ScheduleID, from: Instant, to: Instant?)
    /// This version reads its cron expression otherwise, which gave it another next slot.
    case slotRecomputed(ScheduleID, from: Instant, to: Instant)
    /// This version reads its cron expression otherwise, and it has no slot any more: it is held.
    case heldWithoutSlot(ScheduleID, cron: String)
    case ownEventDropped
    /// So many commands were redelivered and are in the inbox now.
    case commandsRedelivered(Int)
    /// A command ended the process each time that it was decided, and goes to the dead queue.
    case commandPoisoned(tries: Int)
    case intakeSuspended(IntakeSuspension.Reason)
    case intakeResumed
    case storeUnavailable(StoreError)
    case storeRecovered
  }

  /// When `decide` is to be called again at the latest, if no event comes before: at a wall-clock time, after a time on
  /// the monotonic clock, whichever comes first.
  package struct Wake: Hashable, Sendable {
    package var wall: Instant?
    package var uptime: Int64?
  }
}
