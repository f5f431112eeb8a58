package import Recurrence

/// The scheduler's decisions, as a value: events and the time go in, actions come out.
///
/// It has no task and no clock and does no I/O: it requests store work and publications, and receives the results as
/// events. So the same engine runs under threads in production and under a simulator in tests, and a run can be
/// replayed.
///
/// Each of its values owns one part of the state. Code that concerns several of them is here and in the extensions, one
/// for each path:
/// - A command (`Engine+Commands`): `receive(.deliveries)` → `Intake` → read from the store → `CommandDecision` → its
///   changes are stored → its outcome is published → its confirm arrives → the delivery is settled. A redelivered
///   command takes the inbox: `Gathering` → stored and acknowledged → `InboxLine` → decided like any other → its
///   outcome is confirmed → removed.
/// - A tick (`Engine+Ticks`): `DueWindow` → published → its confirm arrives → the advance of its schedule is stored.
/// - A tick with a target takes the same path, but over a connection of its own (`Engine+Targets`).
/// - A question (`Engine+Questions`): as a command up to `Intake` → `Questions` → read from the store → its reply is sent
///   and its delivery settled.
/// - A command by group or prefix (`Engine+Batches`): taken alone → `Batches` reads what it selects → its members are
///   stored → each is decided as a command of its own, and its outcome confirmed → answered and settled.
/// - The broker's replies are handled in `Engine+Publications`, store work in `Engine+Store`, the recomputation of
///   slots in `Engine+Review`.
package struct Engine {
  package var settings: Settings
  /// The current rules of a time zone by its IANA name; nil when they cannot be read.
  let zones: @Sendable (String) -> ZoneRules?
  /// Why a login may not publish to a target; nil if it may. Nil as a login: a message that names none.
  let refusalOfTarget: @Sendable (Target, _ userID: String?) -> String?
  /// Decodes a command that the inbox keeps as delivered.
  let decode: @Sendable (RawDelivery, CommandSource) -> ReceivedCommand
  /// The secret of the database, under which definitions are hashed.
  let secret: SipHash.Key
  /// The highest generation assigned so far.
  var lastGeneration: Int64

  var turn = Turn()
  var clock: ClockWatch
  var store: StoreLane
  var mark: InDoubtMark
  var intake: Intake
  var suspension: IntakeSuspension
  var questions: Questions
  var batches: Batches
  var window = DueWindow()
  /// What leaves over the connection to the event bus, and over that to the exchanges of targets.
  var publications = Publications()
  var targetPublications = Publications()
  /// Whether the connection for targets was asked for: most installations need none.
  var needsTargets = false
  var owedEvents = OwedEvents()
  var review = SlotReview()
  var sizeLimit: EventSizeLimit
  var sweeper: Sweeper
  var drain = Drain.running

  package init(
    settings: Settings = Settings(), persistentState: PersistentState,
    bodyBytes: @escaping @Sendable (OutgoingEvent) -> Int = { $0.payloadBytes },
    zones: @escaping @Sendable (String) -> ZoneRules?,
    refusalOfTarget: @escaping @Sendable (Target, _ userID: String?) -> String? = { _, _ in "targets are off" },
    decode: @escaping @Sendable (RawDelivery, CommandSource) -> ReceivedCommand
  ) {
    self.settings = settings
    self.zones = zones
    self.refusalOfTarget = refusalOfTarget
    self.decode = decode
    secret = persistentState.secret
    lastGeneration = persistentState.lastGeneration
    clock = ClockWatch(settings: settings)
    store = StoreLane(settings: settings)
    mark = InDoubtMark(
      recovered: persistentState.inDoubtThrough, through: persistentState.lastGeneration)
    intake = Intake(lastBatch: persistentState.inboxBatch, settings: settings)
    suspension = IntakeSuspension(settings: settings)
    questions = Questions(settings: settings)
    batches = Batches(settings: settings)
    sizeLimit = EventSizeLimit(bodyBytes: bodyBytes)
    sweeper = Sweeper(settings: settings)
    // Time zone rules may be newer than the stored slots; after an upgrade, so may expression rules.
    let areExpressionsOld = persistentState.rulesVersion < CronExpression.rulesVersion
    review.begin(areExpressionsOld ? [.zoneRules, .expressionRules] : .zoneRules)
  }

  /// Records an event. `decide` returns the actions that follow from it.
  package mutating func receive(_ event: Event, at now: Now) {
    readClock(now)
    switch event {
    case .store(let answer): received(answer)
    case .publisherUp(let epoch, let outlet):
      if self[outlet].state != .away { publisherWentDown(outlet) }
      self[outlet].opened(epoch: epoch)
    case .publisherDown(let outlet): publisherWentDown(outlet)
    case .messageLimit(let bytes): sizeLimit.largestBody = bytes
    case .blocked(let outlet): self[outlet].block(at: now)
    case .unblocked(let outlet): self[outlet].unblock(at: now)
    case .acked(let numbers, let outlet): for number in numbers { acked(number, on: outlet) }
    case .nacked(let numbers, let cause, let outlet):
      for number in numbers { nacked(number, cause: cause, on: outlet) }
    case .returned(let number, let cause, let outlet): returned(number, cause: cause, on: outlet)
    case .commandsOpened(let channel):
      intake.open(channel)
      sweeper.commandsOpened(at: now)
    case .commandsClosed: intake.close()
    case .deliveries(let deliveries, let channel): intake.append(deliveries, on: channel, at: now.wall)
    case .commandsExhausted(let channel): intake.exhausted(on: channel)
    case .commandsCongested(let channel): if channel == intake.channel { suspension.congested() }
    case .zonesRefreshed(let changed):
      window.releaseHeld()
      if changed { review.begin(.zoneRules) }
    case .drain: if case .running = drain { drain = .draining }
    }
  }

  /// The actions to take now. Call it after each batch of events, and no later than `nextWake`.
  package mutating func decide(at now: Now) -> [Action] {
    readClock(now)
    var actions: [Action] = []
    if store.failure == nil {
      // Twice if the command that ticks waited for still waits itself, as for an owed event of its schedule.
      if addWork(to: &actions) { _ = addWork(to: &actions) }
      if let action = suspendOrResume() { actions.append(action) }
    }
    let reports = turn.takeReports()
    if !reports.isEmpty { actions.append(.report(reports)) }
    if let failure = store.failure { actions.append(.fail(failure)) }
    if drain == .drained, store.isIdle { actions.append(.drained) }
    return actions
  }

  /// Returns whether ticks had to wait and may leave now.
  private mutating func addWork(to actions: inout [Action]) -> Bool {
    let outgoing = takePublications()
    let blockedTicks = intake.blocksTicks
    if let epoch = publications.epoch, !outgoing.bus.isEmpty {
      actions.append(.publish(outgoing.bus, epoch: epoch, on: .bus))
    }
    if let epoch = targetPublications.epoch, !outgoing.targets.isEmpty {
      actions.append(.publish(outgoing.targets, epoch: epoch, on: .targets))
    }
    if mustConnectTargets() { actions.append(.connectTargets) }
    let replies = turn.takeReplies()
    if !replies.isEmpty { actions.append(.reply(replies)) }
    if let (settled, channel) = intake.takeFrames() { actions.append(.settle(settled, channel: channel)) }
    if let request = storeRequest() { actions.append(.store(request)) }
    return blockedTicks && maySendTicks
  }

  /// When to call `decide` if no event comes before.
  ///
  /// Counts only work that waits for a time. Work that waits for the broker or the store continues with their reply. So
  /// after a call of `decide` it is later than `now`.
  package mutating func nextWake(at now: Now) -> Wake {
    guard store.failure == nil else { return Wake() }
    guard store.isAvailable else { return Wake(uptime: store.retryTime) }
    var uptimes = [
      publications.nextDeadline(settings, canRetry: maySendTicks),
      targetPublications.nextDeadline(settings, canRetry: maySendTicks), targetPublications.nextDeadlineAway,
      suspension.deadline(isStoreAvailable: store.isAvailable, canAnswer: canAnswer),
      clock.deadline,
    ]
    var walls = [nextTickWake(at: now.wall)]
    if store.isIdle, drain == .running {
      uptimes += [store.gatheringEnd, sweeper.deadline, owedEvents.nextRound]
      walls.append(nextLoad)
    }
    return Wake(wall: walls.compactMap { $0 }.min(), uptime: uptimes.compactMap { $0 }.min())
  }

  private mutating func readClock(_ now: Now) {
    turn.now = now
    if let before = clock.read(now, recovered: mark.recovered) { clockWasSetBack(from: before) }
  }

  /// Suspends intake at once when the store fails, and when outcomes cannot be published for long.
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

  /// Whether outcomes of commands can be published. A nacked outcome expires; it does not delay others.
  private var canAnswer: Bool { publications.stalledSince == nil }
}

// MARK: - For telemetry and tests

extension Engine {
  /// The due time of the first loaded tick that is not sent and that its connection does not hold back. Ticks due within
  /// `lookaheadMilliseconds` are loaded.
  package mutating func nextDue() -> Instant? { window.firstDue(on: targetPublications.isOpen ? nil : .bus) }

  /// Whether more redelivered commands may follow those received.
  package var isGathering: Bool { intake.isGathering }
  /// Whether the inbox holds a command.
  package var hasInbox: Bool { !intake.inbox.isEmpty }
}
