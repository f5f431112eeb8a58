import Recurrence

/// Command path: from delivery to settlement.
extension Engine {
  /// Loads the next page of the inbox, unless changes of the inbox are still to be stored.
  func inboxWork() -> StoreLane.Work? {
    guard turn.changes.isEmpty, !questions.holdsInbox, let position = intake.nextLoad(limit: settings.commandBatch)
    else { return nil }
    return .inbox(after: position)
  }

  /// Reads the state that the next commands are decided on; nil when none can be decided now.
  ///
  /// Rows that may owe an event are read first, so that a command on such a schedule finds it in memory.
  mutating func takeCommands() -> StoreLane.Work? {
    guard owedEvents.nextPage(settings) == nil, turn.answers.isEmpty, !questions.holdsInbox else { return nil }
    let taken = intake.take(settings.commandBatch, questions: questions.room) {
      [busy = Busy(window, owedEvents, review)] in busy.contains($0)
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
          turn.change(decision.changes)
          answer(received, on: channel, with: decision)
        }
      case .question(let question, let address):
        questions.add(
          Questions.Item(
            question: question, address: address, origin: received.origin, source: received.source, channel: channel))
      case .redelivered: assertionFailure("a redelivered command is decoded when it is loaded from the inbox")
      }
    }
    intake.putBack(notYet, on: channel)
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

  private mutating func decide(
    _ command: Command, key: CommandKey?, of received: ReceivedCommand, view: inout BatchView
  ) -> CommandDecision {
    let existing = view.schedules[command.id]
    if let answer = earlierAnswer(to: command, key: key, from: received.source, view: view) {
      var decision = CommandDecision.repeated(
        command, answer, existing: existing, origin: received.origin, secret: secret)
      // Stored in the row, too: if later commands have to be applied again after a crash, this one does not.
      if case .inbox(let position) = received.source, intake.inbox.answer(of: position) == nil {
        decision.changes.append(.inbox(.answered(position, answer)))
      }
      return decision
    }
    var (decision, answer) = decideNew(
      command.appliedAgain(after: key.flatMap { view.answers[$0]?.answer }), existing: existing, of: received)
    view.apply(decision.changes, to: command.id)
    if case .inbox(let position) = received.source {
      decision.changes.append(.inbox(.answered(position, answer)))
      if key == nil { decision.changes.append(.inbox(intake.reapply(command.id))) }
    }
    if let key {
      let answered = RememberedCommand(key: key, at: turn.now.wall, answer: answer)
      intake.answered(received.source, at: answered.at)
      decision.changes.append(.remember(answered))
      view.answers[key] = answered
    }
    return decision
  }

  /// The earlier answer to a command; nil if the command is to be applied.
  private mutating func earlierAnswer(
    to command: Command, key: CommandKey?, from source: CommandSource, view: BatchView
  ) -> RememberedCommand.Answer? {
    if case .inbox(let position) = source {
      if let answer = intake.inbox.answer(of: position) { return answer }
      // A triggered tick does not depend on what came before it.
      if intake.inbox.mustApply(command.id, at: position), command.name != .trigger { return nil }
    }
    guard let key, let answered = view.answers[key] else { return nil }
    intake.answered(source, at: answered.at)
    return answered.answer
  }

  private mutating func decideNew(
    _ command: Command, existing: Schedule?, of received: ReceivedCommand
  ) -> (CommandDecision, RememberedCommand.Answer) {
    switch command {
    case .start(let start):
      if let rejection = sizeLimit.refusal(of: command, start.definition, ignored: start.ignored) {
        return CommandDecision.rejected(rejection, origin: received.origin)
      }
      let result = CommandDecision.start(
        start, existing: existing, generation: lastGeneration + 1, zone: rules(of: start.definition),
        origin: received.origin, beginning: Schedule.Beginning(at: turn.now.wall, userID: received.userID),
        secret: secret)
      for case .start(let schedule, _) in result.0.changes {
        assert(schedule.generation == lastGeneration + 1, "generations grow by one")
        lastGeneration = schedule.generation
      }
      return result
    case .stop(let stop):
      return CommandDecision.stop(stop, existing: existing, origin: received.origin, now: turn.now.wall)
    case .pause(let pause):
      return CommandDecision.pause(
        pause, existing: existing, mayHaveBeenSent: existing.map(mayHaveBeenSent) ?? false, origin: received.origin,
        now: turn.now.wall)
    case .resume(let resume):
      return CommandDecision.resume(
        resume, existing: existing, zone: existing.flatMap { rules(of: $0.definition) }, origin: received.origin,
        now: turn.now.wall)
    case .trigger(let trigger):
      if var definition = existing?.definition {
        definition.payload = trigger.payload ?? definition.payload
        if let rejection = sizeLimit.refusal(of: command, definition) {
          return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
        }
      }
      return CommandDecision.trigger(trigger, existing: existing, origin: received.origin, now: turn.now.wall)
    case .update(let update):
      if let definition = existing.map({ update.change.applied(to: $0.definition) }),
        let rejection = sizeLimit.refusal(of: command, definition, ignored: update.ignored)
      {
        return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
      }
      return CommandDecision.update(
        update, existing: existing, mayHaveBeenSent: existing.map(mayHaveBeenSent) ?? false, zones: rules,
        origin: received.origin, now: turn.now.wall, secret: secret)
    }
  }

  private mutating func answer(_ received: ReceivedCommand, on channel: UInt64?, with decision: CommandDecision) {
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
    case .rejected(let rejection): turn.report(.commandRejected(rejection))
    case .tick: break
    }
  }

  /// The rules of a definition's zone; UTC when it names none.
  func rules(of definition: Definition) -> ZoneRules? {
    definition.timezone.map(zones) ?? .utc
  }
}

extension Command {
  /// The command, if it has to be applied again after an earlier one without `message_id`: an Update that was accepted
  /// does not ask for its revision any more.
  fileprivate func appliedAgain(after answer: RememberedCommand.Answer?) -> Command {
    guard case .controlled? = answer, case .update(var update) = self else { return self }
    update.ifRevision = nil
    return .update(update)
  }
}
