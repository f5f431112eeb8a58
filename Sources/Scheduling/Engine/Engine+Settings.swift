extension Engine {
  /// Limits and durations. Every queue and every wait has one.
  package struct Settings: Hashable, Sendable {
    /// The most ticks in flight or about to be stored as sent: what may be repeated after a crash.
    package var publishWindow = 512
    /// With the publish window full, this many confirmed ticks are stored in one transaction.
    package var gatheredTicks = 96
    /// The longest that a confirmed tick waits for others to be stored with.
    package var gatheringMilliseconds: Int64 = 10
    /// The most commands decided in one transaction.
    package var commandBatch = 256
    /// The most questions that were taken from the line of commands and are not answered. While there are as many, nothing
    /// behind the next question is taken.
    package var maximumQuestions = 100
    /// The most members of batches decided in one transaction, so that it takes less than 2 ms.
    package var batchStep = 32
    /// The most members of batches stored or read at a time, and the most that are read of what a batch selects.
    package var batchPage = 256
    /// With as many outcomes of members that are not confirmed, no further member is decided.
    package var maximumMemberOutcomes = 256
    /// The same for the bytes of their payloads.
    package var maximumMemberBytes = 16 << 20
    /// The schedules loaded at a time.
    package var duePage = 256
    /// The most waiting schedules kept in memory. A lane is reduced to this many when it has twice as many.
    package var dueCapacity = 1024
    /// When due ticks have been draining for this long, newly due ticks take turns with them.
    package var burstMilliseconds: Int64 = 100
    /// How far ahead of their due time schedules are loaded.
    package var lookaheadMilliseconds: Int64 = 30_000
    /// A slot whose tick is at least this late counts as missed.
    package var misfireThresholdMilliseconds: Int64 = 60_000
    /// How long a publication may stay unconfirmed before it counts as timed out.
    package var confirmTimeoutMilliseconds: Int64 = 30_000
    /// A nacked tick expires after it has backed off for this long in total; a timed-out tick after being timed out for
    /// this long.
    package var tickExpiryMilliseconds: Int64 = 3_600_000
    /// A nacked outcome expires after it has backed off for this long in total, which is seven attempts. Its effect and
    /// its answer are stored, so the client may repeat the command.
    package var outcomeBackoffMilliseconds: Int64 = 63_000
    /// A timed-out outcome expires after being timed out for this long.
    package var outcomeTimeoutMilliseconds: Int64 = 300_000
    /// How long after a passing failure the store request is retried.
    package var storeRetryMilliseconds: Int64 = 1_000
    /// The most unacknowledged commands. Must not be lower than in an earlier release: once this many are delivered,
    /// every command that was returned to the queue is among them.
    package var prefetch = 1024
    /// The most bytes of commands in memory: unacknowledged ones, and separately those loaded from the inbox.
    package var maximumCommandBytes = 16 << 20
    /// The most bytes of redelivered commands that are gathered before they are written to the inbox.
    package var maximumGatheredBytes = 16 << 20
    /// Commands are consumed again when the store has been healthy for this long.
    package var resumeDelayMilliseconds: Int64 = 1_000
    /// How long answers to commands are remembered.
    package var repeatWindowMilliseconds: Int64 = 3_600_000
    /// How long ended schedules are retained: those stopped by a command, or by their limit or end date.
    package var endedRetentionMilliseconds: Int64 = 86_400_000
    /// How long one-shots are retained after they have fired.
    package var firedRetentionMilliseconds: Int64 = 3_600_000
    /// How long schedules that ended automatically are retained if they are declared with `keep` or `replaceIfChanged`.
    package var lastingRetentionMilliseconds: Int64 = 30 * 86_400_000
    /// The most ended schedules retained.
    package var maximumEnded = 1_000_000
    /// The most answered commands remembered.
    package var maximumCommands = 1_000_000
    /// With this many ticks timed out or backing off, no new tick is sent.
    package var maximumHeld = 4096
    /// With this many bytes of payload in ticks that are timed out or backing off, no new tick is sent.
    package var maximumHeldBytes = 64 << 20
    /// The most owed events in memory; the others stay in their rows.
    package var maximumOwedEvents = 1024
    /// With this many bytes of payload in owed events in memory, no further one is read.
    package var maximumOwedBytes = 16 << 20
    /// When nothing can be published for this long, intake is suspended. The broker would otherwise take the
    /// unacknowledged commands back.
    package var unansweredPatienceMilliseconds: Int64 = 600_000
    /// A wall clock that was set far back is believed when it has stayed so for this long.
    package var clockPatienceMilliseconds: Int64 = 300_000
    /// How long after commands were first consumed the first sweep begins.
    package var sweepDelayMilliseconds: Int64 = 600_000
    /// How long after a completed sweep the next one begins.
    package var sweepIntervalMilliseconds: Int64 = 60_000
    /// The most rows removed in one step of a sweep.
    package var sweepStep = 500
    /// The pause between two steps of a sweep.
    package var sweepPauseMilliseconds: Int64 = 100

    package init() {}
  }
}
