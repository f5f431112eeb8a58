import Recurrence

/// What becomes of publications: confirmed, refused, returned, timed out, lost with their connection.
extension Engine {
  mutating func acked(_ number: UInt64) {
    guard let item = publications.resolve(number, at: turn.now) else { return }
    if case .tick(let generation) = item.subject {
      // A command on a schedule whose tick is timed out does not wait for it: it may be about to be carried out.
      if isDeciding, case .retrying? = window[generation]?.phase { return publications.deferConfirm(of: item) }
      confirmed(item, generation)
    } else {
      resolved(item)
    }
  }

  /// Confirms of timed-out ticks that came while commands were being decided.
  mutating func takeLateConfirms() {
    for item in publications.takeDeferredConfirms() {
      if case .tick(let generation) = item.subject { confirmed(item, generation) }
    }
  }

  /// A tick was confirmed: its schedule advances.
  private mutating func confirmed(_ item: Publications.Item, _ generation: Int64) {
    guard case .event(.tick(let tick)) = item.content, let row = row(of: item, generation),
      let progress = row.phase.progress
    else { return }
    advance(
      row.schedule, to: underCurrentRules(progress, of: row.schedule),
      adding: Schedule.Tally(tick, item))
  }

  /// The row that still waits for this tick to be resolved.
  private func row(of item: Publications.Item, _ generation: Int64) -> DueWindow.Row? {
    guard case .event(.tick(let tick)) = item.content, let row = window[generation],
      row.schedule.nextTick?.slot == tick.slot
    else { return nil }
    return row
  }

  /// An outcome was confirmed, or has expired.
  private mutating func resolved(_ outcome: Publications.Item) {
    switch outcome.subject {
    case .tick: assertionFailure("a tick is no outcome")
    case .answer(let source, let channel, let settlement): outcomeConfirmed(source, on: channel, settlement)
    case .deadLetter(let position): turn.change(.inbox(intake.remove(position)))
    case .owedStopped(let generation, _): turn.change(.announced(generation: generation))
    }
  }

  /// The broker refused a publication: it is sent again after a while, until it has expired.
  mutating func refused(_ number: UInt64, cause: String) {
    guard let item = publications.resolve(number, at: turn.now) else { return }
    turn.report(.nacked(item.scheduleID, refusals: item.refusals + 1, cause: cause))
    switch item.subject {
    case .tick(let generation):
      guard let row = row(of: item, generation), let progress = row.phase.progress else { return }
      if case .sent = row.phase, item.heldBack >= settings.giveUpMilliseconds,
        expire(row.schedule, refusals: item.refusals + 1, cause: cause)
      {
        return
      }
      retryLater(row.schedule, progress)
    case .answer, .owedStopped, .deadLetter:
      if item.heldBack >= settings.outcomeBackoffMilliseconds, !isKept(item) { return expire(item, cause: cause) }
      if case .owedStopped(let generation, _) = item.subject, endNotices.release(generation, at: turn.now) { return }
    }
    publications.backOff(item, at: turn.now)
  }

  /// The tick of a schedule is backing off or timed out: commands on it no longer wait.
  private mutating func retryLater(_ schedule: Schedule, _ progress: Schedule.Progress) {
    window.move(schedule.generation, to: .retrying(progress))
    release(schedule)
  }

  mutating func returned(_ number: UInt64, cause: String) {
    guard let item = publications.returned(number) else { return }
    if case .event(.tick(let tick)) = item.content {
      turn.report(.tickReturned(tick.definition.id, cause: cause))
    } else {
      turn.report(.outcomeReturned(item.scheduleID, cause: cause))
    }
  }

  /// What was in flight may or may not have arrived: it is sent again when the connection is back.
  mutating func publisherWentDown() {
    for item in publications.connectionLost(at: turn.now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation), row.phase.progress != nil
      else { continue }
      window.move(generation, to: .waiting)
      release(row.schedule)
    }
  }
}

// MARK: - Timeouts and expiry

extension Engine {
  /// What is not confirmed in time holds up nothing else. A late confirm still applies; sending it again on this connection
  /// would help nobody.
  mutating func noteTimeouts() {
    while let item = publications.popUnconfirmed(for: settings.confirmTimeoutMilliseconds, at: turn.now) {
      turn.report(.confirmTimedOut(item.scheduleID, seconds: settings.confirmTimeoutMilliseconds / 1000))
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .sent(let progress) = row.phase
      else { continue }
      retryLater(row.schedule, progress)
    }
  }

  /// Sends again what was refused and has backed off for long enough.
  mutating func takeRetries(into outgoing: inout [Publication]) {
    while let item = publications.popBackedOff(at: turn.now) {
      if case .tick(let generation) = item.subject {
        // Stopped, replaced, or its slot moved meanwhile: then it is never sent again.
        guard let row = row(of: item, generation), case .retrying(let progress) = row.phase else { continue }
        guard let due = row.schedule.position?.due, due <= turn.now.wall else {
          window.move(generation, to: .waiting)  // the wall clock was set back
          continue
        }
        window.move(generation, to: .sent(progress))
      }
      outgoing.append(publications.send(item, at: turn.now))
    }
  }

  /// Gives up what has been timed out for too long.
  mutating func expireTimedOut() {
    while let item = publications.popExpiredTick(after: settings.giveUpMilliseconds, at: turn.now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .retrying = row.phase
      else { continue }
      _ = expire(row.schedule, refusals: item.refusals, cause: "no confirm for an hour")
    }
    let isKept = isKept
    while let item = publications.popExpiredOutcome(
      after: settings.outcomeTimeoutMilliseconds, at: turn.now, unless: isKept)
    {
      expire(item, cause: "no confirm for \(settings.outcomeTimeoutMilliseconds / 60_000) minutes")
    }
  }

  private mutating func expire(_ schedule: Schedule, refusals: Int, cause: String) -> Bool {
    guard let next = schedule.nextTick, let zone = rules(of: schedule.definition) else { return false }
    turn.report(.tickExpired(schedule.id, slot: next.slot, cause: cause))
    advance(
      schedule, to: schedule.afterGivingUp(next, at: turn.now.wall, in: zone),
      adding: Schedule.Tally(missed: next.missed, refusals: refusals))
    return true
  }

  /// What the command did is stored, and so is what it was answered: it is settled as if its outcome had been confirmed.
  private mutating func expire(_ outcome: Publications.Item, cause: String) {
    if case .event(let event) = outcome.content { turn.report(.outcomeExpired(event, outcome.origin, cause: cause)) }
    resolved(outcome)
  }

  /// Whether an outcome is sent again however long that takes: its schedule's row is its outbox, and no command waits for it.
  private var isKept: (Publications.Item) -> Bool {
    { [endNotices, intake] item in
      switch item.subject {
      case .owedStopped(let generation, let id): !endNotices.isAwaited(generation) && !intake.isWaiting(for: id)
      case .deadLetter: true
      case .tick, .answer: false
      }
    }
  }
}
