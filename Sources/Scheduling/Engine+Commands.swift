import Recurrence

/// From a delivered command to its settled delivery.
extension Engine {
  /// A look at what is stored about the commands that can be decided now; nil when there are none.
  mutating func takeCommands() -> StoreWork? {
    guard let channel = commands.channel, !commands.isEmpty else { return nil }
    guard owedCursor == nil || owing.count >= settings.maximumOwing, pendingAnswers.isEmpty else { return nil }
    let taken = commands.take(settings.commandBatch, unless: isBusy)
    return taken.isEmpty ? nil : .look(taken, channel: channel)
  }

  /// What must be known to decide these commands: their schedules, and whether they were answered before.
  func lookRequest(for commands: [ReceivedCommand]) -> StoreRequest {
    var ids: [ScheduleID] = []
    var keys: [CommandKey] = []
    for command in commands {
      guard case .command(let command, let key) = command.content else { continue }
      ids.append(command.id)
      if let key { keys.append(key) }
    }
    return .look(ids: ids, keys: keys)
  }

  /// Decides a batch in order; each command sees what those before it changed.
  mutating func decideCommands(
    _ batch: [ReceivedCommand], on channel: UInt64, schedules: [Schedule?], remembered: [RememberedCommand?],
    at now: Now
  ) {
    guard channel == commands.channel else { return }  // it closed meanwhile: they will come again, under other tags
    var known = Known(commands: batch, schedules: schedules, remembered: remembered)
    var notYet: [ReceivedCommand] = []
    for received in batch {
      switch received.content {
      case .malformed(let rejection):
        answer(received, on: channel, with: .malformed(rejection, origin: received.origin))
      case .ownEvent:
        reports.append(.ownEventDropped)
        commands.settle(received.tag, on: channel, .deadLetter)
      case .command(let command, let key):
        if let ended = known.schedules[command.id], ended.ending?.owesStopped == true {
          oweStopped(ended)
          notYet.append(received)
        } else {
          let decision = decide(command, key: key, of: received, known: &known, at: now)
          pendingChanges += decision.changes
          answer(received, on: channel, with: decision)
        }
      }
    }
    commands.putBack(notYet, on: channel)
    if pendingChanges.isEmpty {
      announce(pendingAnswers)  // rejections and repeats: there is nothing to store
      pendingAnswers = []
    }
  }

  private mutating func decide(
    _ command: Command, key: CommandKey?, of received: ReceivedCommand, known: inout Known, at now: Now
  ) -> CommandDecision {
    let existing = known.schedules[command.id]
    let isBehindAnother = received.isRedelivered && commands.appliedAgain.contains(command.id)
    if let key, !isBehindAnother, let answered = known.answers[key] {
      commands.answered(received.tag, at: answered.at)
      return .repeated(command, answered.answer, existing: existing, origin: received.origin, secret: secret)
    }
    if key == nil, received.isRedelivered { commands.noteAppliedAgain(command.id) }
    var (decision, answer) = decideNew(command, existing: existing, of: received, at: now.wall)
    known.apply(decision.changes, to: command.id)
    if let key {
      let answered = RememberedCommand(key: key, at: now.wall, answer: answer)
      commands.answered(received.tag, at: answered.at)
      decision.changes.append(.remember(answered))
      known.answers[key] = answered
    }
    return decision
  }

  private mutating func decideNew(
    _ command: Command, existing: Schedule?, of received: ReceivedCommand, at now: Instant
  ) -> (CommandDecision, RememberedCommand.Answer) {
    switch command {
    case .start(let start):
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

  private mutating func answer(_ received: ReceivedCommand, on channel: UInt64, with decision: CommandDecision) {
    pendingAnswers.append(PendingAnswer(channel: channel, tag: received.tag, decision: decision))
  }

  /// The changes of these answers are stored: they may be published.
  mutating func announce(_ answers: [PendingAnswer]) {
    for answer in answers {
      let decision = answer.decision
      report(decision.event)
      publications.enqueue(
        .answer(channel: answer.channel, tag: answer.tag, decision.settlement), decision.event, origin: decision.origin)
    }
  }

  private mutating func report(_ event: OutgoingEvent) {
    switch event {
    case .started(let started): reports.append(.scheduleStarted(started.definition.id, started.effect))
    case .stopped(let stopped):
      reports.append(.scheduleStopped(stopped.id, reason: stopped.reason, byCommand: true))
    case .rejected(let rejection): reports.append(.commandRejected(rejection))
    case .tick: break
    }
  }

  /// The rules of a definition's zone; UTC when it names none.
  func rules(of definition: Definition) -> ZoneRules? {
    definition.timezone.map(zones) ?? .utc
  }
}

/// What is known while a batch is decided: the store's answer, then what the batch itself changes.
private struct Known {
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
      case .proceed(_, _, let progress, _): schedules[id]?.progress = progress
      case .declare(_, let declaration): schedules[id]?.declare(declaration)
      case .announced, .remember, .markInDoubt, .followRules: break
      }
    }
  }
}
