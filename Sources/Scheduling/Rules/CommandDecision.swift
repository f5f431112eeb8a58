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
        .rejected(Rejection(id: command.id, command: command.name.rawValue, field: field, reason: reason))
      case (.started, .stop), (.stopped, .start):
        // The key covers the body, so a Start is never remembered as a Stop; told apart all the same.
        .rejected(
          Rejection(
            id: command.id, command: command.name.rawValue, field: "body", reason: "another command has this key"))
      }
    return CommandDecision(event: event, origin: origin, settlement: settlement(of: answer))
  }

  /// A command refused for the state is answered and done with; one refused for what it is goes to the dead queue.
  private static func settlement(of answer: RememberedCommand.Answer) -> Acknowledgements.Settlement {
    guard case .rejected(let field, _) = answer else { return .acknowledge }
    return fieldsOfState.contains(field) ? .acknowledge : .deadLetter
  }

  static let noSuchScheduleField = "id"
  static let existsField = "ifExists"
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

  static func rejected(
    _ command: Command, field: String, reason: String, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    rejected(Rejection(id: command.id, command: command.name.rawValue, field: field, reason: reason), origin: origin)
  }

  static func rejected(_ rejection: Rejection, origin: Origin) -> (Self, RememberedCommand.Answer) {
    let answer = RememberedCommand.Answer.rejected(field: rejection.field, reason: rejection.reason)
    return (CommandDecision(event: .rejected(rejection), origin: origin, settlement: settlement(of: answer)), answer)
  }
}
