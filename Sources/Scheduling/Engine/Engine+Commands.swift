import Recurrence

/// Command path: from delivery to settlement.
extension Engine {
  /// Loads the next page of the inbox, unless changes of the inbox are still to be stored, or nothing of it could be
  /// decided: loading counts a try.
  func inboxWork() -> StoreLane.Work? {
    guard !turn.changesInbox, !questions.holdsInbox, batches.admitsCommands,
      let position = intake.nextLoad(limit: settings.commandBatch)
    else { return nil }
    return .inbox(after: position)
  }

  /// Reads the state that the next commands are decided on; nil when none can be decided now.
  ///
  /// Rows that may owe an event are read first, so that a command on such a schedule finds it in memory.
  mutating func takeCommands() -> StoreLane.Work? {
    guard owedEvents.nextPage(settings) == nil, turn.answers.isEmpty, !questions.holdsInbox, batches.admitsCommands
    else { return nil }
    var busy: Busy?  // needed only if a command waits, and mostly none does
    let taken = intake.take(settings.commandBatch, questions: questions.room, batches: &batches) {
      [window, owedEvents, review] id in
      let known = busy ?? Busy(window, owedEvents, review)
      busy = known
      return known.contains(id)
    }
    return taken.isEmpty ? nil : .lookUp(taken, channel: intake.channel)
  }

  /// Decides a batch in order; each command sees the changes of those before it.
  mutating func decideCommands(_ batch: [ReceivedCommand], on channel: UInt64?, view: BatchView) {
    var view = view
    var notYet: [ReceivedCommand] = []
    for received in batch {
      // The channel has closed meanwhile: its commands will be redelivered under other tags.
      if case .delivery = received.source, channel != intake.channel { continue }
      switch received.content {
      case .malformed(let rejection):
        reportPoison(received)
        answer(received, on: channel, with: .malformed(rejection, origin: received.origin))
      case .ownEvent:
        turn.report(.ownEventDropped)
        deadLetter(received.source, on: channel)
      case .command(let command, let key):
        if let existing = view.schedules[command.id], hasPauseThatIsOver(existing, view) {
          notYet.append(received)
        } else if let existing = view.schedules[command.id], !existing.owed.isEmpty {
          if !view.changed.contains(command.id) { enqueueOwed(existing, isAwaited: true) }
          notYet.append(received)
        } else {
          let decision = decide(command, key: key, of: received, view: &view)
          if case .member(let member) = received.source {
            batches.line.decided(member, bytes: decision.event.payloadBytes)
          }
          turn.change(decision.changes)
          answer(received, on: channel, with: decision)
        }
      case .batch(let command, let key):
        decideBatch(Batches.Held(received: received, command: command, key: key, channel: channel), view: view)
      case .question(let question, let address):
        questions.add(
          Questions.Item(
            question: question, address: address, origin: received.origin, source: received.source, channel: channel))
      case .redelivered: assertionFailure("a redelivered command is decoded when it is loaded from the inbox")
      }
    }
    intake.putBack(notYet, on: channel)
    batches.line.putBack(notYet.compactMap { if case .member(let member) = $0.source { member } else { nil } })
    announce(turn.takeAnswersWithoutChanges())  // rejections and duplicates
    if turn.changes.isEmpty { questions.changesAreStored() }
  }

  /// Whether the pause of a schedule is over and was not ended yet, for example since the service was down. That comes
  /// first, and a command on the schedule waits until its Schedule Resumed is confirmed.
  private mutating func hasPauseThatIsOver(_ existing: Schedule, _ view: BatchView) -> Bool {
    guard existing.isPaused, !view.changed.contains(existing.id), let zone = rules(of: existing.definition) else {
      return false
    }
    return isEndingPause(of: existing) || endPause(of: existing, in: zone)
  }

  /// Whether the end of a pause is about to be stored: an earlier command of the batch has found it.
  private func isEndingPause(of existing: Schedule) -> Bool {
    if review.movingIDs.contains(existing.id) { return true }
    if case .advancing? = window[existing.generation]?.phase { return true }
    return false
  }

  private mutating func reportPoison(_ received: ReceivedCommand) {
    guard case .inbox(let position) = received.source, let tries = intake.inbox.deaths(of: position) else { return }
    turn.report(.commandPoisoned(tries: tries))
  }

  mutating func answer(_ received: ReceivedCommand, on channel: UInt64?, with decision: CommandDecision) {
    turn.answer(
      Turn.Answer(source: received.source, channel: channel, decision: decision, replyTo: received.replyTo))
    intake.decided(received.source, decision.settlement)
  }

  /// The changes of these answers are stored: their outcomes are published.
  mutating func announce(_ answers: [Turn.Answer]) {
    for answer in answers {
      let decision = answer.decision
      report(decision.event)
      publications.enqueue(
        .answer(answer.source, channel: answer.channel, decision.settlement), .event(decision.event),
        origin: decision.origin)
      if let address = answer.replyTo {
        turn.reply(Reply(to: address, .event(decision.event), origin: decision.origin))
      }
    }
  }

  /// The outcome of a command is confirmed: the command is settled.
  mutating func outcomeConfirmed(
    _ source: CommandSource, on channel: UInt64?, _ settlement: Acknowledgements.Settlement
  ) {
    switch (source, settlement) {
    case (.member(let member), _): outcomeConfirmed(member)
    case (_, .deadLetter): deadLetter(source, on: channel)
    case (.delivery(let tag), .acknowledge): intake.settle(tag, on: channel, .acknowledge)
    case (.inbox(let position), .acknowledge): turn.change(.inbox(intake.remove(position)))
    }
  }

  /// Moves a command to the dead queue. The broker moves its own deliveries; a command of the inbox is published there.
  private mutating func deadLetter(_ source: CommandSource, on channel: UInt64?) {
    switch source {
    case .delivery(let tag): intake.settle(tag, on: channel, .deadLetter)
    case .inbox(let position):
      guard let raw = intake.inbox.raw(of: position) else { return }
      publications.enqueue(.deadLetter(position), .deadLetter(raw), origin: Origin())
    case .member: break
    }
  }

  private mutating func report(_ event: OutgoingEvent) {
    switch event {
    case .started(let started): turn.report(.scheduleStarted(started.definition.id, started.effect))
    case .stopped(let stopped): turn.report(.scheduleStopped(stopped.id, reason: stopped.reason, byCommand: true))
    case .controlled(let controlled):
      switch controlled.effect {
      case .paused: turn.report(.schedulePaused(controlled.id, until: controlled.pause?.until))
      case .resumed: turn.report(.scheduleResumed(controlled.id, byCommand: true))
      case .triggered: turn.report(.scheduleTriggered(controlled.id))
      case .updated(let changed, _): turn.report(.scheduleUpdated(controlled.id, changed: changed))
      }
    case .batchDone(let done): turn.report(.batchDone(done))
    case .rejected(let rejection): turn.report(.commandRejected(rejection))
    case .tick: break
    }
  }
}
