import Recurrence

/// What becomes of a publication that the broker refuses, or does not answer in time.
extension Engine {
  /// Sends again what was refused and whose pause is over.
  mutating func takeRetries(into outgoing: inout [Publication], at now: Now) {
    while let item = publications.popPaused(at: now) {
      if case .tick(let generation) = item.subject {
        // Stopped, replaced, or its slot moved meanwhile: then it is never sent again.
        guard let row = row(of: item, generation), case .retrying(let progress) = row.phase else { continue }
        guard let due = row.schedule.position?.due, due <= now.wall else {
          window.move(generation, to: .waiting)  // the wall clock was set back
          continue
        }
        window.move(generation, to: .sent(progress))
      }
      outgoing.append(publications.send(item, at: now))
    }
  }

  /// A tick was confirmed: its schedule goes on.
  mutating func confirmed(_ item: Publications.Item, _ generation: Int64, at now: Now) {
    guard case .tick(let tick) = item.event, let row = row(of: item, generation), let progress = row.phase.progress
    else { return }
    settle(
      row.schedule, underRulesOfNow(progress, of: row.schedule, at: now), adding: Schedule.Tally(tick, item))
  }

  mutating func takeLateConfirms(at now: Now) {
    for item in lateConfirms {
      if case .tick(let generation) = item.subject { confirmed(item, generation, at: now) }
    }
    lateConfirms = []
  }

  /// The schedule that still waits for what becomes of this tick.
  func row(of item: Publications.Item, _ generation: Int64) -> DueWindow.Row? {
    guard case .tick(let tick) = item.event, let row = window[generation], row.schedule.pending?.slot == tick.slot
    else { return nil }
    return row
  }

  /// The broker nacked a publication: it is tried again after a pause; a tick until its pauses add up to an hour.
  mutating func refused(_ number: UInt64, cause: String, at now: Now) {
    guard let item = publications.land(number, at: now) else { return }
    reports.append(.refusedByBroker(item.event.scheduleID, refusals: item.refusals + 1, cause: cause))
    switch item.subject {
    case .tick(let generation):
      guard let row = row(of: item, generation), let progress = row.phase.progress else { return }
      if case .sent = row.phase, item.paused >= settings.giveUpMilliseconds,
        giveUp(row.schedule, refusals: item.refusals + 1, cause: cause, at: now)
      {
        return
      }
      window.move(generation, to: .retrying(progress))
      becameFree(generation)
    case .owedStopped(let generation, let id) where owing.count > settings.maximumOwing:
      // The row is its publications: it is read again when there are fewer.
      publications.forget(item)
      owing[generation] = nil
      owingIDs.remove(id)
      owedCursor = min(owedCursor ?? .max, generation - 1)
      return
    case .answer, .owedStopped, .deadLetter: break
    }
    publications.pause(item, at: now)
  }

  private mutating func giveUp(_ schedule: Schedule, refusals: Int, cause: String, at now: Now) -> Bool {
    guard let pending = schedule.pending, let zone = rules(of: schedule.definition) else { return false }
    reports.append(.tickGivenUp(schedule.id, slot: pending.slot, cause: cause))
    settle(
      schedule, schedule.afterGivingUp(pending, at: now.wall, in: zone),
      adding: Schedule.Tally(missed: pending.missed, refusals: refusals))
    return true
  }

  /// What the broker does not answer in time is set aside, so that it holds up nothing else: its answer may come yet. To send it
  /// once more on this connection would help nobody.
  mutating func setUnansweredAside(at now: Now) {
    while let item = publications.popUnanswered(for: settings.confirmTimeoutMilliseconds, at: now) {
      let cause = "no confirm within \(settings.confirmTimeoutMilliseconds / 1000) s"
      reports.append(.refusedByBroker(item.event.scheduleID, refusals: item.refusals, cause: cause))
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .sent(let progress) = row.phase
      else { continue }
      window.move(generation, to: .retrying(progress))
      becameFree(generation)
    }
  }

  mutating func giveUpForlorn(at now: Now) {
    for item in publications.takeForlorn(after: settings.giveUpMilliseconds, at: now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .retrying = row.phase
      else { continue }
      _ = giveUp(row.schedule, refusals: item.refusals, cause: "no confirm for an hour", at: now)
    }
  }
}
