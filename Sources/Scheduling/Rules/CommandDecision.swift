import Recurrence

/// What is to be done about one command: the rule of the contract, given what is stored.
struct CommandDecision {
  var changes: [Change] = []
  /// The generation of the live schedule that makes way.
  var replaced: Int64?
  var event: OutgoingEvent
  var origin: Origin
  var settlement: Acknowledgements.Settlement
}

extension CommandDecision {
  /// A command that was refused for what it is.
  static func malformed(_ rejection: Rejection, origin: Origin) -> Self {
    CommandDecision(event: .rejected(rejection), origin: origin, settlement: .deadLetter)
  }

  /// A command that was answered before: it has no second effect and is answered with the schedule as it is now.
  static func repeated(
    _ command: Command, _ answer: RememberedCommand.Answer, existing: Schedule?, origin: Origin, secret: SipHash.Key
  ) -> Self {
    let event: OutgoingEvent =
      switch (answer, command) {
      case (.started(let generation, let effect), .start(let start)):
        .started(startedAgain(start, generation: generation, effect: effect, existing: existing, secret: secret))
      case (.stopped(let generation), .stop(let stop)):
        .stopped(stoppedAgain(stop, generation: generation, existing: existing))
      case (.rejected(let field, let reason), _):
        .rejected(Rejection(id: command.id, command: command.detailType, field: field, reason: reason))
      case (.started, .stop), (.stopped, .start):
        // The key covers the body, so a Start is never remembered as a Stop; told apart all the same.
        .rejected(
          Rejection(id: command.id, command: command.detailType, field: "body", reason: "another command has this key"))
      }
    return CommandDecision(event: event, origin: origin, settlement: settlement(of: answer))
  }

  /// A command refused for the state is answered and done with; one refused for what it is goes to the dead queue.
  private static func settlement(of answer: RememberedCommand.Answer) -> Acknowledgements.Settlement {
    guard case .rejected(let field, _) = answer else { return .acknowledge }
    return fieldsOfState.contains(field) ? .acknowledge : .deadLetter
  }

  private static let noSuchScheduleField = "id"
  private static let existsField = "ifExists"
  /// A command is refused under these for what is scheduled, under all others for what it is.
  private static let fieldsOfState = [noSuchScheduleField, existsField]

  private static func startedAgain(
    _ start: Command.Start, generation: Int64, effect: Started.Effect, existing: Schedule?, secret: SipHash.Key
  ) -> Started {
    var started: Started
    if let existing {
      started = Started(existing, effect, for: start, secret: secret)
      // A row that ended has lost its payload; the command that made it has it still.
      if existing.generation == generation, effect != .kept { started.definition = start.definition }
    } else {
      started = Started(
        definition: start.definition, generation: generation, counter: 0, nextSlot: nil, effect: effect,
        ignored: start.ignored)
    }
    started.isRepeated = true
    return started
  }

  private static func stoppedAgain(_ stop: Command.Stop, generation: Int64, existing: Schedule?) -> Stopped {
    // What was started under the id since then is not what was stopped.
    let stopped = existing?.generation == generation ? existing : nil
    return Stopped(
      definition: stopped?.definition, id: stop.id, generation: generation, counter: stopped?.counter ?? 0,
      reason: stop.reason, isRepeated: true)
  }

  /// A Start on which nothing is known yet.
  static func start(
    _ start: Command.Start, existing: Schedule?, generation: Int64, zone: ZoneRules?, origin: Origin,
    beginning: Schedule.Beginning, secret: SipHash.Key
  ) -> (Self, RememberedCommand.Answer) {
    let definition = start.definition
    if let existing, existing.isKept(by: definition, secret: secret) {
      return kept(existing, start, origin: origin, secret: secret)
    }
    if existing?.nextTick != nil, definition.ifExists == .reject {
      return rejected(
        .start(start), field: existsField, reason: "a schedule with this id is live, and ifExists is reject",
        origin: origin)
    }
    guard let zone else {
      let name = definition.timezone ?? "UTC"
      return rejected(
        .start(start), field: "timezone", reason: "the rules of time zone \(name) cannot be read on this machine now",
        origin: origin)
    }
    guard let nextTick = definition.firstTick(arrival: beginning.at, time: start.time, in: zone) else {
      return rejected(
        .start(start), field: definition.fieldThatLeavesNoSlot, reason: definition.noSlotReason, origin: origin)
    }
    let schedule = Schedule(
      definition: definition, origin: origin, key: Schedule.Key(generation: generation, beginningAt: nextTick.slot),
      progress: Schedule.Progress(state: .live(nextTick)),
      declaration: Schedule.Declaration(
        digest: definition.digest(secret: secret), isLasting: definition.keepsTheSame))
    let effect = existing?.nextTick == nil ? Started.Effect.created : .replaced
    let started = Started(
      definition: definition, generation: generation, counter: 0, nextSlot: nextTick.slot, effect: effect,
      ignored: start.ignored)
    let decision = CommandDecision(
      changes: [.start(schedule, beginning)], replaced: effect == .replaced ? existing?.generation : nil,
      event: .started(started), origin: origin, settlement: .acknowledge)
    return (decision, .started(generation: generation, effect: effect))
  }

