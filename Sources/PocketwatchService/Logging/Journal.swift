import AMQP
import Logging
import Recurrence
import Scheduling

/// What the log says of the scheduler's doings.
struct Journal {
  private let logger: Logger
  private var volume: VolumeLog
  /// The last error told of each connection and broker, so that one that stays is not told in a loop.
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

  mutating func disconnected(_ purpose: String, _ error: AMQPError, retryAfter pause: Duration) {
    guard lastErrors[purpose, default: [:]].updateValue(error, forKey: error.endpoint) != error else { return }
    logger.warning("not connected for \(purpose): \(error)\(Self.advice(on: error))")
  }

  /// The broker names a property; we name the switch.
  private static func advice(on error: AMQPError) -> String {
    guard error.kind == .channelClosed(code: 406), error.text.contains("user_id") else { return "" }
    return ". Set \(Setting.userID.environmentVariable)=off to leave user_id out of our events"
  }

  func zonesChanged(_ changes: ZoneDirectory.Changes, version: String?) {
    if !changes.changed.isEmpty {
      logger.notice(
        "time zones have new rules; the next ticks of schedules in them are looked for anew",
        metadata: ["zones": "\(changes.changed.joined(separator: ", "))", "timezones": "\(version ?? "unknown")"])
    }
    for zone in changes.gone {
      logger.error("the time zone \(zone) is gone from this machine; schedules in it wait for it")
    }
    for error in changes.unusable {
      logger.error("a time zone's new rules cannot be used, the old ones stay: \(error)")
    }
  }

  mutating func flush(uptime: Int64) { volume.flush(uptime: uptime) }

  mutating func note(_ report: Engine.Report, uptime: Int64) {
    let entry: (kind: String, VolumeLog.Entry)
    switch report {
    case .scheduleStarted(let id, _):
      return logger.debug("schedule started", metadata: ["id": "\(id.text)"])
    case .scheduleStopped(let id, let reason, _):
      return logger.debug("schedule stopped", metadata: ["id": "\(id.text)", "reason": "\(reason)"])
    case .storeTrouble(let error):
      return logger.error("the database cannot be written: \(error)")
    case .storeRecovered:
      return logger.notice("the database can be written again")
    case .tickReturned(let id, let cause):
      entry = (
        "returned", .init(level: .warning, message: "no queue took a tick; bind one to Schedule Tick", id, cause)
      )
    case .outcomeReturned(let id, let cause):
      entry = ("outcomeReturned", .init(level: .debug, message: "no queue took an outcome", id, cause))
    case .refusedByBroker(let id, _, let cause):
      entry = ("refused", .init(level: .warning, message: "not taken by the broker, will be sent again", id, cause))
    case .tickGivenUp(let id, let slot, let cause):
      entry = (
        "givenUp",
        .init(
          level: .error, message: "gave up a tick that the broker refused for an hour", id, "\(slot.rfc3339): \(cause)")
      )
    case .missedSlotsFolded(let id, let count):
      entry = (
        "missed", .init(level: .warning, message: "slots were missed; one tick stands for them", id, "\(count) folded")
      )
    case .missedSlotsSkipped(let id, let count, _):
      entry = (
        "skipped",
        .init(
          level: .warning, message: "slots were missed and are not sent, as misfirePolicy or catchupWindow say", id,
          "\(count) skipped")
      )
    case .clockSetBack(let from, let to):
      return logger.warning(
        "the clock was set back by more than a day: next ticks are looked for anew from now",
        metadata: ["from": "\(from.rfc3339)", "to": "\(to.rfc3339)"])
    case .commandRejected(let rejection):
      entry = (
        "rejected",
        .init(
          level: .warning, message: "rejected a \(rejection.command)", rejection.id,
          "\(rejection.field): \(rejection.reason)")
      )
    case .zoneMissing(let id, let zone):
      entry = (
        "zone",
        .init(
          level: .error, message: "a schedule waits for its time zone's rules", id, "\(zone) is not on this machine")
      )
    case .slotMoved(let id, let old, let new):
      entry = (
        "moved",
        .init(
          level: .notice, message: "new rules of its time zone moved a schedule's next tick", id,
          "\(old.rfc3339) is now \(new?.rfc3339 ?? "its end")")
      )
    case .ownEventDropped:
      entry = (
        "ownEvent",
        .init(
          level: .warning, message: "one of our own events came to the command queue; check its bindings", nil,
          "dead-lettered")
      )
    }
    volume.log(entry.kind, entry.1, uptime: uptime)
  }
}

extension VolumeLog.Entry {
  fileprivate init(level: Logger.Level, message: String, _ id: ScheduleID?, _ cause: String) {
    var metadata: Logger.Metadata = ["cause": "\(cause)"]
    if let id { metadata["id"] = "\(id.text)" }
    self.init(level: level, message: message, metadata: metadata)
  }
}
