package import Recurrence

/// Everything the scheduler decides, as a value: events and the time go in, actions come out.
///
/// It has no task, no clock and does no I/O; it asks for a store request or a publication and is told the result. So the
/// same engine runs under threads in production and under a simulator in tests, and a run can be replayed.
///
/// Command path: `receive(.deliveries)` → `Intake` → read from the store → `CommandDecision` → `Change`s are applied →
/// the outcome is published → its confirm arrives → the delivery is settled. A redelivered command takes the way through the
/// inbox: `Gathering` → stored and acknowledged → `InboxLine` → decided as any other → its outcome is confirmed → removed.
/// The way of a tick: `DueWindow` → published → its confirm arrives → the advance is applied.
package struct Engine {
  package var settings: Settings
  /// The rules of a zone by its IANA name, as they are now; nil when they cannot be had.
  let zones: @Sendable (String) -> ZoneRules?
  /// Reads a command that the inbox keeps as it was delivered.
  let decode: @Sendable (RawDelivery, CommandSource) -> ReceivedCommand

  var window = DueWindow()
  var publications = Publications()
  var intake: Intake
  var suspension: IntakeSuspension

  /// What the store is doing; nil when it is free.
  var storeWork: StoreWork?
  /// Whether the store failed in passing: nothing is published or taken until it has done what it was last asked.
  var isStoreUnwell = false
  /// When to ask an unwell store again, on the monotonic clock; nil while its answer is awaited.
  var storeRetryAt: Int64?
  /// A failure that only a new process can mend; nothing is decided any more.
  var failure: StoreError?
  var lastTurn = Turn.due  // at the start what is owed comes first
  /// Changes that wait for the next transaction.
  var pendingChanges: [Change] = []
  /// Since when they wait for more of them, on the monotonic clock; nil while they do not.
  var gatheringSince: Int64?
  /// Decided commands whose changes are among `pendingChanges`; published once these are stored.
  var pendingAnswers: [PendingAnswer] = []

  /// Of the database, under which definitions are hashed.
  let secret: SipHash.Key
  var lastGeneration: Int64
  var mark: InDoubtMark

  var endNotices = EndNotices()
  /// The size of an event's body, and the largest that the broker is known to take.
  let bodyBytes: @Sendable (OutgoingEvent) -> Int
  var largestBody: Int?

  /// The review of next slots that is under way; also made once at the start, for the zones' rules may be newer than the
  /// slots, and after an upgrade those of expressions.
  var review: SlotReview?
  /// Schedules of which something was under way when the clock was set far back, by generation.
  var passedOver: Set<Int64> = []
  /// When the clocks were read last; nil before the first time.
  var lastSeen: Now?
  /// The wall clock was set far back and it is not known yet whether it stays so: what it should show, and since when it does
  /// not, on the monotonic clock.
  var clockDoubt: (wall: Instant, since: Int64)?
  /// The latest time of the wall clock since it was last set far back: slots up to here do not come again.
  var latestWall = Instant(milliseconds: .min)

  var nextSweep: Int64?
  var isDraining = false
  var isDrained = false
  var reports: [Report] = []

  package init(
    settings: Settings = Settings(), persistentState: PersistentState,
    bodyBytes: @escaping @Sendable (OutgoingEvent) -> Int = { $0.payloadBytes },
    zones: @escaping @Sendable (String) -> ZoneRules?,
    decode: @escaping @Sendable (RawDelivery, CommandSource) -> ReceivedCommand
  ) {
    self.settings = settings
    self.bodyBytes = bodyBytes
    self.zones = zones
    self.decode = decode
    intake = Intake(lastBatch: persistentState.inboxBatch, settings: settings)
    suspension = IntakeSuspension(settings: settings)
    secret = persistentState.secret
    lastGeneration = persistentState.lastGeneration
    let isOfOldRules = persistentState.rulesVersion < CronExpression.rulesVersion
    review = SlotReview(causes: isOfOldRules ? [.zoneRules, .expressionRules] : .zoneRules)
    mark = InDoubtMark(recovered: persistentState.inDoubtThrough)
  }

  struct PendingAnswer: Sendable {
    var source: CommandSource
    /// The channel on which a delivery came.
    var channel: UInt64?
    var decision: CommandDecision
  }

  /// Takes note of something that happened. What follows from it is asked with `decide`.
  package mutating func receive(_ event: Event, at now: Now) {
    watchClock(at: now)
    switch event {
    case .store(let answer): received(answer, at: now)
    case .publisherUp(let epoch):
      if publications.state != .away { publisherWentDown(at: now) }
      publications.opened(epoch: epoch)
    case .messageLimit(let bytes): largestBody = bytes
    case .publisherDown: publisherWentDown(at: now)
    case .blocked: publications.block(at: now)
    case .unblocked: publications.unblock(at: now)
    case .acked(let numbers): for number in numbers { acked(number, at: now) }
    case .nacked(let numbers, let cause): for number in numbers { refused(number, cause: cause, at: now) }
    case .returned(let number, let cause): returned(number, cause: cause)
    case .commandsOpened(let channel):
      intake.open(channel)
      if nextSweep == nil { nextSweep = now.uptime + settings.sweepDelayMilliseconds }
    case .commandsClosed: intake.close()
    case .deliveries(let deliveries, let channel): intake.append(deliveries, on: channel, at: now.wall)
    case .commandsExhausted(let channel): intake.exhausted(on: channel)
    case .commandsCongested: suspension.congested()
    case .zonesRefreshed(let changed):
      window.releaseHeld()
      if changed { beginReview(.zoneRules) }
    case .drain: isDraining = true
    }
  }

  /// What is to be done now. Call again after each batch of events, and no later than `nextWake` says.
  package mutating func decide(at now: Now) -> [Action] {
    watchClock(at: now)
    var actions: [Action] = []
    if failure == nil {
      let outgoing = takePublications(at: now)
      if let epoch = publications.epoch, !outgoing.isEmpty {
        actions.append(.publish(outgoing, epoch: epoch))
      }
      if let (settled, channel) = intake.takeFrames() { actions.append(.settle(settled, channel: channel)) }
      if let request = storeRequest(at: now) { actions.append(.store(request)) }
      if let action = suspendOrResume(at: now) { actions.append(action) }
    }
    if !reports.isEmpty {
      actions.append(.report(reports))
      reports.removeAll()
    }
    if let failure { actions.append(.fail(failure)) }
    if isDrained, storeWork == nil { actions.append(.drained) }
    return actions
  }

  /// Commands are left in their queue at once when the store fails, and while their outcomes cannot be published for long.
  private mutating func suspendOrResume(at now: Now) -> Action? {
    let step = suspension.step(isStoreAvailable: !isStoreUnwell, canAnswer: canAnswer, at: now.uptime)
    switch step {
    case .suspend(let reason):
      reports.append(.intakeSuspended(reason))
      return .pauseCommands
    case .resume:
      reports.append(.intakeResumed)
      return .resumeCommands
    case nil: return nil
    }
  }

  /// Whether redelivered commands are here of which there may be more, and whether the inbox holds any: for tests.
  package var isGathering: Bool { intake.isGathering }
  package var hasInbox: Bool { !intake.inbox.isEmpty }

  /// Whether outcomes of commands can be published. One that the broker does not take expires; it does not hold up the rest.
  var canAnswer: Bool { publications.stalledSince == nil }
}
