import Recurrence

/// From a delivered command to its settled delivery.
extension Engine {
  /// The next page of the inbox, once all that is to be written to it is.
  mutating func inboxWork() -> StoreWork? {
    guard pendingChanges.isEmpty, let position = intake.nextLoad(limit: settings.commandBatch) else { return nil }
    return .inbox(after: position)
  }

  /// A look at what is stored about the commands that can be decided now; nil when there are none.
  mutating func takeCommands() -> StoreWork? {
    guard endNotices.nextPage(settings) == nil, pendingAnswers.isEmpty else { return nil }
    let taken = intake.take(settings.commandBatch, unless: isBusy)
    return taken.isEmpty ? nil : .look(taken, channel: intake.channel)
  }

  /// What must be known to decide these commands: their schedules, and whether they were answered before.
  func lookRequest(for taken: InboxLine.Taken) -> StoreRequest {
    var ids: [ScheduleID] = []
    var keys: [CommandKey] = []
    for command in taken.commands {
      guard case .command(let command, let key) = command.content else { continue }
      ids.append(command.id)
      if let key { keys.append(key) }
    }
    return .look(ids: ids, keys: keys, tried: taken.uncounted, passedOver: taken.passedOver)
  }

  /// Decides a batch in order; each command sees what those before it changed.
  mutating func decideCommands(
    _ batch: [ReceivedCommand], on channel: UInt64?, schedules: [Schedule?], remembered: [RememberedCommand?],
    at now: Now
  ) {
    var known = BatchView(commands: batch, schedules: schedules, remembered: remembered)
    var notYet: [ReceivedCommand] = []
    for received in batch {
      // A channel that closed meanwhile: its commands will come again, under other tags.
      if case .delivery = received.source, channel != intake.channel { continue }
      switch received.content {
      case .malformed(let rejection):
        noteTries(of: received)
        answer(received, on: channel, with: .malformed(rejection, origin: received.origin))
      case .ownEvent:
        reports.append(.ownEventDropped)
        deadLetter(received.source, on: channel)
      case .command(let command, let key):
        if let ended = known.schedules[command.id], ended.ending?.owesStopped == true {
          enqueueStopped(ended, isAwaited: true)
          notYet.append(received)
        } else {
          let decision = decide(command, key: key, of: received, known: &known, at: now)
          pendingChanges += decision.changes
          answer(received, on: channel, with: decision)
        }
      case .redelivered: break  // goes to the inbox and is decoded from there
      }
    }
    intake.putBack(notYet, on: channel)
    if pendingChanges.isEmpty {
      announce(pendingAnswers)  // rejections and repeats: there is nothing to store
      pendingAnswers = []
    }
  }

  private mutating func noteTries(of received: ReceivedCommand) {
    guard case .inbox(let position) = received.source, let tries = intake.inbox.deaths(of: position) else { return }
    reports.append(.commandPoisoned(tries: tries))
  }

  private mutating func decide(
    _ command: Command, key: CommandKey?, of received: ReceivedCommand, known: inout BatchView, at now: Now
  ) -> CommandDecision {
    let existing = known.schedules[command.id]
    if let answer = earlierAnswer(to: command, key: key, from: received.source, known: known) {
      var decision = CommandDecision.repeated(
        command, answer, existing: existing, origin: received.origin, secret: secret)
      // Kept by the row, too: should what is behind it be applied again after a crash, this one is not.
      if case .inbox(let position) = received.source, intake.inbox.answer(of: position) == nil {
        decision.changes.append(.inbox(.answered(position, answer)))
      }
      return decision
    }
    var (decision, answer) = decideNew(command, existing: existing, of: received, at: now.wall)
    known.apply(decision.changes, to: command.id)
    if case .inbox(let position) = received.source {
      decision.changes.append(.inbox(.answered(position, answer)))
      if key == nil { decision.changes.append(.inbox(intake.reapply(command.id))) }
    }
    if let key {
      let answered = RememberedCommand(key: key, at: now.wall, answer: answer)
      intake.answered(received.source, at: answered.at)
      decision.changes.append(.remember(answered))
      known.answers[key] = answered
    }
    return decision
  }

