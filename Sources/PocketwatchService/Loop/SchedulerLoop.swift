import AMQP
import EventBus
import Logging
import Recurrence
import Scheduling

/// The engine's thread: passes inputs of other threads to the engine and performs its actions.
///
/// It owns the engine and the store; no other thread uses them. It blocks only in a transaction of the store and in `Inbox.wait`,
/// so that a tick is sent within a millisecond of its due time. In debug builds a `StallCheck` verifies this.
final class SchedulerLoop {
  /// The longest sleep, after which the wall clock is read again.
  static let longestSleepMilliseconds: Int64 = 10_000

  /// How long one page of a listing may delay everything else.
  private static let listingTime = Duration.milliseconds(2)

  typealias Store = ScheduleStore & ScheduleQueries

  private let inbox: Inbox
  private let zones: ZoneDirectory
  private let store: any Store
  private var engine: Engine
  private let encoder: MessageEncoder
  private let publisher: Publisher
  private let targetEncoder: MessageEncoder
  private let targets: LazyPublisher
  private let consumer: Consumer
  private let replies: ReplySender
  private var telemetry: Telemetry
  private var housekeeping: Housekeeping
  private let stalls: StallCheck
  /// Whether the number of schedules may differ from what telemetry has.
  private var haveCountsChanged = true
  private var isDrained = false
  /// Whether the publisher was started.
  private var isPublishing = false
  /// Whether the engine has asked for the connection for targets.
  private var needsTargets = false

  init(
    inbox: Inbox, zones: ZoneDirectory, store: any Store, engine: Engine, encoder: MessageEncoder,
    publisher: Publisher, targetEncoder: MessageEncoder, targets: LazyPublisher, consumer: Consumer,
    replies: ReplySender,
    notifier: Notifier, watch: ServiceWatch? = nil, logger: Logger
  ) {
    self.targetEncoder = targetEncoder
    self.targets = targets
    self.inbox = inbox
    self.zones = zones
    self.store = store
    self.engine = engine
    self.encoder = encoder
    self.publisher = publisher
    self.consumer = consumer
    self.replies = replies
    telemetry = Telemetry(notifier: notifier, watch: watch, logger: logger)
    housekeeping = Housekeeping(notifier: notifier, at: SystemClock.now())
    stalls = StallCheck(logger: logger)
  }

  /// Runs until a clean stop, or throws.
  func run() throws(ServiceFailure) {
    stalls.start()
    defer { stalls.finish() }
    updateReadiness()
    while true {
      for input in inbox.take() {
        stalls.enter(.receive)
        try receive(input)
      }
      try keepHouse()
      let isIdle = try act()
      if isDrained { return }
      updateReadiness()
      if let ask = inbox.takeQuestion() {
        stalls.enter(.question)
        ask(store)
      } else if isIdle {
        stalls.enter(.store)
        countSchedules()
        stalls.enter(.wait)
        sleep()
      }
    }
  }

  private func updateReadiness() {
    stalls.enter(.readiness)
    telemetry.update(at: SystemClock.now())
  }

  private func sleep() {
    let now = SystemClock.now()
    let deadline = min(housekeeping.deadline, telemetry.deadline ?? .max, now.uptime + Self.longestSleepMilliseconds)
    inbox.wait(for: engine.nextWake(at: now), now: now, atMostMilliseconds: deadline - now.uptime)
  }
}

// MARK: - Inputs of other threads

extension SchedulerLoop {
  private func receive(_ input: Inbox.Input) throws(ServiceFailure) {
    let now = SystemClock.now()
    switch input {
    case .publisher(let event, let outlet):
      if case .up(_, let server) = event { encoder(for: outlet).server = server }
      if case .acked = event { Step.confirm.reached() }
      telemetry.note(event, on: outlet, at: now)
      if let event = Engine.Event(event, on: outlet) { engine.receive(event, at: now) }
    case .consumer(let event):
      telemetry.note(event)
      if let event = Engine.Event(event) { engine.receive(event, at: now) }
      if case .up = event { try startPublishing() }
    case .commands(let commands, let epoch): engine.receive(.deliveries(commands, channel: epoch), at: now)
    case .refreshZones: refreshZones(at: now)
    case .replyProblem(let problem): telemetry.noteReplies(problem)
    case .fail(let failure): throw failure
    case .stop:
      guard housekeeping.beginDraining(at: now) else { return }
      telemetry.stopping()
      consumer.quiesce()
      engine.receive(.drain, at: now)
    }
  }

  private func encoder(for outlet: Outlet) -> MessageEncoder { outlet == .bus ? encoder : targetEncoder }

  /// Not before publishing starts, for the same reason.
  private func connectTargets() throws(ServiceFailure) {
    guard isPublishing, needsTargets else { return }
    do {
      try targets.open()
    } catch {
      throw ServiceFailure(.system, error.text)
    }
  }

  /// Publishing starts once this is known to be the only service on the command queue: another one, on a copy of the database,
  /// would send each tick again. Afterwards the two connections are independent.
  private func startPublishing() throws(ServiceFailure) {
    guard !isPublishing else { return }
    isPublishing = true
    telemetry.publishingStarts()
    do {
      try publisher.start()
    } catch {
      throw ServiceFailure(.system, error.text)
    }
    try connectTargets()
  }
}

