import Recurrence

/// The decision on one command, by the rules of the contract and the stored state.
struct CommandDecision {
  var changes: [Change] = []
  /// The generation of the live schedule that is replaced.
  var replaced: Int64?
  var event: OutgoingEvent
  var origin: Origin
  var settlement: Acknowledgements.Settlement
}

extension CommandDecision {
  /// A command that is rejected whatever the stored state.
  static func malformed(_ rejection: Rejection, origin: Origin) -> Self {
    CommandDecision(event: .rejected(rejection), origin: origin, settlement: .deadLetter)
  }

  /// A duplicate of an answered command: it has no further effect, and its outcome describes the schedule as it is now.
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
        // Cannot happen, since the key covers the body.
        .rejected(
          Rejection(
            id: command.id, command: command.name.rawValue, field: "body", reason: "another command has this key"))
      }
    return CommandDecision(event: event, origin: origin, settlement: settlement(of: answer))
  }

  /// A command that is rejected because of the stored state is acknowledged; any other rejected command is
  /// dead-lettered.
  private static func settlement(of answer: RememberedCommand.Answer) -> Acknowledgements.Settlement {
    guard case .rejected(let field, _) = answer else { return .acknowledge }
    return fieldsOfState.contains(field) ? .acknowledge : .deadLetter
  }

  static let noSuchScheduleField = "id"
  static let existsField = "ifExists"
  /// Rejections that name one of these fields depend on the stored state.
  private static let fieldsOfState = [noSuchScheduleField, existsField]

  private static func startedAgain(
    _ start: Command.Start, generation: Int64, effect: Started.Effect, existing: Schedule?, secret: SipHash.Key
  ) -> Started {
    var started: Started
    if let existing {
      started = Started(existing, effect, for: start, secret: secret)
      // The row of an ended schedule has lost its payload; the command that created it still has it.
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
    // A schedule started under the id since then is not the one that was stopped.
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
