import Recurrence

/// One piece of work at a time for the store.
extension Engine {
  /// What the store is doing, with what is needed to go on once it has answered.
  enum StoreWork: Sendable {
    case look(InboxLine.Taken, channel: UInt64?)
    case inbox(after: InboxPosition?)
    /// The next page of a lane of the window.
    case due(lane: Int, after: DuePosition?, through: Instant)
    case owed(after: Int64, limit: Int)
    case review(SlotReview.Causes, after: DuePosition?)
    case apply([Change], [PendingAnswer])
    case sweep(Retention)
  }

  /// Kinds of work that take turns, so that neither a burst of ticks nor a flood of commands keeps the others waiting.
  enum Turn: Int, CaseIterable, Sendable {
    case apply, inbox, look, review, due, owed, sweep
  }

  /// The request for the store to work on next; nil while it is busy, unwell, or has nothing to do.
  mutating func storeRequest(at now: Now) -> StoreRequest? {
    if isStoreUnwell {
      guard let retryAt = storeRetryAt, now.uptime >= retryAt else { return nil }
      storeRetryAt = nil
      return storeWork.map(request)
    }
    guard storeWork == nil else { return nil }
    storeWork = nextWork(at: now)
    return storeWork.map(request)
  }

  private func request(for work: StoreWork) -> StoreRequest {
    switch work {
    case .look(let taken, _): lookRequest(for: taken)
    case .inbox(let position): .inbox(after: position, limit: settings.commandBatch)
    case .due(_, let position, let through): .due(after: position, through: through, limit: settings.duePage)
    case .owed(let generation, let limit): .owed(after: generation, limit: limit)
    case .review(.zoneRules, let position): .followingZones(after: position, limit: settings.duePage)
    case .review(_, let position):
      .due(after: position, through: Instant(milliseconds: .max), limit: settings.duePage)
    case .apply(let changes, _): .apply(changes)
    case .sweep(let retention): .sweep(retention, limit: settings.sweepStep)
    }
  }

  private mutating func nextWork(at now: Now) -> StoreWork? {
    pendingChanges += intake.takeChanges().map { .inbox($0) }
    lowerMark()
    raiseMarkAhead(at: now)
    for step in 1...Turn.allCases.count {
      let turn = Turn.allCases[(lastTurn.rawValue + step) % Turn.allCases.count]
      if let work = work(of: turn, at: now) {
        lastTurn = turn
        return work
      }
    }
    return isDraining ? finishDraining(at: now) : nil
  }

  private mutating func work(of turn: Turn, at now: Now) -> StoreWork? {
    guard !isDraining || turn == .apply else { return nil }
    return switch turn {
    case .apply: applyWork(at: now)
    case .look: takeCommands()
    case .inbox: inboxWork()
    case .review: reviewWork()
    case .due: dueWork(at: now)
    case .owed: owedWork(at: now)
    case .sweep: sweepWork(at: now)
    }
  }

  private mutating func applyWork(at now: Now) -> StoreWork? {
    guard !pendingChanges.isEmpty, !isGathering(at: now) else { return nil }
    renewMark(at: now)
    defer {
      pendingChanges = []
      pendingAnswers = []
      // Room at once for what is gathered, rather than little by little.
      if gatheringSince != nil { pendingChanges.reserveCapacity(settings.gatheredTicks) }
      gatheringSince = nil
    }
    return .apply(pendingChanges, pendingAnswers)
  }

  /// While the publish window is full, confirmed ticks wait for each other: a commit waits for the disk, whatever is in it.
  private mutating func isGathering(at now: Now) -> Bool {
    guard window.unsettledCount >= settings.publishWindow, publications.hasFlights, pendingAnswers.isEmpty,
      mark.requested == nil, !isDraining, review?.moving.isEmpty ?? true, pendingChanges.count < settings.gatheredTicks
    else { return false }
    let since = gatheringSince ?? now.uptime
    gatheringSince = since
    return now.uptime - since < settings.gatheringMilliseconds
  }

  private func sweepWork(at now: Now) -> StoreWork? {
    guard let nextSweep, now.uptime >= nextSweep else { return nil }
    return .sweep(
      Retention(
        endedBefore: now.wall.advanced(byMilliseconds: -settings.endedRetentionMilliseconds),
        firedBefore: now.wall.advanced(byMilliseconds: -settings.firedRetentionMilliseconds),
        lastingBefore: now.wall.advanced(byMilliseconds: -settings.lastingRetentionMilliseconds),
        answeredBefore: min(
          now.wall.advanced(byMilliseconds: -settings.repeatWindowMilliseconds), intake.unsettledSince),
        maximumEnded: settings.maximumEnded, maximumCommands: settings.maximumCommands))
  }