extension Engine.Event {
  /// Nil for events without effect on the engine.
  init?(_ event: Publisher.Event, on outlet: Outlet) {
    switch event {
    case .up(let epoch, _): self = .publisherUp(epoch: epoch, on: outlet)
    case .down: self = .publisherDown(on: outlet)
    case .acked(let numbers): self = .acked(numbers, on: outlet)
    case .nacked(let numbers): self = .nacked(numbers, cause: "basic.nack", on: outlet)
    case .refused(let number, let error):
      self = .nacked([number], cause: "the broker closed the channel: \(error.text)", on: outlet)
    case .unsendable(let number, let error): self = .nacked([number], cause: "\(error)", on: outlet)
    case .refusing(let refusals):
      guard outlet == .bus else { return nil }
      self = .messageLimit(refusals.largestBody)
    case .returned(let number, let code, let text): self = .returned(number, cause: "\(code) \(text)", on: outlet)
    case .blocked: self = .blocked(on: outlet)
    case .unblocked: self = .unblocked(on: outlet)
    }
  }

  /// Nil for events without effect on the engine. Deliveries reach it as decoded commands.
  init?(_ event: Consumer.Event) {
    switch event {
    case .up(let epoch, _): self = .commandsOpened(channel: epoch)
    case .down, .suspended: self = .commandsClosed
    case .exhausted(let epoch): self = .commandsExhausted(channel: epoch)
    case .congested(let epoch): self = .commandsCongested(channel: epoch)
    case .deliveries, .quiesced: return nil
    }
  }
}

// MARK: - Actions of the engine

extension SchedulerLoop {
  /// Performs the actions that the engine decides now. Returns whether the loop may sleep.
  private func act() throws(ServiceFailure) -> Bool {
    let now = SystemClock.now()
    var isIdle = true
    stalls.enter(.decide)
    for action in engine.decide(at: now) {
      stalls.enter(action.step)
      switch action {
      case .publish(let publications, let epoch, let outlet):
        Step.beforePublish.reached()
        telemetry.published(publications, on: outlet, at: now)
        let batch = encoder(for: outlet).encode(publications, at: now.wall)
        if outlet == .bus { publisher.publish(batch, epoch: epoch) } else { targets.publish(batch, epoch: epoch) }
        Step.afterPublish.reached()
      case .connectTargets:
        needsTargets = true
        try connectTargets()
      case .reply(let replies): self.replies.send(replies, at: now.wall)
      case .settle(let settled, let channel):
        Step.beforeSettle.reached()
        for frame in settled.frames { settle(frame, on: channel) }
        consumer.release(bytes: settled.releasedBytes, epoch: channel)
        Step.afterSettle.reached()
      case .store(let request):
        let answer = answer(request)
        engine.receive(.store(answer), at: SystemClock.now())
        isIdle = false
      case .pauseCommands: consumer.suspend()
      case .resumeCommands: consumer.resume()
      case .report(let reports): for report in reports { telemetry.note(report, at: now) }
      case .fail(let error): throw ServiceFailure(whileRunning: error)
      case .drained: isDrained = true
      }
    }
    if housekeeping.mustEnd(at: now) { isDrained = true }
    return isIdle
  }

  private func answer(_ request: Engine.StoreRequest) -> Engine.StoreAnswer {
    if request.changesCounts { haveCountsChanged = true }
    guard case .apply = request else {
      let end = ContinuousClock.now + Self.listingTime
      return store.answer(request, readingIsOver: { ContinuousClock.now > end })
    }
    if let error = Step.beforeCommit.reached() { return .failed(error) }
    defer { Step.afterCommit.reached() }
    let begin = ContinuousClock.now
    defer { telemetry.committed(in: ContinuousClock.now - begin) }
    return store.answer(request)
  }

  private func settle(_ frame: Acknowledgements.Frame, on channel: UInt64) {
    switch frame {
    case .acknowledge(let tag, let multiple): consumer.acknowledge(tag, multiple: multiple, epoch: channel)
    case .reject(let tag): consumer.reject(tag, epoch: channel)
    }
  }
}

extension Engine.Action {
  fileprivate var step: LoopStep {
    switch self {
    case .publish, .connectTargets, .reply: .publish
    case .settle, .pauseCommands, .resumeCommands: .settle
    case .store: .store
    case .report: .report
    case .fail, .drained: .decide
    }
  }
}

// MARK: - Housekeeping

extension SchedulerLoop {
  private func keepHouse() throws(ServiceFailure) {
    let now = SystemClock.now()
    stalls.enter(.housekeeping)
    housekeeping.feedWatchdog(at: now)
    telemetry.iterated(at: now, nextDue: engine.nextDue())
    if housekeeping.mustRefreshZones(at: now) { refreshZones(at: now) }
    try housekeeping.checkIntact(store, at: now)
  }

  private func refreshZones(at now: Now) {
    housekeeping.refreshedZones(at: now)
    let changes = zones.refresh()
    telemetry.zonesChanged(changes, version: zones.version)
    engine.receive(.zonesRefreshed(changed: !changes.changed.isEmpty), at: now)
  }

  /// Called when idle, not after each change of a burst.
  private func countSchedules() {
    guard telemetry.watch != nil, haveCountsChanged, let counts = try? store.counts() else { return }
    haveCountsChanged = false
    telemetry.counted(counts)
  }
}
