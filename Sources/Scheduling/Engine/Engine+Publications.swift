import Recurrence

/// How publications are resolved: confirmed, nacked, returned, timed out, or lost with their connection.
extension Engine {
  mutating func acked(_ number: UInt64, on outlet: Outlet) {
    guard let item = self[outlet].resolve(number, at: turn.now) else { return }
    if case .tick(let generation) = item.subject {
      // Commands do not wait for a timed-out tick: one on this schedule may be about to be stored.
      if isDeciding, case .retrying? = window[generation]?.phase { return self[outlet].deferConfirm(of: item) }
      confirmed(item, generation)
    } else {
      resolved(item)
    }
  }

  /// Applies the confirms of timed-out ticks that came while commands were being decided.
  mutating func takeLateConfirms(_ outlet: Outlet) {
    for item in self[outlet].takeDeferredConfirms() {
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

  /// The row that waits for this tick to be resolved; nil if the schedule has changed meanwhile.
  private func row(of item: Publications.Item, _ generation: Int64) -> DueWindow.Row? {
    guard case .event(.tick(let tick)) = item.content, let row = window[generation],
      row.schedule.nextTick?.slot == tick.slot
    else { return nil }
    return row
  }

  /// An outcome was confirmed, or it expired.
  private mutating func resolved(_ outcome: Publications.Item) {
    switch outcome.subject {
    case .tick: assertionFailure("a tick is not an outcome")
    case .answer(let source, let channel, let settlement): outcomeConfirmed(source, on: channel, settlement)
    case .deadLetter(let position): turn.change(.inbox(intake.remove(position)))
    case .owed(let event, let generation, _):
      owedEvents.confirmed(generation)
      turn.change(.announced(generation: generation, event))
    }
  }

  /// The broker nacked a publication: it is retried with back-off until it expires.
  mutating func nacked(_ number: UInt64, cause: String, on outlet: Outlet) {
    if let item = self[outlet].resolve(number, at: turn.now) { refused(item, cause: cause) }
  }

  /// A publication is not accepted, by the broker or by us.
  mutating func refused(_ item: Publications.Item, cause: String) {
    turn.report(.nacked(item.scheduleID, refusals: item.refusals + 1, cause: cause))
    switch item.subject {
    case .tick(let generation):
      guard let row = row(of: item, generation), let progress = row.phase.progress else { return }
      if case .sent = row.phase, item.backedOffMilliseconds >= settings.tickExpiryMilliseconds,
        expire(row.schedule, refusals: item.refusals + 1, cause: cause)
      {
        return
      }
      retryLater(row.schedule, progress)
    case .answer, .owed, .deadLetter:
      if let longest = longestBackoff(of: item), item.backedOffMilliseconds >= longest {
        return expire(item, cause: cause)
      }
      // An event for which a command waits stays in memory: read again, it would never expire.
      if case .owed(_, let generation, let id) = item.subject, !intake.isWaiting(for: id),
        owedEvents.release(generation, at: turn.now)
      {
        return
      }
    }
    // Without a connection nobody has refused it: then only a command that waits for it uses up its time.
    let isCounted = self[item.content.outlet].isOpen || !isKept(item)
    self[item.content.outlet].backOff(item, isCounted: isCounted, at: turn.now)
  }

  /// The tick of a schedule backs off or is timed out: commands on the schedule no longer wait for it.
  private mutating func retryLater(_ schedule: Schedule, _ progress: Schedule.Progress) {
    window.move(schedule.generation, to: .retrying(progress))
    release(schedule)
  }

  mutating func returned(_ number: UInt64, cause: String, on outlet: Outlet) {
    guard let item = self[outlet].returned(number) else { return }
    if case .event(.tick(let tick)) = item.content {
      turn.report(.tickReturned(tick.definition.id, cause: cause))
    } else {
      turn.report(.outcomeReturned(item.scheduleID, cause: cause))
    }
  }

  /// The connection is lost. Publications in flight may or may not have arrived: they are sent again on the next
  /// connection.
  mutating func publisherWentDown(_ outlet: Outlet) {
    for item in self[outlet].connectionLost(at: turn.now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation), row.phase.progress != nil
      else { continue }
      window.move(generation, to: .waiting)
      release(row.schedule)
    }
  }
}

// MARK: - Timeouts and expiry

extension Engine {
  /// A publication that is not confirmed in time no longer delays anything else. A late confirm still applies; it is
  /// never republished on this connection.
  mutating func noteTimeouts(_ outlet: Outlet) {
    while let item = self[outlet].popUnconfirmed(for: settings.confirmTimeoutMilliseconds, at: turn.now) {
      turn.report(.confirmTimedOut(item.scheduleID, seconds: settings.confirmTimeoutMilliseconds / 1000))
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .sent(let progress) = row.phase
      else { continue }
      retryLater(row.schedule, progress)
    }
  }

