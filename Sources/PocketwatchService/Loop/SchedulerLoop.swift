import AMQP
import EventBus
import Logging
import Recurrence
import Scheduling

/// The engine's thread: it takes what other threads tell, asks the engine what to do, and does it.
///
/// It owns the engine and the store; nothing else touches them. It never blocks but in a store transaction and in
/// `Inbox.wait`, which is why a tick leaves within a millisecond of its time.
final class SchedulerLoop {
  /// How long a clean stop may take before what is still unconfirmed is left to the next start. With the two seconds
  /// that the connections' threads get after it, and the database's closing, it stays well within the ten promised.
  static let drainMilliseconds: Int64 = 5_000
  /// The longest sleep: the wall clock is read again after it, whatever the timer said.
  static let longestSleepMilliseconds: Int64 = 10_000

  /// How often the files of the time zones are looked at.
  static let zoneRefreshMilliseconds: Int64 = 60_000

  private let inbox: Inbox
  private let zones: ZoneDirectory
  private let store: any ScheduleStore
  private var engine: Engine
  private let encoder: MessageEncoder
  private let publisher: Publisher
  private let consumer: Consumer
  private let notifier: Notifier
  /// Those who look on; nil where nobody can.
  private let watch: ServiceWatch?
  private var readiness: Readiness
  private var journal: Journal
  private var probation = Probation()
  /// When a clean stop gives up waiting, on the monotonic clock; nil before it began.
  private var drainDeadline: Int64?
  /// Whether there may be more or fewer schedules than was told.
  private var haveCountsChanged = true
  private var isDrained = false
  private var nextWatchdog: Int64 = 0
  /// Whether the publisher was started.
  private var isPublishing = false
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
    journal = Journal(logger: logger)
  }

  /// Runs until it is stopped, cleanly, or fails.
  func run() throws(ServiceFailure) {
    readiness.tell()
    while true {
      for input in inbox.take() { try receive(input) }
      let isIdle = try act()
      if isDrained { return }
      readiness.tell()
      if let ask = inbox.takeQuestion() {
        ask(store)
      } else if isIdle {
        countSchedules()
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
      readiness.set(.stopping, obstacle: "what is under way, to stop")
      notifier.send("STOPPING=1")
      consumer.quiesce()
      engine.receive(.drain, at: now)
    }
  }

  private func received(_ event: Publisher.Event, at now: Now) {
    switch event {
    case .up(let epoch, let server):
      encoder.server = server
      probation.connected(to: server, at: now)
      engine.receive(.publisherUp(epoch: epoch), at: now)
    case .down(let error, let pause):
      journal.disconnected("publishing", error, retryAfter: pause)
      probation.failed(error)
      readiness.set(.publisher, obstacle: "the broker: \(error.text)", at: error.endpoint)
      readiness.set(.blocked, obstacle: nil)
      watch?.metrics.connectionLost()
      engine.receive(.publisherDown, at: now)
    case .acked(let numbers):
      Step.confirm.reached()
      probation.confirmed(at: now)
      watch?.confirmed(numbers, at: now)
      engine.receive(.acked(numbers), at: now)
    case .nacked(let numbers):
      watch?.metrics.settled(numbers, at: now)
      engine.receive(.nacked(numbers, cause: "the broker refused it (basic.nack)"), at: now)
    case .unsendable(let number, let error):
      watch?.metrics.settled([number], at: now)
      engine.receive(.nacked([number], cause: "\(error)"), at: now)
    case .returned(let number, let code, let text): engine.receive(.returned(number, cause: "\(code) \(text)"), at: now)
    case .blocked(let reason):
      readiness.set(.blocked, obstacle: "the broker, which takes no messages now: \(reason)")
      engine.receive(.blocked, at: now)
    case .unblocked:
      readiness.set(.blocked, obstacle: nil)
      engine.receive(.unblocked, at: now)
    }
  }

  private func received(_ event: Consumer.Event, at now: Now) throws(ServiceFailure) {
    switch event {
    case .up(let epoch, let server):
      journal.connected("consuming", to: server)
      readiness.set(.consumer, obstacle: nil)
      engine.receive(.commandsOpened(channel: epoch), at: now)
      try startPublishing()
    case .down(let error, let pause):
      journal.disconnected("consuming", error, retryAfter: pause)
      readiness.set(.consumer, obstacle: "commands: \(error.text)", at: error.endpoint)
      engine.receive(.commandsClosed, at: now)
    case .paused: engine.receive(.commandsClosed, at: now)
    case .deliveries, .quiesced: break  // deliveries come decoded, as commands
    }
  }

  /// Publishing begins when we are known to be the one service on the command queue: another, on a copy of our database,
  /// would send each tick a second time. From then on neither connection waits for the other.
  private func startPublishing() throws(ServiceFailure) {
    guard !isPublishing else { return }
    isPublishing = true
    readiness.set(.publisher, obstacle: "the broker: connecting")
    do {
      try publisher.start()
    } catch {
      throw ServiceFailure(.system, error.text)
    }
  }

  /// Does what the engine decides until it decides nothing more. Returns whether it may sleep.
  private func act() throws(ServiceFailure) -> Bool {
    let now = SystemClock.now()
    feedWatchdog(at: now)
    watch?.turned(at: now, nextDue: engine.nextDue())
    journal.flush(uptime: now.uptime)
    if let server = probation.passed(at: now) {
      journal.connected("publishing", to: server)
      readiness.set(.publisher, obstacle: nil)
    }
    if now.uptime >= nextZoneRefresh { refreshZones(at: now) }
    var isIdle = true
    for action in engine.decide(at: now) {
      switch action {
      case .publish(let publications, let epoch):
        Step.beforePublish.reached()
        watch?.published(publications, at: now)
        publisher.publish(encoder.encode(publications, at: now.wall), epoch: epoch)
        Step.afterPublish.reached()
      case .settle(let frames, let channel):
        Step.beforeSettle.reached()
        for frame in frames { settle(frame, on: channel) }
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
    case .storeTrouble(let error): readiness.set(.store, obstacle: "the database: \(error)")
    case .storeRecovered: readiness.set(.store, obstacle: nil)
    default: break
    }
    journal.note(report, uptime: now.uptime)
    watch?.note(report, at: now)
  }

  private func refreshZones(at now: Now) {
    nextZoneRefresh = now.uptime + Self.zoneRefreshMilliseconds
    let changes = zones.refresh()
    journal.zonesChanged(changes, version: zones.version)
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
    if let end = probation.end { limit = min(limit, end - now.uptime) }
    inbox.wait(for: engine.nextWake(at: now), now: now, atMostMilliseconds: limit)
  }
}
