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
}
