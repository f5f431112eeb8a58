import AMQP
import EventBus
import Logging
import Recurrence
import Scheduling

/// The engine's thread: it takes what other threads report, asks the engine what to do, and does it.
///
/// It owns the engine and the store; nothing else touches them. It blocks only in a store transaction and in
/// `Inbox.wait`, which is why a tick leaves within a millisecond of its time; in debug builds a `StallCheck` watches it.
final class SchedulerLoop {
  /// How long a clean stop may take before what is still unconfirmed is left to the next start. With the two seconds
  /// that the connections' threads get after it, and the database's closing, it stays well within the ten promised.
  static let drainMilliseconds: Int64 = 5_000
  /// The longest sleep: the wall clock is read again after it, whatever the timer said.
  static let longestSleepMilliseconds: Int64 = 10_000

  /// How often the files of the time zones are looked at.
  static let zoneRefreshMilliseconds: Int64 = 60_000

  /// How often the store's files are looked at while nothing is stored.
  static let intactCheckMilliseconds: Int64 = 1_000

  private let inbox: Inbox
  private let zones: ZoneDirectory
  private let store: any ScheduleStore
  private var engine: Engine
  private let encoder: MessageEncoder
  private let publisher: Publisher
  private let consumer: Consumer
  private let notifier: Notifier
  /// Telemetry; nil when HTTP is off.
  private let watch: ServiceWatch?
  private var readiness: Readiness
  private var log: EventLog
  private let stalls: StallCheck
  private var stability = ConnectionStability()
  /// When a clean stop gives up waiting, on the monotonic clock; nil before it began.
  private var drainDeadline: Int64?
  /// Whether there may be more or fewer schedules than was told.
  private var haveCountsChanged = true
  private var isDrained = false
  private var nextWatchdog: Int64 = 0
  private var isPublisherUp = false
  /// The largest body that the broker takes; nil while it is not known.
  private var messageLimit: Int?
  /// Whether the publisher was started.
  private var isPublishing = false
  private var nextIntactCheck: Int64 = 0
  private var nextZoneRefresh = SystemClock.now().uptime + zoneRefreshMilliseconds

  init(
    inbox: Inbox, zones: ZoneDirectory, store: any ScheduleStore, engine: Engine, encoder: MessageEncoder,
    publisher: Publisher, consumer: Consumer, notifier: Notifier, watch: ServiceWatch? = nil, logger: Logger
  ) {
    self.inbox = inbox
    self.zones = zones
    self.store = store
    self.engine = engine
    self.encoder = encoder
    self.publisher = publisher
    self.consumer = consumer
    self.notifier = notifier
    self.watch = watch
    readiness = Readiness(logger: logger, notifier: notifier, watch: watch)
    log = EventLog(logger: logger)
    stalls = StallCheck(logger: logger)
  }

