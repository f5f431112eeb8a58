import Recurrence

/// Tick path: from the due slot to the stored advance of its schedule.
extension Engine {
  /// What leaves now, in order: outcomes and owed events, retried ticks, due ticks.
  mutating func takePublications() -> Outgoing {
    var outgoing = Outgoing()
    guard store.isAvailable else { return outgoing }
    if !isDeciding { for outlet in Outlet.allCases { takeLateConfirms(outlet) } }
    if publications.isOpen { takeUnresolved(into: &outgoing, .bus) }
    if targetPublications.isOpen { takeUnresolved(into: &outgoing, .targets) } else { backOffTriggeredTicks() }
    if maySendTicks { takeDueTicks(into: &outgoing) }
    return outgoing
  }

  private mutating func takeUnresolved(into outgoing: inout Outgoing, _ outlet: Outlet) {
    noteTimeouts(outlet)
    while let item = self[outlet].popReady() { leave(item, into: &outgoing, outlet) }
    guard maySendTicks else { return }
    expireTimedOut(outlet)
    takeRetries(into: &outgoing, outlet)
  }

  /// Whether ticks may leave now.
  ///
  /// No tick leaves between the decision of a command and its transaction, because the command may end the schedule of
  /// the tick.
  ///
  /// No tick leaves while `intake.blocksTicks`. Then a schedule has become free, and a command waits that was passed
  /// over while it was busy. The command is decided before the next tick: a schedule that is behind would be busy again
  /// at once, and could never be stopped. All schedules wait until the store looks the commands up. Before that it does
  /// at most one request of each other kind, and reads pages of owed events while there is room for them.
  var maySendTicks: Bool { store.isAvailable && drain == .running && !isDeciding && !intake.blocksTicks }

  var isDeciding: Bool { !turn.answers.isEmpty || store.isDeciding }

  /// Whether ticks can leave over this connection. Limits the ticks in flight, and the number and bytes of ticks that are
  /// backing off or timed out.
  private func hasRoomForTicks(_ outlet: Outlet) -> Bool {
    guard self[outlet].isOpen, window.outstanding[outlet] < settings.publishWindow else { return false }
    return self[outlet].heldTicks < settings.maximumHeld && self[outlet].heldBytes < settings.maximumHeldBytes
  }

  private mutating func takeDueTicks(into outgoing: inout Outgoing) {
    while let (position, row) = nextDueRow() {
      guard let zone = rules(of: row.schedule.definition) else {
        window.move(position.generation, to: .held)
        turn.report(.zoneMissing(row.schedule.id, zone: row.schedule.definition.timezone ?? "UTC"))
        continue
      }
      if row.schedule.isPaused {
        _ = endPause(of: row.schedule, in: zone)
      } else if let cause = refusalOfTarget(of: row.schedule.definition, owner: row.schedule.origin.userID) {
        window.move(position.generation, to: .held)
        turn.report(.targetRefused(row.schedule.id, cause: cause))
      } else if let misfire = misfire(row, in: zone) {
        advance(row.schedule, past: misfire)
        // The mark is stored with the advance: if the clock is wrong, the next process can detect it.
        if !mark.covers(turn.now.wall) { raiseMark() }
      } else if let publication = publish(row, in: zone) {
        outgoing.append(publication, on: position.outlet)
      }
    }
  }

  /// The next row whose tick may leave now.
  private mutating func nextDueRow() -> (DuePosition, DueWindow.Row)? {
    for _ in window.lanes.indices {
      guard let position = window.firstInTurn(), position.due <= turn.now.wall, hasRoomForTicks(position.outlet),
        let row = window[position.generation], !awaitsReview(row, at: position)
      else { continue }
      if mark.covers(position.due) { return (position, row) }
      raiseMark()
    }
    return nil
  }

  /// Whether a tick has to wait because new rules may move its slot.
  private func awaitsReview(_ row: DueWindow.Row, at position: DuePosition) -> Bool {
    !row.mayHaveBeenSent && review.awaits(row.schedule.definition, at: position)
  }

  /// What the misfire policy does with the next tick; nil when it is sent as it is. A tick that may have been sent
  /// already is never folded or skipped: it is sent again unchanged.
  private func misfire(_ row: DueWindow.Row, in zone: ZoneRules) -> Schedule.Misfire? {
    guard let next = row.schedule.nextTick, !row.mayHaveBeenSent else { return nil }
    return row.schedule.misfire(next, at: turn.now.wall, threshold: settings.misfireThresholdMilliseconds, in: zone)
  }

  private mutating func advance(_ schedule: Schedule, past misfire: Schedule.Misfire) {
    switch misfire {
    case .folded(let next):
      advance(schedule, to: schedule.progress.with(state: .live(next)))
      turn.report(.missedSlotsFolded(schedule.id, count: next.missed))
    case .skipped(let progress, let count):
      advance(schedule, to: progress, adding: Schedule.Tally(missed: count))
      let policy = schedule.definition.misfirePolicy ?? .fireOnce
      turn.report(.missedSlotsSkipped(schedule.id, count: count, policy: policy))
    }
  }

