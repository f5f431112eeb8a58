import Recurrence

/// The path of a tick: from its due slot to the stored advance of its schedule.
extension Engine {
  /// What leaves now, in order: outcomes and owed Stoppeds, ticks sent again, due ticks.
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

  /// Whether a due tick would leave. Between a command's decision and its transaction none may, which the command could be
  /// about to end; nor before a command that waited for a tick of its schedule to be confirmed, or a schedule that is behind
  /// would never be stopped.
  var maySendTicks: Bool {
    publications.isOpen && store.isAvailable && drain == .running && !isDeciding && !intake.isOverdue
  }

  var isDeciding: Bool { !turn.answers.isEmpty || store.isDeciding }

  /// Bounded are the ticks in flight and, in number and bytes, those that are backing off or timed out.
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
      if let missed = missed(row, in: zone) {
        advance(row.schedule, past: missed)
        // With it, since it is by this clock: if that is wrong, the next process can tell.
        if !mark.covers(turn.now.wall) { raiseMark() }
      } else if let publication = publish(row, in: zone) {
        outgoing.append(publication)
      }
    }
  }

  /// A schedule whose tick may leave now.
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

  /// Whether a tick has to wait because its slot may be another under new rules.
  private func awaitsReview(_ row: DueWindow.Row, at position: DuePosition) -> Bool {
    !row.mayHaveBeenSent && review.awaits(row.schedule.definition, at: position)
  }

  /// What the misfire policy says. A tick that may have been sent already is never folded or skipped: it is sent again as
  /// it was.
  private func missed(_ row: DueWindow.Row, in zone: ZoneRules) -> Schedule.Missed? {
    guard let next = row.schedule.nextTick, !row.mayHaveBeenSent else { return nil }
    return row.schedule.missed(next, at: turn.now.wall, threshold: settings.misfireThresholdMilliseconds, in: zone)
  }

  private mutating func advance(_ schedule: Schedule, past missed: Schedule.Missed) {
    switch missed {
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
    mark.sent(next.due)
    let item = Publications.Item(
      subject: .tick(generation: schedule.generation), content: .event(.tick(tick)), origin: schedule.origin,
      isRepeat: row.mayHaveBeenSent)
    return publications.send(item, at: turn.now)
  }

  /// Has the next state of a schedule stored.
  mutating func advance(
    _ schedule: Schedule, to progress: Schedule.Progress, adding tally: Schedule.Tally = Schedule.Tally()
  ) {
    guard let next = schedule.nextTick else { return }
    window.move(schedule.generation, to: .advancing)
    turn.change(.advance(schedule.key, from: next.slot, to: progress, adding: tally))
  }

  /// When the next tick is due or the mark to be raised for it; nil while no tick could leave whatever the time.
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
  /// Has the mark raised with the next transaction.
  private mutating func raiseMark() {
    if let change = mark.request(at: turn.now.wall) { turn.change(change) }
  }

  /// Raises the mark just before it is needed, so that a tick after a quiet time does not wait for it.
  mutating func raiseMarkAhead() {
    guard publications.isOpen, drain == .running, let due = window.first()?.due, !mark.covers(due) else { return }
    if turn.now.wall >= InDoubtMark.requestTime(for: due) { raiseMark() }
  }

  /// Raises the mark with a transaction that is made anyway, so that under load it never takes one of its own.
  mutating func renewMark() {
    guard publications.isOpen, drain == .running, mark.isRunningOut(at: turn.now.wall) else { return }
    // The next due times of what is being stored are in the changes, not yet in the window.
    let dues = turn.changes.compactMap(\.nextDue) + [window.first()?.due].compactMap { $0 }
    if dues.contains(where: { $0 <= InDoubtMark.through(at: turn.now.wall) }) { raiseMark() }
  }
}

extension Change {
  /// When the schedule ticks next once this is stored; nil where it does not.
  fileprivate var nextDue: Instant? {
    switch self {
    case .start(let schedule, _): schedule.nextTick?.due
    case .advance(_, _, let progress, _): progress.state.nextTick?.due
    case .announced, .remember, .markInDoubt, .declare, .followRules, .inbox: nil
    }
  }
}
