import Recurrence

/// The decision of one command: answered before, or by the rule of its kind.
extension Engine {
  mutating func decide(
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
    if case .member(let member) = received.source { decided(member, &decision, answer) }
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
    if case .member(let member) = source { return batches.line.answer(of: member) }
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
      if let rejection = rejection(of: command, start.definition, sender: received.origin.userID) {
        return CommandDecision.rejected(rejection, origin: received.origin)
      }
      let result = CommandDecision.start(
        start, existing: existing, generation: lastGeneration + 1, zone: rules(of: start.definition),
        origin: received.origin, beginning: Schedule.Beginning(at: turn.now.wall), secret: secret)
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
        if trigger.payload != nil,
          let rejection = rejection(of: command, definition, sender: received.origin.userID)
        {
          return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
        }
        definition.payload = trigger.payload ?? definition.payload
        if let rejection = sizeLimit.refusal(of: command, definition) {
          return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
        }
      }
      return CommandDecision.trigger(trigger, existing: existing, origin: received.origin, now: turn.now.wall)
    case .update(let update):
      if let existing, let rejection = rejection(of: command, update, existing, sender: received.origin.userID) {
        return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
      }
      if let definition = existing.map({ update.change.applied(to: $0.definition) }),
        let rejection = sizeLimit.refusal(of: command, definition, ignored: update.ignored)
      {
        return CommandDecision.rejected(rejection, isOfState: true, origin: received.origin)
      }
      return CommandDecision.update(
        update, existing: existing, mayHaveBeenSent: existing.map(mayHaveBeenSent) ?? false, zones: rules,
        origin: received.origin, now: turn.now.wall, latestWall: clock.latestWall, secret: secret)
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
