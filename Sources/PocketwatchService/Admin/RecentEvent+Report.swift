import AdminHTTP
import Recurrence
import Scheduling

extension RecentEvent {
  /// What people see of a report; nil for what only the log has.
  init?(_ report: Engine.Report, at now: Instant) {
    switch report {
    case .tickReturned(let id, let cause):
      self.init(at: now, kind: .unroutable, id: id, detail: "no queue is bound to Schedule Tick: \(cause)")
    case .outcomeReturned: return nil
    case .nacked(let id, _, let cause): self.init(at: now, kind: .nacked, id: id, detail: cause)
    case .confirmTimedOut(let id, let seconds):
      self.init(at: now, kind: .nacked, id: id, detail: "not confirmed in \(seconds) s")
    case .outcomeExpired(let event, _, let cause):
      self.init(at: now, kind: .expired, id: event.scheduleID, detail: "an outcome: \(cause)")
    case .tickExpired(let id, let slot, let cause):
      self.init(at: now, kind: .expired, id: id, slot: slot, detail: cause)
    case .missedSlotsFolded(let id, let count):
      self.init(at: now, kind: .missed, id: id, detail: "\(count) missed, folded into one tick")
    case .missedSlotsSkipped(let id, let count, _):
      self.init(at: now, kind: .missed, id: id, detail: "\(count) missed, skipped")
    case .commandRejected(let rejection):
      self.init(
        at: now, kind: .rejected, id: rejection.id,
        detail: "\(rejection.command): \(rejection.field): \(rejection.reason)")
    case .scheduleStarted(let id, _): self.init(at: now, kind: .started, id: id)
    case .scheduleStopped(let id, let reason, _): self.init(at: now, kind: .stopped, id: id, detail: reason)
    case .schedulePaused(let id, let until):
      self.init(at: now, kind: .paused, id: id, detail: until.map { "until \($0.rfc3339)" } ?? "")
    case .scheduleResumed(let id, let byCommand):
      self.init(at: now, kind: .resumed, id: id, detail: byCommand ? "" : "its pause was over")
    case .scheduleTriggered(let id): self.init(at: now, kind: .triggered, id: id)
    case .scheduleUpdated(let id, let changed):
      self.init(at: now, kind: .updated, id: id, detail: changed.joined(separator: ", "))
    case .questionAnswered, .batchBegan, .batchDone, .zoneMissing, .targetRefused, .clockSetBack, .slotMoved,
      .slotRecomputed, .heldWithoutSlot, .ownEventDropped, .storeUnavailable, .storeRecovered, .intakeSuspended,
      .intakeResumed, .commandsRedelivered, .commandPoisoned:
      return nil
    }
  }
}
