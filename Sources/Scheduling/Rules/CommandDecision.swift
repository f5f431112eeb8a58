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
      case (.controlled(let generation), .pause), (.controlled(let generation), .resume),
        (.controlled(let generation), .trigger), (.controlled(let generation), .update):
        .controlled(controlledAgain(command, generation: generation, existing: existing))
      case (.rejected(let field, let reason, _), _):
        .rejected(Rejection(id: command.id, command: command.name.rawValue, field: field, reason: reason))
      case (.started, _), (.stopped, _), (.controlled, _), (.batch, _):
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
    guard case .rejected(_, _, let isOfState) = answer else { return .acknowledge }
    return isOfState ? .acknowledge : .deadLetter
  }

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

  private static func controlledAgain(_ command: Command, generation: Int64, existing: Schedule?) -> Controlled {
    let effect: Controlled.Effect =
      switch command {
      case .resume(let resume): .resumed(missed: 0, reason: resume.reason)
      case .trigger: .triggered(nil)
      case .update(let update): .updated(changed: [], ignored: update.ignored)
      case .pause, .start, .stop: .paused
      }
    // A schedule started under the id since then is not the one that the command was about.
    let isSame = existing?.generation == generation
    var controlled =
      existing.flatMap { isSame ? Controlled(effect, $0) : nil }
      ?? Controlled(effect, goneID: command.id, generation: generation)
    controlled.isRepeated = true
    return controlled
  }

  /// A command that is rejected because of the stored state.
  static func rejectedByState(
    _ command: Command, field: String, reason: String, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    rejected(command, field: field, reason: reason, isOfState: true, origin: origin)
  }

  /// A command on a schedule that is not live.
  static func noSuchSchedule(_ command: Command, origin: Origin) -> (Self, RememberedCommand.Answer) {
    rejectedByState(
      command, field: "id", reason: "no such schedule: nothing is scheduled under this id", origin: origin)
  }

  static func rejected(
    _ command: Command, field: String, reason: String, isOfState: Bool = false, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    let rejection = Rejection(id: command.id, command: command.name.rawValue, field: field, reason: reason)
    return rejected(rejection, isOfState: isOfState, origin: origin)
  }

  static func rejected(
    _ rejection: Rejection, isOfState: Bool = false, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    let answer = RememberedCommand.Answer.rejected(
      field: rejection.field, reason: rejection.reason, isOfState: isOfState)
    return (CommandDecision(event: .rejected(rejection), origin: origin, settlement: settlement(of: answer)), answer)
  }

  /// The rules of its time zone cannot be read.
  static func zoneMissing(
    _ command: Command, _ definition: Definition, isOfState: Bool = false, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    let name = definition.timezone ?? "UTC"
    return rejected(
      command, field: "timezone", reason: "the rules of time zone \(name) cannot be read on this machine now",
      isOfState: isOfState, origin: origin)
  }

  /// A command that changes a live schedule and is answered with it.
  static func controlled(
    _ effect: Controlled.Effect, _ before: Schedule, to after: Schedule, isRedefined: Bool = false,
    adding tally: Schedule.Tally = Schedule.Tally(), origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    var changes: [Change] = []
    if after != before, let slot = before.nextTick?.slot {
      changes = [.revise(after, from: slot, isRedefined: isRedefined, adding: tally)]
    }
    let decision = CommandDecision(
      changes: changes, event: .controlled(Controlled(effect, after)), origin: origin.tracing(before),
      settlement: .acknowledge)
    return (decision, .controlled(generation: before.generation))
  }
}

extension Origin {
  /// The origin of a command's outcome: the correlation is the command's, the owner and the trace the schedule's.
  func tracing(_ schedule: Schedule) -> Origin {
    Origin(
      messageID: messageID, userID: schedule.origin.userID, traceparent: schedule.origin.traceparent,
      tracestate: schedule.origin.tracestate)
  }
}
