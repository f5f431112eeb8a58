import Recurrence

/// Tick path: from the due slot to the stored advance of its schedule.
extension Engine {
  /// What leaves now, in order: outcomes and owed events, retried ticks, due ticks.
  mutating func takePublications() -> [Publication] {
    guard publications.isOpen, store.isAvailable else { return [] }
    noteTimeouts()
    if !isDeciding { takeLateConfirms() }
    var outgoing: [Publication] = []
    while let item = publications.popReady() { outgoing.append(publications.send(item, at: turn.now)) }
    guard maySendTicks else { return outgoing }
    expireTimedOut()
    takeRetries(into: &outgoing)
    takeDueTicks(into: &outgoing)
    return outgoing
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
  var maySendTicks: Bool {
    publications.isOpen && store.isAvailable && drain == .running && !isDeciding && !intake.blocksTicks
  }

  var isDeciding: Bool { !turn.answers.isEmpty || store.isDeciding }

  /// Limits the ticks in flight, and the number and bytes of ticks that are backing off or timed out.
  private var hasRoomForTicks: Bool {
    window.outstandingCount < settings.publishWindow && publications.heldTicks < settings.maximumHeld
      && publications.heldBytes < settings.maximumHeldBytes
  }

  private mutating func takeDueTicks(into outgoing: inout [Publication]) {
    while hasRoomForTicks, let (position, row) = nextDueRow() {
      guard let zone = rules(of: row.schedule.definition) else {
        window.move(position.generation, to: .held)
        turn.report(.zoneMissing(row.schedule.id, zone: row.schedule.definition.timezone ?? "UTC"))
        continue
      }
      if row.schedule.isPaused {
        _ = endPause(of: row.schedule, in: zone)
      } else if let misfire = misfire(row, in: zone) {
        advance(row.schedule, past: misfire)
        // The mark is stored with the advance: if the clock is wrong, the next process can detect it.
        if !mark.covers(turn.now.wall) { raiseMark() }
      } else if let publication = publish(row, in: zone) {
        outgoing.append(publication)
      }
    }
  }

  /// The next row whose tick may leave now.
  private mutating func nextDueRow() -> (DuePosition, DueWindow.Row)? {
    for _ in window.lanes.indices {
      guard let position = window.firstInTurn(), position.due <= turn.now.wall, let row = window[position.generation],
        !awaitsReview(row, at: position)
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
    window.move(schedule.generation, to: .sent(progress))
    assert(window.outstandingCount <= settings.publishWindow, "the publish window limits due ticks")
    mark.sent(next.due)
    let item = Publications.Item(
      subject: .tick(generation: schedule.generation), content: .event(.tick(tick)), origin: schedule.origin,
      isRepeat: row.mayHaveBeenSent)
    return publications.send(item, at: turn.now)
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
    guard maySendTicks, hasRoomForTicks else { return nil }
    return window.firstOfEach().compactMap { wake(for: $0, at: now) }.min()
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
    guard publications.isOpen, drain == .running, let due = window.first()?.due, !mark.covers(due) else { return }
    if turn.now.wall >= InDoubtMark.requestTime(for: due) { raiseMark() }
  }

  /// Raises the mark with a transaction that is made anyway, so that under load it never costs one of its own.
  mutating func renewMark() {
    guard publications.isOpen, drain == .running, mark.isRunningOut(at: turn.now.wall) else { return }
    // The next due times of schedules that are being stored are in the changes, not yet in the window.
    let dues = turn.changes.compactMap(\.nextDue) + [window.first()?.due].compactMap { $0 }
    if dues.contains(where: { $0 <= InDoubtMark.through(at: turn.now.wall) }) { raiseMark() }
  }
}

extension Change {
  /// The due time of the schedule's next tick once this is stored; nil without one.
  fileprivate var nextDue: Instant? {
    switch self {
    case .start(let schedule, _): schedule.nextTick?.due
    case .advance(_, _, let progress, _): progress.state.nextTick?.due
    case .revise(let schedule, _, _, _): schedule.nextTick?.due
    case .announced, .remember, .markInDoubt, .declare, .followRules, .inbox: nil
    }
  }
}
