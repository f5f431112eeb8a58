package import Recurrence

/// The engine's inputs and outputs.
extension Engine {
  package enum Event: Sendable {
    /// The result of the store request of an earlier `decide`.
    case store(StoreAnswer)
    // Of a publishing connection, by default that to the event bus.
    case publisherUp(epoch: UInt64, on: Outlet = .bus)
    /// The connection is lost, and with it every publication in flight on it.
    case publisherDown(on: Outlet = .bus)
    case blocked(on: Outlet = .bus)
    case unblocked(on: Outlet = .bus)
    /// The largest message body that the broker accepts, in bytes; nil when it is not known.
    case messageLimit(Int?)
    case acked([UInt64], on: Outlet = .bus)
    case nacked([UInt64], cause: String, on: Outlet = .bus)
    /// The publication was unroutable; its confirm follows.
    case returned(UInt64, cause: String, on: Outlet = .bus)
    /// Commands are consumed, on a channel with this number of our own.
    case commandsOpened(channel: UInt64)
    /// The channel is gone; its unsettled commands will be redelivered.
    case commandsClosed
    case deliveries([ReceivedCommand], channel: UInt64)
    /// The queue is empty: everything was delivered.
    case commandsExhausted(channel: UInt64)
    /// The consumer stopped reading because the commands in memory have reached their limit in bytes.
    case commandsCongested(channel: UInt64)
    /// Time zone files were re-read. Rules that were missing may be available; with `changed`, known rules are
    /// different.
    case zonesRefreshed(changed: Bool)
    /// Finish the work in flight and begin nothing new.
    case drain
  }

  /// What the shell has to do.
  package enum Action: Sendable {
    /// At most one request is outstanding.
    case store(StoreRequest)
    case publish([Publication], epoch: UInt64, on: Outlet)
    /// The connection for targets is needed from now on.
    case connectTargets
    /// Send these to their addresses, if that is possible now. Nothing depends on it.
    case reply([Reply])
    case settle(Acknowledgements.Settled, channel: UInt64)
    /// Close the consuming channel, which returns its commands to the queue, until `resumeCommands`.
    case pauseCommands
    case resumeCommands
    case report([Report])
    /// The store failed in a way that only a restart can fix.
    case fail(StoreError)
    /// Nothing is in flight: the process may end.
    case drained
  }

  package enum StoreRequest: Sendable {
    /// Reads the state for commands that are about to be decided. Durably counts a try for the inbox commands in
    /// `tried`, and one less for those in `passedOver`, before it reads.
    case lookUp(ids: [ScheduleID], keys: [CommandKey], tried: [InboxPosition] = [], passedOver: [InboxPosition] = [])
    case inbox(after: InboxPosition?, limit: Int)
    case batches(after: BatchMember?, limit: Int)
    case due(after: DuePosition?, through: DuePosition, limit: Int)
    case owed(after: Int64, limit: Int)
    case followingZones(after: DuePosition?, limit: Int)
    case apply([Change])
    case sweep(Retention, limit: Int)
    case describe(ScheduleID)
    case list(Question.List)
  }

  package enum StoreAnswer: Sendable {
    case lookedUp([Schedule?], [RememberedCommand?])
    case inbox(InboxPage)
    case batches(BatchPage)
    case due(DuePage)
    case owed([Schedule])
    case followingZones([Schedule])
    case applied
    case swept(Int)
    case described(Schedule?, Schedule.History?)
    case listed(ScheduleList)
    case failed(StoreError)
  }

  /// Something to log or count.
  package enum Report: Sendable {
    case tickReturned(ScheduleID, cause: String)
    case outcomeReturned(ScheduleID?, cause: String)
    /// The broker nacked a publication, which will be retried. `refusals` counts its failures so far.
    case nacked(ScheduleID?, refusals: Int, cause: String)
    /// The broker did not confirm a publication in time. It is not republished on this connection; a late confirm still
    /// applies.
    case confirmTimedOut(ScheduleID?, seconds: Int64)
    case tickExpired(ScheduleID, slot: Instant, cause: String)
    /// The outcome of a command, or an owed event for which a command waited, will not be sent again.
    case outcomeExpired(OutgoingEvent, Origin, cause: String)
    /// By misfire policy `fireOnce`.
    case missedSlotsFolded(ScheduleID, count: Int)
    /// By misfire policy `skip`, or by another policy because they are older than the catch-up window.
    case missedSlotsSkipped(ScheduleID, count: Int, policy: MisfirePolicy)
    case commandRejected(Rejection)
    case questionAnswered(EventName)
    case scheduleStarted(ScheduleID, Started.Effect)
    /// The schedule ended; automatically unless `byCommand`.
    case scheduleStopped(ScheduleID, reason: String, byCommand: Bool)
    case schedulePaused(ScheduleID, until: Instant?)
    /// Its pause has ended; automatically unless `byCommand`.
    case scheduleResumed(ScheduleID, byCommand: Bool)
    case scheduleTriggered(ScheduleID)
    case scheduleUpdated(ScheduleID, changed: [String])
    /// A batch command applies to this many schedules.
    case batchBegan(EventName, BatchCommand.Selector, matched: Int)
    case batchDone(BatchDone)
    case zoneMissing(ScheduleID, zone: String)
    /// Its owner may not publish to its target: it is held.
    case targetRefused(ScheduleID, cause: String)
    /// The wall clock was set back by more than a day; the slots of all schedules are recomputed.
    case clockSetBack(from: Instant, to: Instant)
    /// New rules of its time zone gave a schedule another next slot; nil when they end it.
    case slotMoved(ScheduleID, from: Instant, to: Instant?)
    /// This version interprets the cron expression differently, which gave the schedule another next slot.
    case slotRecomputed(ScheduleID, from: Instant, to: Instant)
    /// This version interprets the cron expression differently and finds no slot: the schedule is held.
    case heldWithoutSlot(ScheduleID, cron: String)
    case ownEventDropped
    /// This many redelivered commands are now in the inbox.
    case commandsRedelivered(Int)
    /// A command ended the process each time that it was decided, and goes to the dead queue.
    case commandPoisoned(tries: Int)
    case intakeSuspended(IntakeSuspension.Reason)
    case intakeResumed
    case storeUnavailable(StoreError)
    case storeRecovered
  }

  /// When to call `decide` again at the latest if no event comes before: at a wall-clock time or at a time on the
  /// monotonic clock, whichever comes first.
  package struct Wake: Hashable, Sendable {
    package var wall: Instant?
    package var uptime: Int64?
  }
}
