import Recurrence

/// Publications that the broker refuses, or does not confirm in time.
extension Engine {
  /// Sends again what was refused and has backed off for long enough.
  mutating func takeRetries(into outgoing: inout [Publication], at now: Now) {
    while let item = publications.popBackedOff(at: now) {
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
    for item in publications.takeDeferredConfirms() {
      if case .tick(let generation) = item.subject { confirmed(item, generation, at: now) }
    }
  }

  /// The schedule that still waits for this tick to be resolved.
  func row(of item: Publications.Item, _ generation: Int64) -> DueWindow.Row? {
    guard case .tick(let tick) = item.event, let row = window[generation], row.schedule.nextTick?.slot == tick.slot
    else { return nil }
    return row
  }

  /// The broker refused a publication: it is tried again after a while, until it has expired.
  mutating func refused(_ number: UInt64, cause: String, at now: Now) {
    guard let item = publications.resolve(number, at: now) else { return }
    reports.append(.nacked(item.event.scheduleID, refusals: item.refusals + 1, cause: cause))
    switch item.subject {
    case .tick(let generation):
      guard let row = row(of: item, generation), let progress = row.phase.progress else { return }
      if case .sent = row.phase, item.heldBack >= settings.giveUpMilliseconds,
        expire(row.schedule, refusals: item.refusals + 1, cause: cause, at: now)
      {
        return
      }
      window.move(generation, to: .retrying(progress))
      becameFree(generation)
    case .answer, .owedStopped, .deadLetter:
      if item.heldBack >= settings.outcomeBackoffMilliseconds, !isKept(item) { return expire(item, cause: cause) }
      if case .owedStopped(let generation, _) = item.subject, endNotices.release(generation, at: now) { return }
    }
    publications.backOff(item, at: now)
  }

  private mutating func expire(_ schedule: Schedule, refusals: Int, cause: String, at now: Now) -> Bool {
    guard let nextTick = schedule.nextTick, let zone = rules(of: schedule.definition) else { return false }
    reports.append(.tickExpired(schedule.id, slot: nextTick.slot, cause: cause))
    settle(
      schedule, schedule.afterGivingUp(nextTick, at: now.wall, in: zone),
      adding: Schedule.Tally(missed: nextTick.missed, refusals: refusals))
    return true
  }

  /// Whether an outcome is tried again however long that takes: its schedule's row is its outbox, and no command waits for it.
  private var isKept: (Publications.Item) -> Bool {
    { [endNotices, intake] item in
      switch item.subject {
      case .owedStopped(let generation, let id): !endNotices.isAwaited(generation) && !intake.isWaiting(for: id)
      case .deadLetter: true
      case .tick, .answer: false
      }
    }
  }

  /// What the command did is stored, and so is what it was answered: it is settled as if its outcome had been confirmed.
  private mutating func expire(_ outcome: Publications.Item, cause: String) {
    reports.append(.outcomeExpired(outcome.event, outcome.origin, cause: cause))
    resolved(outcome)
  }

  /// An outcome was confirmed, or has expired.
  mutating func resolved(_ outcome: Publications.Item) {
    switch outcome.subject {
    case .tick: break
    case .answer(let source, let channel, let settlement): outcomeConfirmed(source, on: channel, settlement)
    case .deadLetter(let position): pendingChanges.append(.inbox(intake.remove(position)))
    case .owedStopped(let generation, _): pendingChanges.append(.announced(generation: generation))
    }
  }

  /// What is not confirmed in time holds up nothing else. A late confirm still applies; sending it again on this connection
  /// would help nobody.
  mutating func noteTimeouts(at now: Now) {
    while let item = publications.popUnconfirmed(for: settings.confirmTimeoutMilliseconds, at: now) {
      reports.append(.confirmTimedOut(item.event.scheduleID, seconds: settings.confirmTimeoutMilliseconds / 1000))
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .sent(let progress) = row.phase
      else { continue }
      window.move(generation, to: .retrying(progress))
      becameFree(generation)
    }
  }

  mutating func giveUpExpired(at now: Now) {
    while let item = publications.popExpiredTick(after: settings.giveUpMilliseconds, at: now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .retrying = row.phase
      else { continue }
      _ = expire(row.schedule, refusals: item.refusals, cause: "no confirm for an hour", at: now)
    }
    let isKept = isKept
    while let item = publications.popExpiredOutcome(
      after: settings.outcomeTimeoutMilliseconds, at: now, unless: isKept)
    {
      expire(item, cause: "no confirm for \(settings.outcomeTimeoutMilliseconds / 60_000) minutes")
    }
  }
}
