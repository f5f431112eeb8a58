import Recurrence

/// From a due slot to its stored advance.
extension Engine {
  /// What leaves now, in order: answers and owed Stoppeds, ticks tried again, ticks that are due.
  mutating func takePublications(at now: Now) -> [Publication] {
    guard publications.isOpen, !isStoreUnwell else { return [] }
    noteTimeouts(at: now)
    if !isDeciding { takeLateConfirms(at: now) }
    var outgoing: [Publication] = []
    while let item = publications.popReady() { outgoing.append(publications.send(item, at: now)) }
    guard maySendTicks else { return outgoing }
    giveUpExpired(at: now)
    takeRetries(into: &outgoing, at: now)
    takeDueTicks(into: &outgoing, at: now)
    return outgoing
  }

  /// Whether a tick whose time has come would leave. Between a command's decision and its transaction none may, which the
  /// command could be about to end; nor before a command that waited for a tick of its schedule to be confirmed, or a
  /// schedule that is behind would never be stopped.
  var maySendTicks: Bool {
    publications.isOpen && !isStoreUnwell && !isDraining && !isDeciding && !intake.isOverdue
  }

  /// Bounded are the ticks in flight and, in number and bytes, those that are backing off or timed out.
  private var hasRoomForTicks: Bool {
    window.unsettledCount < settings.publishWindow && publications.heldTicks < settings.maximumHeld
      && publications.heldBytes < settings.maximumHeldBytes
  }

  var isDeciding: Bool {
    guard pendingAnswers.isEmpty else { return true }
    return switch storeWork {
    case .look: true
    case .apply(_, let answers): !answers.isEmpty
    case .review, .due, .owed, .sweep, .inbox, nil: false
    }
  }

  private mutating func takeDueTicks(into outgoing: inout [Publication], at now: Now) {
    while hasRoomForTicks, let (position, row) = nextDue(at: now) {
      guard let zone = rules(of: row.schedule.definition) else {
        window.move(position.generation, to: .held)
        reports.append(.zoneMissing(row.schedule.id, zone: row.schedule.definition.timezone ?? "UTC"))
        continue
      }
      if let missed = missed(row, in: zone, at: now) {
        settle(row.schedule, missed)
        // With it, since it is by this clock: if that is wrong, the next process can tell.
        if !mark.covers(now.wall) { raiseMark(at: now) }
      } else if let publication = publish(row, in: zone, at: now) {
        outgoing.append(publication)
      }
    }
  }

  /// A schedule whose tick may leave now.
  private mutating func nextDue(at now: Now) -> (DuePosition, DueWindow.Row)? {
    for _ in window.lanes.indices {
      guard let position = window.firstInTurn(), position.due <= now.wall, let row = window[position.generation],
        !awaitsReview(row, at: position)
      else { continue }
      if mark.covers(position.due) { return (position, row) }
      raiseMark(at: now)
    }
    return nil
  }

  /// What the misfire policy says. A tick that may have been sent already is never folded or skipped: it is sent again as
  /// it was.
  private func missed(_ row: DueWindow.Row, in zone: ZoneRules, at now: Now) -> Schedule.Missed? {
    guard let nextTick = row.schedule.nextTick, !row.mayHaveBeenSent else { return nil }
    return row.schedule.missed(nextTick, at: now.wall, threshold: settings.misfireThresholdMilliseconds, in: zone)
  }

  private mutating func settle(_ schedule: Schedule, _ missed: Schedule.Missed) {
    switch missed {
    case .folded(let nextTick):
      settle(schedule, schedule.progress.with(state: .live(nextTick)))
      reports.append(.missedSlotsFolded(schedule.id, count: nextTick.missed))
    case .skipped(let progress, let count):
      settle(schedule, progress, adding: Schedule.Tally(missed: count))
      let policy = schedule.definition.misfirePolicy ?? .fireOnce
      reports.append(.missedSlotsSkipped(schedule.id, count: count, policy: policy))
    }
  }

