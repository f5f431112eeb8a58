import AMQP
import Logging
import Recurrence
import Scheduling

/// Writes the engine's reports to the log.
struct EventLog {
  private let logger: Logger
  private var volume: VolumeLog
  /// The last error of each connection and broker. A lasting error is logged once.
  private var lastErrors: [String: [String?: AMQPError]] = [:]

  init(logger: Logger) {
    self.logger = logger
    volume = VolumeLog(logger: logger)
  }

  mutating func connected(_ purpose: String, to server: ServerInfo) {
    lastErrors[purpose] = nil
    logger.info(
      "connected for \(purpose)",
      metadata: ["broker": "\(server.endpoint)", "product": "\(server.product) \(server.version)"])
  }

  /// At debug level. `Readiness` reports an outage once for all connections.
  mutating func disconnected(_ purpose: String, _ error: AMQPError) {
    guard lastErrors[purpose, default: [:]].updateValue(error, forKey: error.endpoint) != error else { return }
    logger.debug("not connected for \(purpose): \(error)")
  }

  /// The broker's limit on message sizes was found.
  func learntLimit(_ bytes: Int) {
    logger.warning(
      """
      the broker accepts no messages over \(bytes) bytes: a Start whose events would be larger is rejected, and larger \
      events are held back
      """)
  }

  /// The broker refuses replies, with its reason, or no longer does.
  func repliesRefused(_ problem: String?) {
    guard let problem else { return logger.notice("replies are sent again") }
    logger.warning("the broker refuses replies to clients, everything else continues: \(problem)")
  }

  /// The broker refuses something that schedules publish to their targets, with its reason, or no longer does.
  func targetsRefused(_ problem: String?) {
    guard let problem else { return logger.notice("events are published to targets again") }
    logger.warning("schedules with this target wait, everything else continues: \(problem)")
  }

  func zonesChanged(_ changes: ZoneDirectory.Changes, version: String?) {
    if !changes.changed.isEmpty {
      logger.notice(
        "time zone rules changed; next ticks of schedules in these zones are recomputed",
        metadata: ["zones": "\(changes.changed.joined(separator: ", "))", "timezones": "\(version ?? "unknown")"])
    }
    for zone in changes.gone {
      logger.error("the time zone \(zone) is missing on this machine; its schedules are held until it is back")
    }
    for error in changes.unusable {
      logger.error("cannot read new time zone rules; the old ones stay in use: \(error)")
    }
  }

  mutating func flush(uptime: Int64) { volume.flush(uptime: uptime) }

  mutating func note(_ report: Engine.Report, uptime: Int64) {
    switch report {
    case .scheduleStarted(let id, _): logger.debug("schedule started", metadata: ["id": "\(id.text)"])
    case .scheduleStopped(let id, let reason, _):
      logger.debug("schedule stopped", metadata: ["id": "\(id.text)", "reason": "\(reason)"])
    case .schedulePaused(let id, _): logger.debug("schedule paused", metadata: ["id": "\(id.text)"])
    case .scheduleResumed(let id, _): logger.debug("schedule resumed", metadata: ["id": "\(id.text)"])
    case .questionAnswered(let name): logger.debug("answered a \(name.rawValue)")
    case .scheduleTriggered(let id): logger.debug("schedule triggered", metadata: ["id": "\(id.text)"])
    case .scheduleUpdated(let id, let changed):
      logger.debug(
        "schedule updated", metadata: ["id": "\(id.text)", "changed": "\(changed.joined(separator: ", "))"])
    case .batchBegan(let command, let selector, let matched):
      logger.info(
        "a \(command.rawValue) applies to several schedules",
        metadata: ["\(selector.field)": "\(selector.text)", "matched": "\(matched)"])
    case .batchDone(let done):
      logger.info(
        "a \(done.command.rawValue) of several schedules is done",
        metadata: [
          "\(done.selector.field)": "\(done.selector.text)", "matched": "\(done.counts.matched)",
          "changed": "\(done.counts.changed)",
        ])
    case .storeUnavailable(let error): logger.error("the database cannot be written: \(error)")
    case .storeRecovered: logger.notice("the database can be written again")
    case .clockSetBack(let from, let to):
      logger.warning(
        "the clock was set back by more than a day: next ticks are recomputed from now",
        metadata: ["from": "\(from.rfc3339)", "to": "\(to.rfc3339)"])
    case .slotRecomputed(let id, let old, let new):
      logger.notice(
        "this version reads a cron expression differently; next tick moved",
        metadata: ["id": "\(id.text)", "from": "\(old.rfc3339)", "to": "\(new.rfc3339)"])
    case .heldWithoutSlot(let id, let cron):
      logger.error(
        """
        this version reads a cron expression differently, and it never fires; the schedule is held until a Start replaces \
        it or a Stop ends it
        """,
        metadata: ["id": "\(id.text)", "cron": "\(cron)"])
    case .commandsRedelivered(let count):
      logger.info("stored redelivered commands in the inbox, in the order sent", metadata: ["count": "\(count)"])
    case .intakeSuspended(let reason):
      logger.warning("suspended the intake of commands", metadata: ["cause": "\(reason.text)"])
    case .intakeResumed: logger.notice("resumed the intake of commands")
    case .commandPoisoned(let tries):
      logger.error(
        "a command crashed the service repeatedly and was dead-lettered; please report it",
        metadata: ["tries": "\(tries)"])
    case .tickReturned, .outcomeReturned, .nacked, .confirmTimedOut, .tickExpired, .outcomeExpired,
      .missedSlotsFolded, .missedSlotsSkipped,
      .commandRejected, .zoneMissing, .targetRefused, .slotMoved, .ownEventDropped:
      if let entry = VolumeLog.Entry(report) { volume.log(entry, uptime: uptime) }
    }
  }
}