  /// The answer of a Start that leaves a schedule as it is.
  private static func kept(
    _ existing: Schedule, _ start: Command.Start, origin: Origin, secret: SipHash.Key
  ) -> (Self, RememberedCommand.Answer) {
    // Of a schedule from an earlier version the digest is not known: from now on it is.
    let defined = existing.nextTick == nil ? start.definition : existing.definition
    let declaration = Schedule.Declaration(
      digest: existing.declaration.digest ?? defined.digest(secret: secret), isLasting: true)
    let decision = CommandDecision(
      changes: declaration == existing.declaration ? [] : [.declare(existing.key, declaration)],
      event: .started(Started(existing, .kept, for: start, secret: secret)), origin: origin, settlement: .acknowledge)
    return (decision, .started(generation: existing.generation, effect: .kept))
  }

  /// A Stop on which nothing is known yet.
  static func stop(
    _ stop: Command.Stop, existing: Schedule?, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, let nextTick = existing.nextTick else {
      return rejected(
        .stop(stop), field: noSuchScheduleField, reason: "no such schedule: nothing is scheduled under this id",
        origin: origin)
    }
    let ending = Schedule.Ending(reason: stop.reason, at: now, owesStopped: false, kind: .stopped)
    let stopped = Stopped(
      definition: existing.definition, id: stop.id, generation: existing.generation, counter: existing.counter,
      reason: stop.reason)
    let change = Change.advance(
      existing.key, from: nextTick.slot, to: existing.progress.with(state: .ended(ending)))
    // The trace belongs to the schedule, the correlation to the command that is answered.
    let answered = Origin(
      messageID: origin.messageID, traceparent: existing.origin.traceparent, tracestate: existing.origin.tracestate)
    let decision = CommandDecision(
      changes: [change], event: .stopped(stopped), origin: answered, settlement: .acknowledge)
    return (decision, .stopped(generation: existing.generation))
  }

  static func rejected(
    _ command: Command, field: String, reason: String, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    let rejection = Rejection(id: command.id, command: command.detailType, field: field, reason: reason)
    let answer = RememberedCommand.Answer.rejected(field: field, reason: reason)
    return (CommandDecision(event: .rejected(rejection), origin: origin, settlement: settlement(of: answer)), answer)
  }
}

extension Started {
  /// What a schedule is after a Start that left it as it is, or was answered before.
  fileprivate init(_ schedule: Schedule, _ effect: Effect, for start: Command.Start, secret: SipHash.Key) {
    let nextTick = schedule.nextTick
    let next = nextTick.flatMap { $0.isHeld ? nil : $0.slot }
    self.init(
      definition: schedule.definition(answering: start, isLive: nextTick != nil, secret: secret),
      generation: schedule.generation, counter: schedule.counter, nextSlot: next, hasEnded: nextTick == nil,
      effect: effect, ignored: start.ignored)
  }
}

extension Schedule {
  /// Its definition. The row of one that has ended has lost its payload; a Start that declares the same has it still.
  fileprivate func definition(answering start: Command.Start, isLive: Bool, secret: SipHash.Key) -> Definition {
    guard !isLive, definition.payload == nil, isDeclared(by: start.definition, secret: secret) else {
      return definition
    }
    var whole = definition
    whole.payload = start.definition.payload
    return whole
  }
}

extension Schedule {
  /// Whether a Start leaves this schedule as it is: a live one, or one that ended automatically and is declared again.
  fileprivate func isKept(by definition: Definition, secret: SipHash.Key) -> Bool {
    switch (definition.ifExists, state) {
    case (.keep, .live): true
    case (.replaceIfChanged, .live): isDeclared(by: definition, secret: secret)
    case (.keep, .ended(let ending)), (.replaceIfChanged, .ended(let ending)):
      ending.kind.isAutomatic && isDeclared(by: definition, secret: secret)
    case (.replace, _), (.reject, _), (nil, _): false
    }
  }

  /// Whether a definition is that of its last Start. Where the digest of that is not known, of a schedule from an earlier
  /// version, the stored fields are compared, of an ended one without its payload, which may be gone.
  fileprivate func isDeclared(by definition: Definition, secret: SipHash.Key) -> Bool {
    guard let digest = declaration.digest else {
      return definition.asksForTheSame(as: self.definition, payload: nextTick != nil)
    }
    return definition.digest(secret: secret) == digest
  }
}

extension Command {
  /// The event's name on the bus.
  package var detailType: String {
    switch self {
    case .start: "Schedule Start"
    case .stop: "Schedule Stop"
    }
  }
}

extension Definition {
  fileprivate var fieldThatLeavesNoSlot: String {
    if case .at(let instant) = timing, let startDate, instant < startDate { return "startDate" }
    if endDate != nil { return "endDate" }
    return switch timing {
    case .cron: "cron"
    case .every: "every"
    case .at, .duration: "startDate"
    }
  }

  fileprivate var noSlotReason: String {
    switch timing {
    case .cron, .every: endDate == nil ? "no slot is left after now" : "no slot is left between now and endDate"
    case .at, .duration: "the tick would fall outside of startDate and endDate"
    }
  }
}
