import Recurrence

/// The rule of Schedule Start.
extension CommandDecision {
  /// Decides a Start that is not a duplicate.
  static func start(
    _ start: Command.Start, existing: Schedule?, generation: Int64, zone: ZoneRules?, origin: Origin,
    beginning: Schedule.Beginning, secret: SipHash.Key
  ) -> (Self, RememberedCommand.Answer) {
    let definition = start.definition
    if let existing, existing.isKept(by: definition, secret: secret) {
      return kept(existing, start, origin: origin, secret: secret)
    }
    if existing?.nextTick != nil, definition.ifExists == .reject {
      return rejectedByState(
        .start(start), field: "ifExists", reason: "a schedule with this id is live, and ifExists is reject",
        origin: origin)
    }
    guard let zone else { return zoneMissing(.start(start), definition, origin: origin) }
    guard let nextTick = definition.firstTick(arrival: beginning.at, time: start.time, in: zone) else {
      return rejected(
        .start(start), field: definition.fieldThatLeavesNoSlot, reason: definition.noSlotReason, origin: origin)
    }
    var schedule = Schedule(
      definition: definition, origin: origin, key: Schedule.Key(generation: generation, beginningAt: nextTick.slot),
      progress: Schedule.Progress(state: .live(nextTick)),
      declaration: Schedule.Declaration(
        digest: definition.digest(secret: secret), isLasting: definition.keepsTheSame),
      control: control(of: start, replacing: existing, at: beginning.at))
    schedule.progress = schedule.heldBack(schedule.progress)
    let effect = existing?.nextTick == nil ? Started.Effect.created : .replaced
    let started = Started(
      definition: definition, generation: generation, counter: 0, nextSlot: schedule.nextSlot, hasEnded: false,
      effect: effect, ignored: start.ignored, revision: schedule.control.revision, isPaused: schedule.isPaused)
    let decision = CommandDecision(
      changes: [.start(schedule, beginning)], replaced: effect == .replaced ? existing?.generation : nil,
      event: .started(started), origin: origin, settlement: .acknowledge)
    return (decision, .started(generation: generation, effect: effect))
  }

  /// The control of a new schedule. Its revision continues that of the row that it replaces. The pause of a live
  /// schedule that it replaces stays, unless the Start has `paused`.
  private static func control(
    of start: Command.Start, replacing existing: Schedule?, at now: Instant
  ) -> Schedule.Control {
    var control = Schedule.Control()
    if let existing, !existing.hasPlainControl || existing.isLive {
      control.revision = existing.control.revision + 1
      control.lastTrigger = existing.control.lastTrigger
    }
    let former = existing.flatMap { $0.isPaused ? $0.control.pause : nil }
    if start.paused ?? (former != nil) { control.pause = former ?? Schedule.Pause(since: now) }
    return control
  }

  /// The decision on a Start that leaves a schedule unchanged.
  private static func kept(
    _ existing: Schedule, _ start: Command.Start, origin: Origin, secret: SipHash.Key
  ) -> (Self, RememberedCommand.Answer) {
    // A schedule from an earlier version gets its digest now.
    let defined = existing.nextTick == nil ? start.definition : existing.definition
    let declaration = Schedule.Declaration(
      digest: existing.declaration.digest ?? defined.digest(secret: secret), isLasting: true)
    let decision = CommandDecision(
      changes: declaration == existing.declaration ? [] : [.declare(existing.key, declaration)],
      event: .started(Started(existing, .kept, for: start, secret: secret)), origin: origin, settlement: .acknowledge)
    return (decision, .started(generation: existing.generation, effect: .kept))
  }
}

extension Started {
  /// The outcome of a Start that left a schedule unchanged, or is a duplicate.
  init(_ schedule: Schedule, _ effect: Effect, for start: Command.Start, secret: SipHash.Key) {
    self.init(
      definition: schedule.definition(answering: start, isLive: schedule.isLive, secret: secret),
      generation: schedule.generation, counter: schedule.counter, nextSlot: schedule.nextSlot,
      hasEnded: !schedule.isLive, effect: effect, ignored: start.ignored, revision: schedule.control.revision,
      isPaused: schedule.isPaused)
  }
}

extension Schedule {
  /// Its definition. The row of an ended schedule has lost its payload; a Start that declares the same still has it.
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
  /// Whether a Start leaves this schedule unchanged: a live one, or one that ended automatically and is declared again.
  fileprivate func isKept(by definition: Definition, secret: SipHash.Key) -> Bool {
    switch (definition.ifExists, state) {
    case (.keep, .live): true
    case (.replaceIfChanged, .live): isDeclared(by: definition, secret: secret)
    case (.keep, .ended(let ending)), (.replaceIfChanged, .ended(let ending)):
      ending.kind.isAutomatic && isDeclared(by: definition, secret: secret)
    case (.replace, _), (.reject, _), (nil, _): false
    }
  }

  /// Whether a definition is the same as that of its last Start. If the digest of that is not known (a schedule from an
  /// earlier version), the stored fields are compared; if it has ended, without the payload, which may be gone.
  fileprivate func isDeclared(by definition: Definition, secret: SipHash.Key) -> Bool {
    guard let digest = declaration.digest else {
      return definition.asksForTheSame(as: self.definition, payload: nextTick != nil)
    }
    return definition.digest(secret: secret) == digest
  }
}

extension Definition {
  var fieldThatLeavesNoSlot: String {
    if case .at(let instant) = timing, let startDate, instant < startDate { return "startDate" }
    if endDate != nil { return "endDate" }
    return switch timing {
    case .cron: "cron"
    case .every: "every"
    case .at, .duration: "startDate"
    }
  }

  var noSlotReason: String {
    switch timing {
    case .cron, .every: endDate == nil ? "no slot is left after now" : "no slot is left between now and endDate"
    case .at, .duration: "the tick would fall outside of startDate and endDate"
    }
  }
}