  /// Once nothing is under way before a clean stop, nothing is in doubt beyond now; or, should the clock have been set back,
  /// beyond what was sent before that and may be unconfirmed. Unless the next process has to learn of the clock from the mark.
  private mutating func finishDraining(at now: Now) -> StoreWork? {
    let isAnswering = publications.hasFlights || (publications.hasReady && publications.isOpen)
    guard !isDrained, !isAnswering, window.unsettledCount == 0 else { return nil }
    let undecided = intake.takeUndecided()
    if !undecided.isEmpty { return .look(undecided, channel: nil) }
    isDrained = true
    guard !isClockInQuestion else { return nil }
    return mark.final(at: now.wall).map { .apply([$0], []) }
  }

  mutating func received(_ answer: StoreAnswer, at now: Now) {
    if case .failed(let error) = answer { return storeFailed(error, at: now) }
    guard let work = storeWork else { return }
    storeWork = nil
    storeSucceeded(at: now)
    switch (work, answer) {
    case (.look(let taken, let channel), .looked(let schedules, let remembered)):
      decideCommands(taken.commands, on: channel, schedules: schedules, remembered: remembered, at: now)
    case (.inbox, .inbox(let page)): intake.load(page, decode: decode)
    case (.due(let lane, _, let through), .due(let page)):
      window.load(page, into: lane, through: through, inDoubtThrough: mark.recovered)
    case (.owed(let position, let limit), .owed(let schedules)):
      for schedule in schedules { enqueueStopped(schedule) }
      endNotices.read(
        after: position, through: schedules.last?.generation, isLast: schedules.count < limit, at: now)
    case (.review(let causes, let position), .followingZones(let schedules)):
      guard isCurrent(causes, after: position) else { return }
      reviewed(schedules, isLast: schedules.count < settings.duePage, at: now)
    case (.review(let causes, let position), .due(let page)):
      guard isCurrent(causes, after: position) else { return }
      reviewed(page.schedules, isLast: page.isLast, at: now)
    case (.apply(let changes, let answers), .applied):
      for change in changes { applied(change) }
      for case let replaced? in answers.map(\.decision.replaced) { window.remove(replaced) }
      announce(answers)
      window.shrink(to: settings.dueCapacity)
    case (.sweep, .swept(let count)):
      let isMore = count >= settings.sweepStep
      nextSweep = now.uptime + (isMore ? settings.sweepPauseMilliseconds : settings.sweepIntervalMilliseconds)
    default:
      break  // an answer to another question: the shell keeps question and answer together
    }
  }

  private mutating func applied(_ change: Change) {
    switch change {
    case .start(let schedule, _):
      window.started(schedule)
    case .advance(let key, _, let progress, _):
      let known = window.advanced(key.generation, to: progress)
      guard let schedule = known ?? reviewApplied(key.generation, progress) else { return }
      becameFree(key.generation)
      if schedule.nextTick == nil { ended(schedule) } else { intake.becameFree(schedule.id) }
    case .announced(let generation):
      endNotices.announced(generation)
    case .markInDoubt(let through):
      mark.wasStored(through)
    case .declare(let key, let declaration):
      window.declared(key.generation, declaration)
    case .inbox(.complete(let batch)): reports.append(.commandsRedelivered(intake.completed(batch)))
    case .remember, .followRules, .inbox:
      break
    }
  }

  private mutating func owedWork(at now: Now) -> StoreWork? {
    endNotices.beginRound(at: now)
    return endNotices.nextPage(settings).map { .owed(after: $0.after, limit: $0.limit) }
  }

  /// It is stored that a schedule has ended by itself.
  private mutating func ended(_ schedule: Schedule) {
    if let ending = schedule.ending, ending.owesStopped, let reason = ending.reason {
      reports.append(.scheduleStopped(schedule.id, reason: reason, byCommand: false))
    }
    enqueueStopped(schedule)
  }

  /// Puts the Stopped of a schedule that ended by itself in line, if it owes one and there is room.
  mutating func enqueueStopped(_ schedule: Schedule, isAwaited: Bool = false) {
    guard let stopped = endNotices.take(schedule, isAwaited: isAwaited, settings) else { return }
    publications.enqueue(
      .owedStopped(generation: schedule.generation, id: schedule.id), .stopped(stopped), origin: schedule.origin)
  }

  /// A passing failure: the same request is tried again, and nothing is published or consumed until it succeeds.
  private mutating func storeFailed(_ error: StoreError, at now: Now) {
    guard error.isPassing else {
      failure = error
      return
    }
    if !isStoreUnwell { reports.append(.storeUnavailable(error)) }
    isStoreUnwell = true
    storeRetryAt = now.uptime + settings.storeRetryMilliseconds
  }

  private mutating func storeSucceeded(at now: Now) {
    guard isStoreUnwell else { return }
    isStoreUnwell = false
    suspension.storeRecovered(at: now.uptime)
    reports.append(.storeRecovered)
  }
}