  private mutating func publish(_ row: DueWindow.Row, in zone: ZoneRules) -> Publication? {
    let schedule = row.schedule
    guard let next = schedule.nextTick else { return nil }
    assert(next.due <= turn.now.wall, "never early")
    assert(mark.covers(next.due), "no tick leaves before a mark that covers it is stored")
    let progress = schedule.afterTick(of: next, at: turn.now.wall, in: zone)
    let tick = Tick(
      definition: schedule.definition, generation: schedule.generation, counter: schedule.counter, slot: next.slot,
      due: next.due, missed: next.missed, nextSlot: progress.state.nextTick?.slot)
    let outlet = schedule.definition.outlet
    window.move(schedule.generation, to: .sent(progress))
    assert(window.outstanding[outlet] <= settings.publishWindow, "the publish window limits due ticks")
    mark.sent(next.due)
    let item = Publications.Item(
      subject: .tick(generation: schedule.generation), content: .event(.tick(tick)), origin: schedule.origin,
      isRepeat: row.mayHaveBeenSent)
    return self[outlet].send(item, at: turn.now)
  }

  /// Stores the next state of a schedule with the next transaction.
  mutating func advance(
    _ schedule: Schedule, to progress: Schedule.Progress, adding tally: Schedule.Tally = Schedule.Tally()
  ) {
    guard let next = schedule.nextTick else { return }
    assert(progress.counter - schedule.counter <= 1 && progress.counter >= schedule.counter, "each tick counts once")
    window.move(schedule.generation, to: .advancing)
    turn.change(.advance(owedEvents.settled(schedule), from: next.slot, to: progress, adding: tally))
  }

  /// Ends the pause of a schedule with the next transaction. Returns whether it is over.
  mutating func endPause(of schedule: Schedule, in zone: ZoneRules) -> Bool {
    guard let slot = schedule.nextTick?.slot,
      let (resumed, tally) = owedEvents.settled(schedule).resumedAutomatically(at: turn.now.wall, in: zone)
    else { return false }
    if window[schedule.generation] == nil { review.move(schedule) }
    window.move(schedule.generation, to: .advancing)
    turn.change(.revise(resumed, from: slot, isRedefined: false, adding: tally))
    turn.report(.scheduleResumed(schedule.id, byCommand: false))
    return true
  }

  /// When the next tick is due, or the in-doubt mark has to be raised for it; nil while only an event can let a tick
  /// leave.
  mutating func nextTickWake(at now: Instant) -> Instant? {
    guard maySendTicks else { return nil }
    return window.firstOfEach().compactMap { hasRoomForTicks($0.outlet) ? wake(for: $0, at: now) : nil }.min()
  }

  private func wake(for position: DuePosition, at now: Instant) -> Instant? {
    guard let row = window[position.generation], !awaitsReview(row, at: position) else { return nil }
    let due = position.due
    guard !mark.covers(due) else { return due }
    guard mark.requested == nil else { return nil }
    let request = InDoubtMark.requestTime(for: due)
    return request > now ? request : due
  }
}

// MARK: - The in-doubt mark

extension Engine {
  /// Raises the mark with the next transaction.
  private mutating func raiseMark() {
    if let change = mark.request(at: turn.now.wall) { turn.change(change) }
  }

  /// Raises the mark shortly before it is needed, so that a tick after a quiet period does not wait for the disk.
  mutating func raiseMarkAhead() {
    guard drain == .running, let due = nextDueThatLeaves(), !mark.covers(due) else { return }
    if turn.now.wall >= InDoubtMark.requestTime(for: due) { raiseMark() }
  }

  /// When the next tick is due whose connection is open.
  private mutating func nextDueThatLeaves() -> Instant? {
    switch (publications.isOpen, targetPublications.isOpen) {
    case (true, true): window.firstDue(on: nil)
    case (true, false): window.firstDue(on: .bus)
    case (false, true): window.firstDue(on: .targets)
    case (false, false): nil
    }
  }

  /// Raises the mark with a transaction that is made anyway, so that under load it never costs one of its own.
  mutating func renewMark() {
    guard drain == .running, mark.isRunningOut(at: turn.now.wall), publications.isOpen || targetPublications.isOpen
    else { return }
    // The next due times of schedules that are being stored are in the changes, not yet in the window.
    let dues = turn.changes.compactMap(\.nextDue) + [nextDueThatLeaves()].compactMap { $0 }
    if dues.contains(where: { $0 <= InDoubtMark.through(at: turn.now.wall) }) { raiseMark() }
  }
}

extension Change {
  /// The due time of the schedule's next tick once this is stored; nil without one.
  fileprivate var nextDue: Instant? {
    switch self {
    case .start(let schedule, _): schedule.nextTick?.due
    case .advance(_, _, let progress, _, _): progress.state.nextTick?.due
    case .revise(let schedule, _, _, _): schedule.nextTick?.due
    case .announced, .remember, .markInDoubt, .declare, .followRules, .inbox, .batch: nil
    }
  }
}
