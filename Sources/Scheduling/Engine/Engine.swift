package import Recurrence

/// Everything the scheduler decides, as a value: events and the time go in, actions come out.
///
/// It has no task, no clock and does no I/O; it asks for a store request or a publication and is told the result. So the
/// same engine runs under threads in production and under a simulator in tests, and a run can be replayed.
///
/// It is made of values that each own one part of the state; what concerns several of them is here and in the extensions, one
/// for each path:
/// - A command (`Engine+Commands`): `receive(.deliveries)` → `Intake` → read from the store → `CommandDecision` → its changes
///   are stored → its outcome is published → its confirm arrives → the delivery is settled. A redelivered command goes through
///   the inbox: `Gathering` → stored and acknowledged → `InboxLine` → decided as any other → its outcome is confirmed → removed.
/// - A tick (`Engine+Ticks`): `DueWindow` → published → its confirm arrives → the advance of its schedule is stored.
/// - What becomes of publications is in `Engine+Publications`, the work of the store in `Engine+Store`, the recomputation of
///   slots in `Engine+Review`.
package struct Engine {
  package var settings: Settings
  /// The rules of a zone by its IANA name, as they are now; nil when they cannot be had.
  let zones: @Sendable (String) -> ZoneRules?
  /// Decodes a command that the inbox keeps as it was delivered.
  let decode: @Sendable (RawDelivery, CommandSource) -> ReceivedCommand
  /// Of the database, under which definitions are hashed.
  let secret: SipHash.Key
  /// The highest generation that was given.
  var lastGeneration: Int64

  var turn = Turn()
  var clock: ClockWatch
  var store: StoreLane
  var mark: InDoubtMark
  var intake: Intake
  var suspension: IntakeSuspension
  var window = DueWindow()
  var publications = Publications()
  var endNotices = EndNotices()
  var review = SlotReview()
  var sizeLimit: EventSizeLimit
  var sweeper: Sweeper
  var drain = Drain.running

  package init(
    settings: Settings = Settings(), persistentState: PersistentState,
    bodyBytes: @escaping @Sendable (OutgoingEvent) -> Int = { $0.payloadBytes },
    zones: @escaping @Sendable (String) -> ZoneRules?,
    decode: @escaping @Sendable (RawDelivery, CommandSource) -> ReceivedCommand
  ) {
    self.settings = settings
    self.zones = zones
    self.decode = decode
    secret = persistentState.secret
    lastGeneration = persistentState.lastGeneration
    clock = ClockWatch(settings: settings)
    store = StoreLane(settings: settings)
    mark = InDoubtMark(recovered: persistentState.inDoubtThrough)
    intake = Intake(lastBatch: persistentState.inboxBatch, settings: settings)
    suspension = IntakeSuspension(settings: settings)
    sizeLimit = EventSizeLimit(bodyBytes: bodyBytes)
    sweeper = Sweeper(settings: settings)
    // The rules of zones may be newer than the stored slots, and after an upgrade so may those of expressions.
    let areExpressionsOld = persistentState.rulesVersion < CronExpression.rulesVersion
    review.begin(areExpressionsOld ? [.zoneRules, .expressionRules] : .zoneRules)
  }

  /// Records something that happened. What follows from it is returned by `decide`.
  package mutating func receive(_ event: Event, at now: Now) {
    readClock(now)
    switch event {
    case .store(let answer): received(answer)
    case .publisherUp(let epoch):
      if publications.state != .away { publisherWentDown() }
      publications.opened(epoch: epoch)
    case .publisherDown: publisherWentDown()
    case .messageLimit(let bytes): sizeLimit.largestBody = bytes
    case .blocked: publications.block(at: now)
    case .unblocked: publications.unblock(at: now)
    case .acked(let numbers): for number in numbers { acked(number) }
    case .nacked(let numbers, let cause): for number in numbers { refused(number, cause: cause) }
    case .returned(let number, let cause): returned(number, cause: cause)
    case .commandsOpened(let channel):
      intake.open(channel)
      sweeper.commandsOpened(at: now)
    case .commandsClosed: intake.close()
    case .deliveries(let deliveries, let channel): intake.append(deliveries, on: channel, at: now.wall)
    case .commandsExhausted(let channel): intake.exhausted(on: channel)
    case .commandsCongested: suspension.congested()
    case .zonesRefreshed(let changed):
      window.releaseHeld()
      if changed { review.begin(.zoneRules) }
    case .drain: if case .running = drain { drain = .draining }
    }
  }

  /// What is to be done now. Call again after each batch of events, and no later than `nextWake` says.
  package mutating func decide(at now: Now) -> [Action] {
    readClock(now)
    var actions: [Action] = []
    if store.failure == nil {
      let outgoing = takePublications()
      if let epoch = publications.epoch, !outgoing.isEmpty { actions.append(.publish(outgoing, epoch: epoch)) }
      if let (settled, channel) = intake.takeFrames() { actions.append(.settle(settled, channel: channel)) }
      if let request = storeRequest() { actions.append(.store(request)) }
      if let action = suspendOrResume() { actions.append(action) }
    }
    let reports = turn.takeReports()
    if !reports.isEmpty { actions.append(.report(reports)) }
    if let failure = store.failure { actions.append(.fail(failure)) }
    if drain == .drained, store.isIdle { actions.append(.drained) }
    return actions
  }

  /// When to call `decide` if no event comes before.
  ///
  /// Covers only what can be done without another event, so it is later than `now` once `decide` was called: what waits for
  /// the broker or for the store is done when the answer comes.
  package mutating func nextWake(at now: Now) -> Wake {
    guard store.failure == nil else { return Wake() }
    guard store.isAvailable else { return Wake(uptime: store.retryTime) }
    var uptimes = [
      publications.nextDeadline(settings, canRetry: maySendTicks),
      suspension.deadline(isStoreAvailable: store.isAvailable, canAnswer: canAnswer),
      clock.deadline,
    ]
    var walls = [nextTickWake(at: now.wall)]
    if store.isIdle, drain == .running {
      uptimes += [store.gatheringEnd, sweeper.deadline, endNotices.nextRound]
      walls.append(nextLoad)
    }
    return Wake(wall: walls.compactMap { $0 }.min(), uptime: uptimes.compactMap { $0 }.min())
  }

  private mutating func readClock(_ now: Now) {
    turn.now = now
    if let before = clock.read(now, recovered: mark.recovered) { clockWasSetBack(from: before) }
  }

  /// Commands are left in their queue at once when the store fails, and when their outcomes cannot be published for long.
  private mutating func suspendOrResume() -> Action? {
    let step = suspension.step(
      isStoreAvailable: store.isAvailable, canAnswer: canAnswer, at: turn.now.uptime)
    switch step {
    case .suspend(let reason):
      turn.report(.intakeSuspended(reason))
      return .pauseCommands
    case .resume:
      turn.report(.intakeResumed)
      return .resumeCommands
    case nil: return nil
    }
  }

  /// Whether outcomes of commands can be published. One that the broker refuses expires; it does not hold up the others.
  private var canAnswer: Bool { publications.stalledSince == nil }
}

// MARK: - For telemetry and tests

extension Engine {
  /// When the first of the loaded ticks that are not sent is due; those due by `lookaheadMilliseconds` from now are loaded.
  package mutating func nextDue() -> Instant? { window.first()?.due }

  /// Whether redelivered commands are here of which there may be more.
  package var isGathering: Bool { intake.isGathering }
  /// Whether the inbox holds any command.
  package var hasInbox: Bool { !intake.inbox.isEmpty }
}
