import Recurrence

/// Chooses the next store request, and applies the results.
extension Engine {
  /// The next store request; nil while the store is busy or unavailable, or has nothing to do.
  mutating func storeRequest() -> StoreRequest? {
    if let work = store.retry(at: turn.now) { return request(for: work) }
    guard store.isIdle else { return nil }
    turn.change(intake.takeChanges().map { .inbox($0) })
    lowerMark()
    raiseMarkAhead()
    for kind in store.kindsInTurn {
      if let work = work(of: kind) {
        store.begin(work, as: kind)
        return request(for: work)
      }
    }
    guard drain == .draining, let work = finishDraining() else { return nil }
    store.begin(work)
    return request(for: work)
  }

  private mutating func work(of kind: StoreLane.WorkKind) -> StoreLane.Work? {
    guard drain == .running || kind == .apply || kind == .question else { return nil }
    switch kind {
    case .apply: return applyWork()
    case .lookUp: return takeCommands()
    case .inbox: return inboxWork()
    case .batch: return batchWork()
    case .question: return questionWork()
    case .review: return turn.changes.isEmpty ? review.nextPage : nil  // changes first: a page must be current
    case .due: return dueWork()
    case .owed:
      owedEvents.beginRound(at: turn.now)
      return owedEvents.takePage(settings).map { .owed(after: $0.after, limit: $0.limit) }
    case .sweep: return sweeper.work(at: turn.now, unsettledSince: intake.unsettledSince)
    }
  }

  private mutating func applyWork() -> StoreLane.Work? {
    guard !turn.changes.isEmpty, !gathersTicks() else { return nil }
    renewMark()
    let wasGathered = store.endGathering()
    let batch = turn.takeBatch(reserving: wasGathered ? settings.gatheredTicks : 0)
    return .apply(batch.changes, batch.answers)
  }

  /// With the publish window full, confirmed ticks wait for each other: a transaction costs one disk write, however
  /// many changes it has.
  private mutating func gathersTicks() -> Bool {
    guard window.outstanding[.bus] >= settings.publishWindow, publications.hasInFlight, turn.answers.isEmpty,
      mark.requested == nil, drain == .running, !review.isMoving, turn.changes.count < settings.gatheredTicks
    else { return false }
    return store.gathers(at: turn.now)
  }

  /// The last work before a clean stop, once nothing is in flight. It lowers the in-doubt mark to now, or to the latest
  /// tick sent before the clock was set back, which may be unconfirmed. The mark stays if the next process has to
  /// detect a wrong clock from it.
  private mutating func finishDraining() -> StoreLane.Work? {
    guard !publications.isBusy, !targetPublications.isBusy, window.outstandingCount == 0 else { return nil }
    let undecided = intake.takeUndecided()
    if !undecided.isEmpty { return .lookUp(undecided, channel: nil) }
    assert(drain == .draining, "a clean stop ends once")
    drain = .drained
    guard !isClockInQuestion else { return nil }
    return mark.final(at: turn.now.wall).map { .apply([$0], []) }
  }

  private func request(for work: StoreLane.Work) -> StoreRequest {
    switch work {
    case .lookUp(let taken, _): lookUpRequest(for: taken)
    case .inbox(let position): .inbox(after: position, limit: settings.commandBatch)
    case .batches(let member): .batches(after: member, limit: settings.batchPage)
    case .select(let list): .list(list)
    case .due(_, let position, let through): .due(after: position, through: through, limit: settings.duePage)
    case .owed(let generation, let limit): .owed(after: generation, limit: limit)
    case .review(.zoneRules, let position): .followingZones(after: position, limit: settings.duePage)
    case .review(_, let position): .due(after: position, through: .last, limit: settings.duePage)
    case .apply(let changes, _): .apply(changes)
    case .sweep(let retention): .sweep(retention, limit: settings.sweepStep)
    case .question(let item): questionRequest(for: item.question)
    }
  }

