package import Logging
import ServiceLifecycle
import UnixSignals
import AMQP
import EventBus
import Foundation
import Recurrence
import Scheduling
import SQLiteStore

/// The scheduler as a service: connects the database, the connections to the broker, and the engine's thread.
package struct SchedulerService: Service {
  private let configuration: Configuration
  private let environment: [String: String]
  private let watch: ServiceWatch?
  private let logger: Logger

  package init(configuration: Configuration, environment: [String: String], watch: ServiceWatch? = nil, logger: Logger)
  {
    self.configuration = configuration
    self.environment = environment
    self.watch = watch
    self.logger = logger
  }

  /// Runs until a graceful shutdown is requested, or throws the `ServiceFailure` that ends it.
  package func run() async throws {
    let inbox = try Inbox()
    configuration.broker.urlFile?.log(to: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await readFilesOnHangup(inbox) }
      try await withGracefulShutdownHandler {
        do {
          try await onOwnThread { try serve(inbox) }
        } catch let error as AMQPError {
          throw ServiceFailure(.system, error.text)  // no thread, or no descriptor, for a connection
        }
      } onGracefulShutdown: {
        inbox.post(.stop)
      }
      group.cancelAll()
    }
  }

  /// On SIGHUP, reads the files of the time zones and of the broker's URL at once, so that errors after an update show now and not
  /// at the next login.
  private func readFilesOnHangup(_ inbox: Inbox) async {
    for await _ in await UnixSignalsSequence(trapping: .sighup) {
      inbox.post(.refreshZones)
      _ = configuration.broker.urlFile?.current()
    }
  }

  /// Opens the database first, so that a second process on it ends before it connects to the broker.
  private func serve(_ inbox: Inbox) throws {
    let notifier = Notifier(environment: environment)
    guard let store = try open(inbox, notifier) else { return logger.info("stopped") }
    defer { try? store.close() }  // after a failed checkpoint the log is read at the next start
    let persistentState = try load(from: store)
    let zones = ZoneDirectory()
    watch?.open(inbox, zones)
    logger.info(
      "Pocketwatch \(Version.current)",
      metadata: ["database": "\(configuration.database)", "timezones": "\(zones.version ?? "unknown")"])
    warnOfMissingZones(zones)
    let publisher = try makePublisher(inbox)
    let reader = CommandReader(
      decoder: CommandDecoder(
        zones: { try? zones.rules(named: $0) }, secret: persistentState.secret, operators: configuration.operators),
      logger: logger)
    let consumer = try makeConsumer(inbox, reader)
    let replies = ReplySender(
      configuration.broker, onResult: { [watch] in watch?.metrics.count($1, $0) },
      onProblem: { inbox.post(.replyProblem($0)) })
    let targets = try LazyPublisher(
      configuration.broker, purpose: "targets", window: configuration.publishWindow,
      onEvent: { inbox.post(.publisher($0, on: .targets)) })
    let targetRules = configuration.targets
    let loop = SchedulerLoop(
      inbox: inbox, zones: zones, store: store,
      engine: Engine(
        settings: engineSettings, persistentState: persistentState, bodyBytes: MessageEncoder.bodyBytes(names),
        zones: { try? zones.rules(named: $0) }, refusalOfTarget: targetRules.refusal, decode: reader.read),
      encoder: MessageEncoder(names: names, sendsUserID: configuration.broker.sendsUserID), publisher: publisher,
      targetEncoder: MessageEncoder(names: names, sendsUserID: configuration.broker.sendsUserID), targets: targets,
      consumer: consumer, replies: replies, notifier: notifier, watch: watch, logger: logger)
    defer {
      // The loop has waited for confirms, so neither thread waits; replies may still be on their way. All stop in parallel.
      publisher.askToStop(drainFor: .zero)
      targets.askToStop()
      replies.askToStop()
      consumer.stop()
      publisher.stop(drainFor: .zero)
      targets.stop()
      replies.stop()
    }
    try consumer.start()  // the loop starts the publisher, once commands are consumed
    try loop.run()
    logger.info("stopped")
  }

  /// Without zone files every Start with a time zone is rejected, so warn once at start.
  private func warnOfMissingZones(_ zones: ZoneDirectory) {
    do throws(ExpressionError) {
      _ = try zones.rules(named: "Etc/UTC")
    } catch {
      logger.warning(
        "no time zone data: schedules with a timezone other than UTC are rejected. Install tzdata, or set TZDIR to its folder",
        metadata: ["cause": "\(error.reason)"])
    }
  }

  private var names: TopologyNames { configuration.broker.names }

  private var engineSettings: Engine.Settings {
    var settings = Engine.Settings()
    settings.misfireThresholdMilliseconds = configuration.misfireThresholdMilliseconds
    settings.publishWindow = configuration.publishWindow
    settings.lastingRetentionMilliseconds = configuration.endedRetentionMilliseconds
    return settings
  }

  /// Opens the database. Waits while the disk is full; nil if a stop was requested meanwhile.
  private func open(_ inbox: Inbox, _ notifier: Notifier) throws(ServiceFailure) -> SQLiteStore? {
    let logger = logger
    var readiness = Readiness(logger: logger, notifier: notifier, watch: watch)
    while true {
      do throws(StoreError) {
        let store = try SQLiteStore(path: configuration.database, onUnreadable: { logger.error("\($0)") })
        if store.isNew {
          logger.notice("\(configuration.database) did not exist: created a new database, without schedules")
        }
        return store
      } catch {
        guard error.kind == .full else { throw ServiceFailure(atStart: error) }
        readiness.set(.store, reason: .init("the database: \(error)"))
        readiness.update(at: SystemClock.now().uptime)
      }
      inbox.wait(milliseconds: Self.fullDiskRetryMilliseconds)
      watch?.iterated(at: SystemClock.now())
      if inbox.take().contains(where: \.isStop) { return nil }
    }
  }

  /// How often opening the database is retried while the disk is full.
  private static let fullDiskRetryMilliseconds: Int64 = 1_000

  private func load(from store: SQLiteStore) throws(ServiceFailure) -> PersistentState {
    do throws(StoreError) {
      return try store.load()
    } catch {
      throw ServiceFailure(atStart: error)
    }
  }

  /// The setup of the consuming connection: declares the topology, if configured, and checks it.
  private func prepareTopology(on connection: Connection) throws {
    let topology = Topology(names: names)
    if configuration.declaresTopology { try topology.declare(on: connection) }
    try topology.check(on: connection)
  }

  /// The setup of the publishing connection, which requires only the event bus: a problem with the command queue must not stop
  /// ticks.
  private func prepareEventBus(on connection: Connection) throws {
    let topology = Topology(names: names)
    if configuration.declaresTopology {
      do {
        try topology.declare(on: connection)
      } catch let error as AMQPError {
        guard case .channelClosed = error.kind else { throw error }
        try connection.openChannel()
        try topology.declareEventBus(on: connection)
      }
    }
    try topology.checkEventBus(on: connection)
  }

  private func makePublisher(_ inbox: Inbox) throws -> Publisher {
    return try Publisher(
      options: configuration.broker.connectionOptions(name: "\(names.stack) publisher"),
      window: configuration.publishWindow + engineSettings.prefetch,
      essentialExchange: names.eventBus, setup: prepareEventBus,
      onEvent: { inbox.post(.publisher($0)) })
  }

  private func makeConsumer(_ inbox: Inbox, _ reader: CommandReader) throws -> Consumer {
    let exclusiveCheck = ExclusiveConsumerCheck(names: names) { inbox.post(.fail($0)) }
    return try Consumer(
      options: configuration.broker.connectionOptions(name: "\(names.stack) consumer"),
      queue: names.commandQueue, prefetch: UInt16(clamping: engineSettings.prefetch),
      maximumBytes: engineSettings.maximumCommandBytes,
      setup: { connection in
        try prepareTopology(on: connection)
        try exclusiveCheck.check(on: connection)
      },
      recheck: exclusiveCheck.checkAgain,
      onEvent: { event in
        if case .deliveries(let deliveries, let epoch) = event {
          inbox.post(.commands(deliveries.map(reader.read), epoch: epoch))
        } else {
          if case .up(_, let server) = event { reader.connected(to: server) }
          inbox.post(.consumer(event))
        }
      })
  }
}

/// Runs blocking work on a new thread, so that it does not block Swift's cooperative pool.
private func onOwnThread(_ work: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
    let thread = Thread {
      continuation.resume(with: Result { try work() })
    }
    thread.name = "engine"
    thread.start()
  }
}