  /// Runs until it is stopped, cleanly, or fails.
  func run() throws(ServiceFailure) {
    stalls.start()
    defer { stalls.finish() }
    updateReadiness()
    while true {
      for input in inbox.take() {
        stalls.enter(.receive)
        try receive(input)
      }
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

  private func receive(_ input: Inbox.Input) throws(ServiceFailure) {
    let now = SystemClock.now()
    switch input {
    case .publisher(let event): received(event, at: now)
    case .consumer(let event): try received(event, at: now)
    case .commands(let commands, let epoch): engine.receive(.deliveries(commands, channel: epoch), at: now)
    case .refreshZones: refreshZones(at: now)
    case .fail(let failure): throw failure
    case .stop:
      guard drainDeadline == nil else { return }
      drainDeadline = now.uptime + Self.drainMilliseconds
      readiness.set(.stopping, reason: .stopping)
      notifier.send("STOPPING=1")
      consumer.quiesce()
      engine.receive(.drain, at: now)
    }
  }

  private func received(_ event: Publisher.Event, at now: Now) {
    switch event {
    case .up(let epoch, let server):
      encoder.server = server
      if isPublisherUp { watch?.metrics.connectionLost() } else { stability.connected(to: server, at: now) }
      isPublisherUp = true
      engine.receive(.publisherUp(epoch: epoch), at: now)
    case .down(let error, _):
      log.disconnected("publishing", error)
      stability.failed(error)
      readiness.set(.publisher, reason: .init(error), at: error.endpoint)
      readiness.set(.blocked, reason: nil)
      watch?.metrics.connectionLost()
      isPublisherUp = false
      engine.receive(.publisherDown, at: now)
    case .acked(let numbers):
      Step.confirm.reached()
      stability.confirmed(at: now)
      watch?.confirmed(numbers, at: now)
      engine.receive(.acked(numbers), at: now)
    case .nacked(let numbers):
      watch?.metrics.settled(numbers, at: now)
      engine.receive(.nacked(numbers, cause: "the broker refused it (basic.nack)"), at: now)
    case .refused(let number, let error):
      watch?.metrics.settled([number], at: now)
      engine.receive(.nacked([number], cause: "refused by closing the channel: \(error.text)"), at: now)
    case .refusing(let refusals): refusing(refusals, at: now)
    case .unsendable(let number, let error):
      watch?.metrics.settled([number], at: now)
      engine.receive(.nacked([number], cause: "\(error)"), at: now)
    case .returned(let number, let code, let text): engine.receive(.returned(number, cause: "\(code) \(text)"), at: now)
    case .blocked(let reason):
      readiness.set(.blocked, reason: .init("publishing blocked by the broker (\(reason))"))
      engine.receive(.blocked, at: now)
    case .unblocked:
      readiness.set(.blocked, reason: nil)
      engine.receive(.unblocked, at: now)
    }
  }

  /// What the broker is known to refuse has changed.
  private func refusing(_ refusals: Refusals, at now: Now) {
    var reasons: [String] = []
    for (kind, error) in refusals.current {
      switch kind {
      case .routingKey(let key): reasons.append("\"\(key)\" cannot be published, all others are: \(error)")
      case .exchange(let name): reasons.append("nothing can be published to \(name): \(error)")
      case .bodyBytes: break
      }
    }
    readiness.set(.rights, reason: reasons.isEmpty ? nil : .init(reasons.joined(separator: "; ")))
    if let limit = refusals.largestBody, limit != messageLimit { log.learntLimit(limit) }
    messageLimit = refusals.largestBody
    engine.receive(.messageLimit(messageLimit), at: now)
  }

  private func received(_ event: Consumer.Event, at now: Now) throws(ServiceFailure) {
    switch event {
    case .up(let epoch, let server):
      log.connected("consuming", to: server)
      readiness.set(.consumer, reason: nil)
      engine.receive(.commandsOpened(channel: epoch), at: now)
      try startPublishing()
    case .down(let error, _):
      log.disconnected("consuming", error)
      readiness.set(.consumer, reason: .init(error), at: error.endpoint)
      engine.receive(.commandsClosed, at: now)
    case .paused: engine.receive(.commandsClosed, at: now)
    case .exhausted(let epoch): engine.receive(.commandsExhausted(channel: epoch), at: now)
    case .congested(let epoch): engine.receive(.commandsCongested(channel: epoch), at: now)
    case .deliveries, .quiesced: break  // deliveries come decoded, as commands
    }
  }

  /// Publishing begins when we are known to be the one service on the command queue: another, on a copy of our database,
  /// would send each tick a second time. From then on neither connection waits for the other.
  private func startPublishing() throws(ServiceFailure) {
    guard !isPublishing else { return }
    isPublishing = true
    readiness.set(.publisher, reason: .connecting)
    do {
      try publisher.start()
    } catch {
      throw ServiceFailure(.system, error.text)
    }
  }

  /// Does what the engine decides until it decides nothing more. Returns whether it may sleep.
  private func act() throws(ServiceFailure) -> Bool {
    let now = SystemClock.now()
    stalls.enter(.housekeeping)
    feedWatchdog(at: now)
    watch?.turned(at: now, nextDue: engine.nextDue())
    log.flush(uptime: now.uptime)
    if let server = stability.passed(at: now) {
      log.connected("publishing", to: server)
      readiness.set(.publisher, reason: nil)
    }
    if now.uptime >= nextZoneRefresh { refreshZones(at: now) }
    if now.uptime >= nextIntactCheck { try checkIntact(at: now) }
    var isIdle = true
    stalls.enter(.decide)
    for action in engine.decide(at: now) {
      stalls.enter(action.step)
      switch action {
      case .publish(let publications, let epoch):
        Step.beforePublish.reached()
        watch?.published(publications, at: now)
        publisher.publish(encoder.encode(publications, at: now.wall), epoch: epoch)
        Step.afterPublish.reached()
      case .settle(let settled, let channel):
        Step.beforeSettle.reached()
        for frame in settled.frames { settle(frame, on: channel) }
        consumer.release(bytes: settled.releasedBytes, epoch: channel)
        Step.afterSettle.reached()
      case .store(let request):
        let answer = answer(request)
        engine.receive(.store(answer), at: SystemClock.now())
        isIdle = false
      case .pauseCommands: consumer.pause()
      case .resumeCommands: consumer.resume()
      case .report(let reports):
        for report in reports { note(report, at: now) }
      case .fail(let error): throw ServiceFailure(whileRunning: error)
      case .drained: isDrained = true
      }
    }
    if let drainDeadline, now.uptime >= drainDeadline { isDrained = true }
    return isIdle
  }

  /// Between two changes, not with each of a burst.
  private func countSchedules() {
    guard let watch, haveCountsChanged, let counts = try? store.counts() else { return }
    haveCountsChanged = false
    watch.metrics.set(counts)
  }

  private func answer(_ request: Engine.StoreRequest) -> Engine.StoreAnswer {
    if request.changesCounts { haveCountsChanged = true }
    guard case .apply = request else { return store.answer(request) }
    if let error = Step.beforeCommit.reached() { return .failed(error) }
    defer { Step.afterCommit.reached() }
    guard let watch else { return store.answer(request) }
    let begin = ContinuousClock.now
    defer { watch.metrics.committed(in: ContinuousClock.now - begin) }
    return store.answer(request)
  }

  private func settle(_ frame: Acknowledgements.Frame, on channel: UInt64) {
    switch frame {
    case .acknowledge(let tag, let multiple): consumer.acknowledge(tag, multiple: multiple, epoch: channel)
    case .reject(let tag): consumer.reject(tag, epoch: channel)
    }
  }

  private func note(_ report: Engine.Report, at now: Now) {
    switch report {
    case .storeUnavailable(let error): readiness.set(.store, reason: .init("the database: \(error)"))
    case .storeRecovered: readiness.set(.store, reason: nil)
    case .intakeSuspended(let reason):
      readiness.set(.intake, reason: .init("commands are left in their queue: \(reason.text)"))
    case .intakeResumed: readiness.set(.intake, reason: nil)
    case .tickReturned, .outcomeReturned, .nacked, .confirmTimedOut, .tickExpired, .outcomeExpired,
      .missedSlotsFolded, .missedSlotsSkipped,
      .commandRejected, .scheduleStarted, .scheduleStopped, .zoneMissing, .clockSetBack, .slotMoved,
      .slotRecomputed, .heldWithoutSlot, .ownEventDropped, .commandsRedelivered, .commandPoisoned:
      break
    }
    log.note(report, uptime: now.uptime)
    watch?.note(report, at: now)
  }

  private func updateReadiness() {
    stalls.enter(.readiness)
    readiness.update(at: SystemClock.now().uptime)
  }

  /// A failure that may pass shows with the next transaction, which looks, too, before it is committed.
  private func checkIntact(at now: Now) throws(ServiceFailure) {
    nextIntactCheck = now.uptime + Self.intactCheckMilliseconds
    do throws(StoreError) {
      try store.checkIntact()
    } catch {
      if !error.isPassing { throw ServiceFailure(whileRunning: error) }
    }
  }

  private func refreshZones(at now: Now) {
    nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds
    let changes = zones.refresh()
    log.zonesChanged(changes, version: zones.version)
    engine.receive(.zonesRefreshed(changed: !changes.changed.isEmpty), at: now)
  }

  /// Tells systemd that we live. Each turn of the loop asks, so that a long backlog does not look like a standstill.
  private func feedWatchdog(at now: Now) {
    guard let interval = notifier.watchdogMilliseconds, now.uptime >= nextWatchdog else { return }
    notifier.send("WATCHDOG=1")
    nextWatchdog = now.uptime + interval
  }

  private func sleep() {
    let now = SystemClock.now()
    var limit = Self.longestSleepMilliseconds
    if notifier.watchdogMilliseconds != nil { limit = min(limit, nextWatchdog - now.uptime) }
    if let drainDeadline { limit = min(limit, drainDeadline - now.uptime) }
    for deadline in [stability.end, readiness.deadline].compactMap(\.self) { limit = min(limit, deadline - now.uptime) }
    limit = min(limit, nextIntactCheck - now.uptime)
    inbox.wait(for: engine.nextWake(at: now), now: now, atMostMilliseconds: limit)
  }
}

extension Engine.Action {
  fileprivate var step: LoopStep {
    switch self {
    case .publish: .publish
    case .settle, .pauseCommands, .resumeCommands: .settle
    case .store: .store
    case .report: .report
    case .fail, .drained: .decide
    }
  }
}