  /// Reads the schedules of these commands, and their earlier answers.
  private func lookUpRequest(for taken: InboxLine.Taken) -> StoreRequest {
    var ids: [ScheduleID] = []
    var keys: [CommandKey] = []
    for command in taken.commands {
      switch command.content {
      case .command(let content, let key):
        ids.append(content.id)
        if let key { keys.append(key) }
      case .batch(_, let key):
        ids += intake.inbox.reappliedIDs(before: command)
        keys.append(key)
      case .question, .malformed, .ownEvent, .redelivered: break
      }
    }
    return .lookUp(ids: ids, keys: keys, tried: taken.uncounted, passedOver: taken.passedOver)
  }
}

// MARK: - Results

extension Engine {
  mutating func received(_ answer: StoreAnswer) {
    if case .failed(let error) = answer {
      if store.failed(error, at: turn.now) { turn.report(.storeUnavailable(error)) }
      return
    }
    guard let (work, isRecovery) = store.succeeded() else { return }
    if isRecovery {
      suspension.storeRecovered(at: turn.now.uptime)
      turn.report(.storeRecovered)
    }
    switch (work, answer) {
    case (.lookUp(let taken, let channel), .lookedUp(let schedules, let remembered)):
      decideCommands(taken.commands, on: channel, view: BatchView(schedules: schedules, remembered: remembered))
    case (.inbox, .inbox(let page)): intake.load(page, decode: decode)
    case (.batches, .batches(let page)): loaded(page)
    case (.select, .listed(let found)): selected(found)
    case (.due(let lane, _, let through), .due(let page)):
      window.load(page, into: lane, through: through, isInDoubt: mark.isInDoubt)
    case (.owed(let position, let limit), .owed(let schedules)):
      assert(schedules.allSatisfy { !$0.owed.isEmpty }, "these schedules owe an event")
      for schedule in schedules { enqueueOwed(schedule) }
      owedEvents.read(
        after: position, through: schedules.last?.generation, isLast: schedules.count < limit, at: turn.now)
    case (.review(let causes, let position), .followingZones(let schedules)):
      guard review.isCurrent(causes, after: position) else { return }
      recompute(schedules, isLast: schedules.count < settings.duePage)
    case (.review(let causes, let position), .due(let page)):
      guard review.isCurrent(causes, after: position) else { return }
      recompute(page.schedules, isLast: page.isLast)
    case (.apply(let changes, let answers), .applied):
      questions.changesAreStored()
      announce(answers)  // first: what a command's schedule owes now follows its outcome
      for change in changes { applied(change) }
      for case let replaced? in answers.map(\.decision.replaced) { window.remove(replaced) }
      recomputePassed(changes)
      endBatches()
      window.shrink(to: settings.dueCapacity)
    case (.sweep, .swept(let count)): sweeper.swept(count, at: turn.now)
    case (.question(let item), .described(let schedule, let history)):
      guard case .describe(let describe) = item.question else { return assertionFailure("it was not asked for") }
      reply(to: item, with: described(describe, schedule, history))
    case (.question(let item), .listed(let found)):
      guard case .list(let list) = item.question else { return assertionFailure("it was not asked for") }
      reply(to: item, with: listed(list, found))
    case (.lookUp, _), (.question, _), (.inbox, _), (.due, _), (.owed, _), (.review, _), (.apply, _), (.sweep, _),
      (.batches, _), (.select, _):
      assertionFailure("\(answer) is not a result of \(work)")
    }
  }

  private mutating func applied(_ change: Change) {
    switch change {
    case .start(let schedule, _):
      assert(schedule.generation <= lastGeneration, "a stored generation was assigned")
      window.started(schedule)
    case .advance(let key, _, let progress, _, _): advanced(key.generation, to: progress)
    case .revise(let schedule, let slot, let isRedefined, _):
      // An Update that sets or removes a target may move a slot in doubt into the window.
      let staysInDoubt = isRedefined && !schedule.isPaused && schedule.nextTick?.slot == slot
      revised(schedule, isInDoubt: staysInDoubt && schedule.position.map(mark.isInDoubt) ?? false)
    case .announced(let generation, let event):
      window.settled(event, of: generation)
      if let id = owedEvents.announced(generation) { intake.released(id) }
    case .markInDoubt(let through): mark.wasStored(through)
    case .declare(let key, let declaration): window.declared(key.generation, declaration)
    case .inbox(.complete(let batch)): turn.report(.commandsRedelivered(intake.completed(batch)))
    case .batch(let change): applied(change)
    case .remember, .followRules, .inbox: break
    }
  }