  private mutating func publish(_ row: DueWindow.Row, in zone: ZoneRules, at now: Now) -> Publication? {
    let schedule = row.schedule
    guard let nextTick = schedule.nextTick else { return nil }
    let progress = schedule.afterTick(of: nextTick, at: now.wall, in: zone)
    var next: Instant?
    if case .live(let following) = progress.state { next = following.slot }
    let tick = Tick(
      definition: schedule.definition, generation: schedule.generation, counter: schedule.counter, slot: nextTick.slot,
      due: nextTick.due, missed: nextTick.missed, nextSlot: next)
    window.move(schedule.generation, to: .sent(progress))
    mark.sent(nextTick.due)
    let item = Publications.Item(
      subject: .tick(generation: schedule.generation), event: .tick(tick), origin: schedule.origin,
      isRepeat: row.mayHaveBeenSent)
    return publications.send(item, at: now)
  }

  /// Has a schedule's next state stored.
  mutating func settle(
    _ schedule: Schedule, _ progress: Schedule.Progress, adding tally: Schedule.Tally = Schedule.Tally()
  ) {
    guard let nextTick = schedule.nextTick else { return }
    window.move(schedule.generation, to: .settling)
    pendingChanges.append(.advance(schedule.key, from: nextTick.slot, to: progress, adding: tally))
  }

  /// Has the in-doubt mark raised with the next transaction.
  mutating func raiseMark(at now: Now) {
    if let change = mark.request(at: now.wall) { pendingChanges.append(change) }
  }

  /// Raises the mark just before it is needed, so that a tick after a quiet time does not wait for it.
  mutating func raiseMarkAhead(at now: Now) {
    guard publications.isOpen, !isDraining, let due = window.first()?.due, !mark.covers(due) else { return }
    if now.wall >= InDoubtMark.requestTime(for: due) { raiseMark(at: now) }
  }

  /// Raises the mark with a transaction that is made anyway, so that under load it never takes one of its own.
  mutating func renewMark(at now: Now) {
    guard publications.isOpen, !isDraining, mark.isRunningOut(at: now.wall) else { return }
    // What is being stored has its next due time in the changes, not yet in the window.
    let dues = pendingChanges.compactMap(\.nextDue) + [window.first()?.due].compactMap { $0 }
    if dues.contains(where: { $0 <= InDoubtMark.through(at: now.wall) }) { raiseMark(at: now) }
  }

  /// When the next tick is due or the mark to be set for it; nil while no tick could leave whatever the time.
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

  mutating func acked(_ number: UInt64, at now: Now) {
    guard let item = publications.resolve(number, at: now) else { return }
    switch item.subject {
    case .tick(let generation):
      // A command on a schedule whose tick is timed out does not wait for it: it may be about to be carried out.
      if isDeciding, case .retrying? = window[generation]?.phase { return publications.deferConfirm(of: item) }
      confirmed(item, generation, at: now)
    case .answer, .owedStopped, .deadLetter: resolved(item)
    }
  }

  mutating func returned(_ number: UInt64, cause: String) {
    guard let item = publications.returned(number) else { return }
    if case .tick(let tick) = item.event {
      reports.append(.tickReturned(tick.definition.id, cause: cause))
    } else {
      reports.append(.outcomeReturned(item.event.scheduleID, cause: cause))
    }
  }

  /// What was in flight may or may not have arrived: it is sent again when the connection is back.
  mutating func publisherWentDown(at now: Now) {
    for item in publications.connectionLost(at: now) {
      guard case .tick(let generation) = item.subject, row(of: item, generation)?.phase.progress != nil else {
        continue
      }
      window.move(generation, to: .waiting)
      becameFree(generation)
    }
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

extension OutgoingEvent {
  /// The schedule it is about, if that could be read.
  package var scheduleID: ScheduleID? {
    switch self {
    case .tick(let tick): tick.definition.id
    case .started(let started): started.definition.id
    case .stopped(let stopped): stopped.id
    case .rejected(let rejection): rejection.id
    case .deadLetter: nil
    }
  }
}