  /// What a command was answered before, if it need not be applied.
  private mutating func earlierAnswer(
    to command: Command, key: CommandKey?, from source: CommandSource, known: BatchView
  ) -> RememberedCommand.Answer? {
    if case .inbox(let position) = source {
      if let answer = intake.inbox.answer(of: position) { return answer }
      if intake.inbox.mustApply(command.id, at: position) { return nil }
    }
    guard let key, let answered = known.answers[key] else { return nil }
    intake.answered(source, at: answered.at)
    return answered.answer
  }

  private mutating func decideNew(
    _ command: Command, existing: Schedule?, of received: ReceivedCommand, at now: Instant
  ) -> (CommandDecision, RememberedCommand.Answer) {
    switch command {
    case .start(let start):
      if let reason = oversize(start) {
        let field = start.definition.payload == nil ? "body" : "payload"
        return CommandDecision.rejected(command, field: field, reason: reason, origin: received.origin)
      }
      let result = CommandDecision.start(
        start, existing: existing, generation: lastGeneration + 1, zone: rules(of: start.definition),
        origin: received.origin, beginning: Schedule.Beginning(at: now, userID: received.userID),
        secret: secret)
      for case .start in result.0.changes { lastGeneration += 1 }
      return result
    case .stop(let stop):
      return CommandDecision.stop(stop, existing: existing, origin: received.origin, now: now)
    }
  }

  private mutating func answer(_ received: ReceivedCommand, on channel: UInt64?, with decision: CommandDecision) {
    pendingAnswers.append(PendingAnswer(source: received.source, channel: channel, decision: decision))
    intake.decided(received.source, decision.settlement)
  }

  /// The changes of these answers are stored: they may be published.
  mutating func announce(_ answers: [PendingAnswer]) {
    for answer in answers {
      let decision = answer.decision
      report(decision.event)
      publications.enqueue(
        .answer(answer.source, channel: answer.channel, decision.settlement), decision.event, origin: decision.origin)
    }
  }

  /// The outcome of a command is confirmed: nothing needs the command any more.
  mutating func outcomeConfirmed(
    _ source: CommandSource, on channel: UInt64?, _ settlement: Acknowledgements.Settlement
  ) {
    switch (source, settlement) {
    case (_, .deadLetter): deadLetter(source, on: channel)
    case (.delivery(let tag), .acknowledge): intake.settle(tag, on: channel, .acknowledge)
    case (.inbox(let position), .acknowledge): pendingChanges.append(.inbox(intake.remove(position)))
    }
  }

  /// Moves a command to the dead queue. The broker does that with its own message; what it has no more we publish.
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
    case .started(let started): reports.append(.scheduleStarted(started.definition.id, started.effect))
    case .stopped(let stopped):
      reports.append(.scheduleStopped(stopped.id, reason: stopped.reason, byCommand: true))
    case .rejected(let rejection): reports.append(.commandRejected(rejection))
    case .tick, .deadLetter: break
    }
  }

  /// The rules of a definition's zone; UTC when it names none.
  func rules(of definition: Definition) -> ZoneRules? {
    definition.timezone.map(zones) ?? .utc
  }
}

/// What is known while a batch is decided: the store's answer, then what the batch itself changes.
private struct BatchView {
  var schedules: [ScheduleID: Schedule] = [:]
  var answers: [CommandKey: RememberedCommand] = [:]

  init(commands: [ReceivedCommand], schedules found: [Schedule?], remembered: [RememberedCommand?]) {
    for schedule in found {
      if let schedule { schedules[schedule.id] = schedule }
    }
    for command in remembered {
      if let command { answers[command.key] = command }
    }
  }

  mutating func apply(_ changes: [Change], to id: ScheduleID) {
    for change in changes {
      switch change {
      case .start(let schedule, _): schedules[id] = schedule
      case .advance(_, _, let progress, _): schedules[id]?.progress = progress
      case .declare(_, let declaration): schedules[id]?.declare(declaration)
      case .announced, .remember, .markInDoubt, .followRules, .inbox: break
      }
    }
  }
}
