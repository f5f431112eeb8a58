import Recurrence

/// The rule of a Schedule Stop, Pause or Resume that selects by group or prefix.
extension CommandDecision {
  /// Rejects a batch command that no schedule could accept; nil if it is to be applied.
  static func refusal(of command: BatchCommand, origin: Origin, now: Instant) -> (Self, RememberedCommand.Answer)? {
    guard case .pause(let end?, _, let time) = command.action,
      let reason = refusal(ofEnd: end.instant(from: time, at: now), at: now)
    else { return nil }
    return rejected(command, field: end.field, reason: reason, isOfState: false, origin: origin)
  }

  /// More schedules match than the command admits.
  static func tooManyMatch(_ command: BatchCommand, origin: Origin) -> (Self, RememberedCommand.Answer) {
    let reason = "more than \(command.maximum) schedules match, so nothing was done: select fewer, or raise max"
    return rejected(command, field: command.selector.field, reason: reason, isOfState: true, origin: origin)
  }

  private static func rejected(
    _ command: BatchCommand, field: String, reason: String, isOfState: Bool, origin: Origin
  ) -> (Self, RememberedCommand.Answer) {
    rejected(
      Rejection(command: command.name.rawValue, field: field, reason: reason), isOfState: isOfState, origin: origin)
  }

  /// The outcome of a batch command that is done, and of its duplicates.
  static func done(_ command: BatchCommand, _ counts: BatchCounts, origin: Origin) -> Self {
    CommandDecision(
      event: .batchDone(BatchDone(command: command.name, selector: command.selector, counts: counts)),
      origin: origin, settlement: .acknowledge)
  }

  /// A duplicate of an answered batch command.
  static func repeated(_ command: BatchCommand, _ answer: RememberedCommand.Answer, origin: Origin) -> Self {
    switch answer {
    case .batch(let counts): return done(command, counts, origin: origin)
    case .rejected(let field, let reason, let isOfState):
      return rejected(command, field: field, reason: reason, isOfState: isOfState, origin: origin).0
    case .started, .stopped, .controlled:  // cannot happen, since the key covers the body
      return rejected(command, field: "body", reason: "another command has this key", isOfState: false, origin: origin)
        .0
    }
  }
}

extension BatchCommand {
  /// The command as of now: a pause that lasts for a while ends at the same instant for all members.
  func resolved(at now: Instant) -> BatchCommand {
    guard case .pause(let end?, let reason, let time) = action else { return self }
    var resolved = self
    resolved.action = .pause(end: .until(end.instant(from: time, at: now)), reason: reason, time: nil)
    return resolved
  }
}