extension VolumeLog.Entry {
  /// The entry for a report that may come at volume; nil for a rare one.
  fileprivate init?(_ report: Engine.Report) {
    switch report {
    case .tickReturned(let id, let cause):
      self.init(
        "returned", .warning, "unroutable tick: bind a queue to Schedule Tick, or to the exchange of its target", id,
        [("cause", cause)])
      identity = cause
    case .outcomeReturned(let id, let cause):
      self.init("outcomeReturned", .debug, "unroutable outcome: no queue is bound to it", id, [("cause", cause)])
      identity = cause
    case .nacked(let id, _, let cause):
      self.init("nacked", .warning, "publish nacked; retrying", id, [("cause", cause)])
      identity = cause
    case .confirmTimedOut(let id, let seconds):
      self.init(
        "timedOut", .warning, "publish not confirmed in \(seconds) s", id,
        [("cause", "a late confirm still applies; it is republished only on another connection")])
      identity = kind
    case .outcomeExpired(let event, _, let cause):
      self.init(
        "outcomeExpired", .error, "outcome expired; its effect is stored", event.scheduleID, [("cause", cause)])
      identity = cause
    case .tickExpired(let id, let slot, let cause):
      self.init(
        "expired", .error, "tick expired after an hour of retries", id, [("slot", slot.rfc3339), ("cause", cause)])
    case .missedSlotsFolded(let id, let count):
      self.init("missed", .warning, "missed slots folded into one tick", id, [("missed", "\(count)")])
    case .missedSlotsSkipped(let id, let count, _):
      self.init(
        "skipped", .warning, "missed slots skipped by misfirePolicy or catchupWindow", id,
        [("missed", "\(count)")])
    case .commandRejected(let rejection):
      self.init(
        "rejected", .warning, "rejected a \(rejection.command)", rejection.id,
        [("cause", "\(rejection.field): \(rejection.reason)")])
    case .zoneMissing(let id, let zone):
      self.init(
        "zone", .error, "schedule held until its time zone is back", id,
        [("cause", "\(zone) is missing on this machine")])
    case .targetRefused(let id, let cause):
      self.init("target", .error, "schedule held until its target is allowed again", id, [("cause", cause)])
    case .slotMoved(let id, let old, let new):
      self.init(
        "moved", .notice, "next tick moved by new time zone rules", id,
        [("from", old.rfc3339), ("to", new?.rfc3339 ?? "none: the schedule ends")])
    case .ownEventDropped:
      self.init(
        "ownEvent", .warning,
        "received an event of this scheduler on the command queue and dead-lettered it; check the queue's bindings",
        nil, [])
    case .questionAnswered, .scheduleStarted, .scheduleStopped, .schedulePaused, .scheduleResumed, .scheduleTriggered,
      .scheduleUpdated, .batchBegan, .batchDone,
      .storeUnavailable, .storeRecovered, .clockSetBack, .slotRecomputed,
      .heldWithoutSlot, .commandsRedelivered, .intakeSuspended, .intakeResumed, .commandPoisoned:
      return nil
    }
  }

  /// Its identity is the message, the schedule and all fields.
  private init(
    _ kind: String, _ level: Logger.Level, _ message: String, _ id: ScheduleID?, _ fields: [(String, String)]
  ) {
    var metadata = Logger.Metadata(uniqueKeysWithValues: fields.map { ($0, "\($1)") })
    if let id { metadata["id"] = "\(id.text)" }
    let identity = ([message, id?.text ?? ""] + fields.map(\.1)).joined(separator: "\n")
    self.init(kind: kind, identity: identity, level: level, message: message, metadata: metadata)
  }
}

extension IntakeSuspension.Reason {
  /// For the log and readiness.
  var text: String {
    switch self {
    case .store: "the database cannot be written"
    case .unanswered: "the broker does not confirm their outcomes"
    case .congested: "the broker does not confirm their outcomes, and those in memory reached their limit of bytes"
    }
  }
}