  /// The next state of a schedule is stored, whether it is in the window or not.
  private mutating func advanced(_ generation: Int64, to progress: Schedule.Progress) {
    var advanced = window.advanced(generation, to: progress)
    if advanced == nil, let moved = review.moved(generation, to: progress) {
      window.started(moved)  // its new slot may be within the window
      advanced = moved
    }
    if let advanced { moved(advanced) }
  }

  /// A schedule is stored after a control command, the end of a pause, or a tick that was in doubt.
  private mutating func revised(_ schedule: Schedule, isInDoubt: Bool) {
    var afterTick: Schedule.Progress?
    if case .retrying? = window[schedule.generation]?.phase, let next = schedule.nextTick,
      let zone = rules(of: schedule.definition)
    {
      afterTick = schedule.afterTick(of: next, at: turn.now.wall, in: zone)
    }
    sendTimedOutAgain(after: schedule)
    sendElsewhere(schedule)
    window.revised(schedule, afterTick: afterTick, isInDoubt: isInDoubt)
    _ = review.moved(schedule.generation, to: schedule.progress)
    moved(schedule)
  }

  /// A tick that timed out before a pause is sent again after it, unchanged, and its hour of retries begins again.
  private mutating func sendTimedOutAgain(after resumed: Schedule) {
    guard let row = window[resumed.generation], row.phase.isRetrying, row.schedule.isPaused, resumed.isLive,
      !resumed.isPaused,
      publications.dropTimedOutTicks(of: resumed.generation)
        || targetPublications.dropTimedOutTicks(of: resumed.generation)
    else { return }
    window.move(resumed.generation, to: .waiting)
  }

  /// A tick that backs off or is timed out on one connection is sent again over the other, as its schedule now is: an Update
  /// has set or removed its target. Otherwise a connection or an exchange that fails would hold up what does not need it any
  /// more.
  private mutating func sendElsewhere(_ updated: Schedule) {
    guard let row = window[updated.generation], row.phase.isRetrying, updated.isLive else { return }
    let outlet = row.schedule.definition.outlet
    guard updated.definition.outlet != outlet, self[outlet].dropTicks(of: updated.generation) else { return }
    window.move(updated.generation, to: .waiting)
  }

  /// The next state of this schedule is stored.
  private mutating func moved(_ schedule: Schedule) {
    if let ending = schedule.ending, ending.owesStopped, let reason = ending.reason {
      turn.report(.scheduleStopped(schedule.id, reason: reason, byCommand: false))
    }
    enqueueOwed(schedule)
    release(schedule)
  }

  /// Publishes what a schedule owes, if anything, and if there is room.
  mutating func enqueueOwed(_ schedule: Schedule, isAwaited: Bool = false) {
    guard let (owed, event) = owedEvents.admit(schedule, isAwaited: isAwaited, settings) else { return }
    let content = Publication.Content.event(event)
    self[content.outlet].enqueue(
      .owed(owed, generation: schedule.generation, id: schedule.id), content, origin: schedule.origin(ofOwed: owed))
  }

  /// This schedule has nothing in flight any more. A review returns to it, and commands that waited for it are decided
  /// before it ticks again.
  mutating func release(_ schedule: Schedule) {
    assert(window[schedule.generation]?.phase.isOutstanding != true, "a released schedule has nothing in flight")
    review.released(schedule.generation)
    if schedule.isLive, !owedEvents.ids.contains(schedule.id) { intake.released(schedule.id) }
  }
}