  /// Sends nacked publications again whose back-off has ended.
  mutating func takeRetries(into outgoing: inout Outgoing, _ outlet: Outlet) {
    while let item = self[outlet].popBackedOff(at: turn.now) {
      if case .tick(let generation) = item.subject {
        // A tick is dropped if its schedule was stopped or replaced, or its slot moved, meanwhile.
        guard let row = row(of: item, generation), case .retrying(let progress) = row.phase else { continue }
        guard !row.schedule.isPaused, let due = row.schedule.position?.due, due <= turn.now.wall else {
          window.move(generation, to: .waiting)  // it was paused, or the wall clock was set back
          continue
        }
        window.move(generation, to: .sent(progress))
      }
      leave(item, into: &outgoing, outlet)
    }
  }

  /// Hands an outcome, an owed event or a retried tick to the broker, unless its owner may no longer publish it.
  mutating func leave(_ item: Publications.Item, into outgoing: inout Outgoing, _ outlet: Outlet) {
    if outlet == .targets, case .event(.tick(let tick)) = item.content,
      let cause = refusalOfTarget(of: tick.definition, owner: item.origin.userID)
    {
      return refused(item, cause: cause)
    }
    outgoing.append(self[outlet].send(item, at: turn.now), on: outlet)
  }

  /// Expires publications that have been timed out for too long.
  mutating func expireTimedOut(_ outlet: Outlet) {
    while let item = self[outlet].popExpiredTick(after: settings.tickExpiryMilliseconds, at: turn.now) {
      guard case .tick(let generation) = item.subject, let row = row(of: item, generation),
        case .retrying = row.phase
      else { continue }
      guard !row.schedule.isPaused else {
        window.move(generation, to: .waiting)
        continue
      }
      let cause = noConfirm(for: settings.tickExpiryMilliseconds)
      // Without the rules of its zone, it is held like any other, and sent again after that.
      if !expire(row.schedule, refusals: item.refusals, cause: cause) { window.move(generation, to: .waiting) }
    }
    let isKept = isKept
    while let item = self[outlet].popExpiredOutcome(
      after: settings.outcomeTimeoutMilliseconds, at: turn.now, unless: isKept)
    {
      expire(item, cause: noConfirm(for: settings.outcomeTimeoutMilliseconds))
    }
  }

  private func noConfirm(for milliseconds: Int64) -> String { "no confirm for \(milliseconds / 60_000) minutes" }

  private mutating func expire(_ schedule: Schedule, refusals: Int, cause: String) -> Bool {
    guard let next = schedule.nextTick, let zone = rules(of: schedule.definition) else { return false }
    turn.report(.tickExpired(schedule.id, slot: next.slot, cause: cause))
    advance(
      schedule, to: schedule.afterExpiry(of: next, at: turn.now.wall, in: zone),
      adding: Schedule.Tally(missed: next.missed, refusals: refusals))
    return true
  }

  /// Settles a command as if its outcome had been confirmed: its effect and its answer are stored.
  private mutating func expire(_ outcome: Publications.Item, cause: String) {
    switch outcome.content {
    case .event(.tick(let tick)): turn.report(.tickExpired(tick.definition.id, slot: tick.slot, cause: cause))
    case .event(let event): turn.report(.outcomeExpired(event, outcome.origin, cause: cause))
    case .deadLetter: break
    }
    resolved(outcome)
  }

  /// Whether an outcome never expires by a timeout: a dead letter, or an owed event for which no command waits. Both are
  /// stored until they are confirmed.
  private var isKept: (Publications.Item) -> Bool {
    { [owedEvents, intake] item in
      switch item.subject {
      case .owed(_, let generation, let id): !owedEvents.isAwaited(generation) && !intake.isWaiting(for: id)
      case .deadLetter: true
      case .tick, .answer: false
      }
    }
  }

  /// For how long, in total, an outcome backs off before it expires; nil if it never does.
  private func longestBackoff(of item: Publications.Item) -> Int64? {
    guard isKept(item) else { return settings.outcomeBackoffMilliseconds }
    if case .owed(.triggeredTick, _, _) = item.subject { return settings.tickExpiryMilliseconds }
    return nil
  }
}
