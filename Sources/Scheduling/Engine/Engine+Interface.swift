package import Recurrence

extension Engine {
  /// Bounds and times. Every queue and every wait has one.
  package struct Settings: Hashable, Sendable {
    /// The most ticks published and not yet advanced: what may be repeated after a crash.
    package var publishWindow = 512
    /// With the window full, so many confirmed ticks are stored in one transaction; none waits longer for others than this.
    package var gatheredTicks = 96
    package var gatheringMilliseconds: Int64 = 10
    /// The most commands decided in one transaction.
    package var commandBatch = 256
    /// The schedules loaded at a time, and the most kept loaded.
    package var duePage = 256
    package var dueCapacity = 1024
    /// After so long on what was due before, what has become due meanwhile takes turns with it.
    package var burstMilliseconds: Int64 = 100
    /// How far ahead schedules are loaded.
    package var lookaheadMilliseconds: Int64 = 30_000
    /// From this lateness on slots count as missed.
    package var misfireThresholdMilliseconds: Int64 = 60_000
    /// How long a publication may stay unconfirmed before it counts as timed out.
    package var confirmTimeoutMilliseconds: Int64 = 30_000
    /// A tick that the broker refuses has expired when it has backed off for this long all in all, one that is timed out
    /// after as long.
    package var giveUpMilliseconds: Int64 = 3_600_000
    /// The same for the outcome of a command: its effect and its memory are stored, so the client may ask again. Refused,
    /// it has had seven tries by then.
    package var outcomeBackoffMilliseconds: Int64 = 63_000
    package var outcomeTimeoutMilliseconds: Int64 = 300_000
    package var storeRetryMilliseconds: Int64 = 1_000
    /// The most commands unacknowledged at a time. Never less than in a release before: returned commands are known to be
    /// all here when so many are.
    package var prefetch = 1024
    /// The most bytes of commands in memory: unacknowledged ones, redelivered ones that are gathered for the inbox, and those
    /// read from it.
    package var maximumCommandBytes = 16 << 20
    package var maximumGatheredBytes = 16 << 20
    /// Commands are consumed again when the store has been healthy for so long.
    package var resumeDelayMilliseconds: Int64 = 1_000
    /// How long answered commands are remembered.
    package var repeatWindowMilliseconds: Int64 = 3_600_000
    package var endedRetentionMilliseconds: Int64 = 86_400_000
    package var firedRetentionMilliseconds: Int64 = 3_600_000
    /// How long those that ended automatically are retained that are declared with `keep` or `replaceIfChanged`.
    package var lastingRetentionMilliseconds: Int64 = 30 * 86_400_000
    package var maximumEnded = 1_000_000
    package var maximumCommands = 1_000_000
    /// With so many ticks refused or unanswered, or so many bytes of payload in them, no new tick is sent.
    package var maximumHeld = 4096
    package var maximumHeldBytes = 64 << 20
    /// The most owed Stoppeds that are in hand, and the bytes of payload beyond which no further one is taken; the others
    /// stay in their rows.
    package var maximumEndNotices = 1024
    package var maximumEndNoticeBytes = 16 << 20
    /// While nothing can be published for so long, commands are left with the broker: it would take them back itself.
    package var unansweredPatienceMilliseconds: Int64 = 600_000
    /// A wall clock that was set far back is believed when it has stayed so for this long.
    package var clockPatienceMilliseconds: Int64 = 300_000
    /// How long after consuming began the first sweep comes, how often one follows, how much a step of it removes, and
    /// the pause between steps.
    package var sweepDelayMilliseconds: Int64 = 600_000
    package var sweepIntervalMilliseconds: Int64 = 60_000
    package var sweepStep = 500
    package var sweepPauseMilliseconds: Int64 = 100

    package init() {}
  }

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

  /// When the first of the ticks that are not sent is due, of those loaded: they are due by `lookaheadMilliseconds` from now.
  package mutating func nextDue() -> Instant? { window.first()?.due }

  /// Speaks only of what can be done without another event, so it is later than `now` once `decide` has been asked: what
  /// waits for the broker or for the store's answer is done when that comes.
  package mutating func nextWake(at now: Now) -> Wake {
    guard failure == nil else { return Wake() }
    guard !isStoreUnwell else { return Wake(uptime: storeRetryAt) }
    var uptimes: [Int64?] = []
    uptimes.append(publications.nextDeadline(settings, canRetry: maySendTicks))
    uptimes.append(suspension.deadline(isStoreAvailable: !isStoreUnwell, canAnswer: canAnswer))
    uptimes.append(clockDoubt.map { $0.since + settings.clockPatienceMilliseconds })
    var walls = [nextTickWake(at: now.wall)]
    if storeWork == nil, !isDraining {
      uptimes.append(gatheringSince.map { $0 + settings.gatheringMilliseconds })
      uptimes.append(nextSweep)
      uptimes.append(endNotices.nextRound)
      walls.append(nextLoad)
    }
    return Wake(wall: walls.compactMap { $0 }.min(), uptime: uptimes.compactMap { $0 }.min())
  }
}
