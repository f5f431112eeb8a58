import Recurrence
import Scheduling

/// Commands: each gets an outcome and is settled, has one effect, and the last one determines the result.
extension SimulationChecker {
  /// What the checker knows about a command with a key, however many messages carried it.
  struct KeyedCommand {
    var isMixed: Bool
    var copies = 0
    var effects = 0
    /// The messages that took effect, and the answer to each message.
    var effective: Set<Int> = []
    var kinds: [Int: String] = [:]
    /// When its answer was last remembered, and the entry of the history that stored it.
    var remembered: (at: Instant, entry: Int)?
    /// Whether it was once accepted as a control command.
    var isControlled = false
  }

  /// The result of the messages on one id.
  struct Asked {
    /// The last Start or Stop that is not a duplicate; nil when a duplicate may have been applied as a new command.
    var last: (label: Int, command: Command)?
    /// The last Pause, Resume or Update after it.
    var lastControl: (label: Int, command: Command)?
    /// The last of its messages that may have determined something.
    var latest = 0
    /// How many are not settled.
    var open = 0
  }

  mutating func submitted(_ message: SimulatedMessage) {
    messages[message.label] = message
    submitted.append(message.label)
    if case .batch(_, let key) = message.content { keyed[key, default: KeyedCommand(isMixed: false)].copies += 1 }
    guard case .command(let command, let key) = message.content else { return }
    var asked = asked[command.id.bytes] ?? Asked()
    if asked.open == 0 { asked = Asked(last: asked.last, lastControl: asked.lastControl, latest: asked.latest) }
    asked.open += 1
    let isMixed = SimulatedClients.isMixed(command.id)
    if let key { keyed[key, default: KeyedCommand(isMixed: isMixed)].copies += 1 }
    if let key, keyed[key]?.copies ?? 1 > 1 {
      reach(.repeatAnswered)
      if isForgetful { (asked.last, asked.lastControl, asked.latest) = (nil, nil, message.label) }
    } else {
      switch command {
      case .start, .stop: (asked.last, asked.lastControl, asked.latest) = ((message.label, command), nil, message.label)
      case .pause, .resume, .update: (asked.lastControl, asked.latest) = ((message.label, command), message.label)
      case .trigger: break
      }
    }
    self.asked[command.id.bytes] = asked
  }

  /// Whether the repeat window may pass within a run.
  private var isForgetful: Bool { repeatWindow < 50 * 86_400_000 }

  /// What is known about a command with a key. On an id where some commands have no key, it has to be applied again
  /// with those, so nothing is expected of it.
  private func known(_ label: Int) -> (command: KeyedCommand, key: CommandKey)? {
    let key: CommandKey? =
      switch messages[label]?.content {
      case .command(_, let key): key
      case .batch(_, let key): key
      case .malformed, .ownEvent, .poison, nil: nil
      }
    guard let key, let known = keyed[key], !known.isMixed else { return nil }
    return (known, key)
  }

  /// Whether a command may count as new: another message repeats it, and the repeat window has passed by the wall clock
  /// since its answer was remembered. The answer to an unacknowledged command is never removed.
  private func mayBeForgotten(_ known: KeyedCommand) -> Bool {
    guard known.copies > 1, let (at, entry) = known.remembered else { return false }
    return walls[(entry - 1)...].contains { $0.milliseconds - at.milliseconds > repeatWindow }
  }

  /// The same of a Stop, a Pause or an Update, which names the first of its messages.
  mutating func countEffect(of label: Int, on id: ScheduleID) {
    if !isEffectOfBatch(label, on: id) { countEffect(of: label, isItself: false) }
  }

  /// An answered command may have been forgotten.
  mutating func expectForgotten(_ key: CommandKey, _ promise: String, _ text: @autoclosure () -> String) {
    guard let known = keyed[key] else { return }
    expect(mayBeForgotten(known), promise, text())
  }

  /// P2: all messages with the same command have one effect.
  mutating func countEffect(of label: Int, isItself: Bool = true) {
    guard let (known, key) = known(label) else { return }
    keyed[key]?.effects += 1
    let isNew = isItself ? keyed[key]?.effective.insert(label).inserted == true : known.effects < known.copies
    let isFirst = known.effects == 0 || isNew && mayBeForgotten(known)
    expect(isFirst, "P2", "message \(label) took effect \(known.effects + 1) times")
  }

  /// Whether a message with the same command was accepted before, as a Pause, Resume, Trigger or Update.
  func wasAccepted(_ label: Int) -> Bool {
    guard case .command(_, let key?)? = messages[label]?.content else { return false }
    return keyed[key]?.isControlled ?? false
  }

  /// P2: it is decided once.
  mutating func remembered(_ command: RememberedCommand) {
    rememberedBatch(command)
    if let known = keyed[command.key], !known.isMixed, known.remembered != nil, !isRepeatOfBatch(command) {
      expect(mayBeForgotten(known), "P2", "message \(command.key.low) is decided twice")
    }
    keyed[command.key]?.remembered = (command.at, walls.count)
    if case .controlled = command.answer { keyed[command.key]?.isControlled = true }
  }

  /// A batch that was applied again to some schedules is remembered again, as before.
  private func isRepeatOfBatch(_ command: RememberedCommand) -> Bool {
    if case .batch = command.answer { batches.endsRepeat } else { false }
  }

  /// P2: whatever has happened meanwhile, a redelivered message gets the same answer as before, and so does a duplicate
  /// within the repeat window.
  mutating func answered(_ label: Int, _ event: OutgoingEvent) {
    guard !answeredMember(label, event) else { return }
    answers[label, default: []].append(event)
    checkKept(label, event)
    if case .rejected(let rejection) = event { checkRefusal(rejection, of: label) }
    guard let (known, key) = known(label), let kind = event.kind else { return }
    let likeness = isForgetful ? label : 0
    let earlier = known.kinds[likeness] ?? kind
    expect(kind == earlier, "P2", "message \(label) is answered \(kind), was \(earlier)")
    keyed[key]?.kinds[likeness] = kind
  }

  /// An ended schedule is kept only if it ended automatically and the Start declares the same.
  private mutating func checkKept(_ label: Int, _ event: OutgoingEvent) {
    guard case .started(let started) = event, started.effect == .kept, started.hasEnded, !started.isRepeated,
      case .command(.start(let start), _)? = messages[label]?.content
    else { return }
    reach(.keptEnded)
    let track = tracks[started.generation]
    expect(
      track?.ending?.kind.isAutomatic == true && start.definition.keepsTheSame
        && track.map { start.definition.asksForTheSame(as: $0.declared) } == true, "P2",
      "message \(label) does not begin \(started.generation) again, which ended otherwise or is another")
  }

  /// P1 and P3: a message leaves the queue once, after the right outcome was confirmed, or when it is in the inbox.
  mutating func settled(_ label: Int, _ settlement: Acknowledgements.Settlement) {
    expect(settled.insert(label).inserted, "P1", "message \(label) is settled twice")
    if settlement == .acknowledge, inbox.hasReceived(label) {
      noteSettled(label)
    } else {
      finish(label, settlement)
    }
  }

  /// P1 and P3: a command leaves the inbox after the right outcome was confirmed, and after its copy is in the dead
  /// queue if it belongs there.
  mutating func removed(_ position: InboxPosition) {
    guard let label = inbox.remove(position) else {
      return expect(false, "P1", "\(position) is removed from the inbox, and was not there")
    }
    if inbox.suspects.contains(label) {
      noteSettled(label)  // nobody reads it any more, so that its Rejected does not say what it answers
    } else {
      finish(label, deadLettered.contains(label) ? .deadLetter : .acknowledge)
    }
  }

  /// P2: a command of the inbox is decided once, and applied if it must be; one by group or prefix may have to be applied
  /// again.
  mutating func decided(_ position: InboxPosition) {
    guard let label = inbox.label(at: position) else { return }
    if case .batch? = messages[label]?.content { return }
    expect(inbox.decide(position), "P2", "message \(label) of the inbox is decided twice")
    guard case .command(let command, let key?)? = messages[label]?.content, command.name != .trigger,
      inbox.mustApply(command.id, at: position)
    else { return }
    expect(rememberedNow.contains(key), "P2", "message \(label) is not applied again, and an earlier one was")
  }

  private mutating func finish(_ label: Int, _ settlement: Acknowledgements.Settlement) {
    defer { noteSettled(label) }
    let answers = answers[label] ?? []
    let isRight =
      answers.isEmpty
      ? deserves(nil, settlement, messages[label]?.content)
      : answers.contains { deserves($0, settlement, messages[label]?.content) }
    switch answers.last {
    case .started(let started) where started.effect == .kept: reach(.kept)
    case .rejected(let rejection) where rejection.field == "ifExists": reach(.refusedForALiveOne)
    case .rejected(let rejection) where rejection.field == "ifRevision": reach(.rejectedRevision)
    case .rejected: reach(settlement == .deadLetter ? .deadLettered : .rejectedState)
    default: break
    }
    expect(
      isRight, "P3",
      "message \(label), \(settlement), was answered \(answers.last.map { "\($0)".prefix(200) } ?? "nothing")")
  }

  /// Whether a message has left the queue and the inbox.
  func isDone(_ label: Int) -> Bool { settled.contains(label) && !inbox.holds(label) }

  private mutating func noteSettled(_ label: Int) {
    guard isDone(label), case .command(let command, _)? = messages[label]?.content else { return }
    asked[command.id.bytes]?.open -= 1
    if asked[command.id.bytes]?.open == 0 { checkState(of: command.id.bytes) }
  }

  /// Whether a message with this content is settled this way after this answer.
  private func deserves(
    _ answer: OutgoingEvent?, _ settlement: Acknowledgements.Settlement, _ content: SimulatedMessage.Content?
  ) -> Bool {
    switch (content, answer, settlement) {
    case (.malformed, .rejected, .deadLetter), (.poison, .rejected, .deadLetter), (.ownEvent, nil, .deadLetter): true
    case (.command(.start(let start), _), .started(let started), .acknowledge):
      started.definition.id.bytes == start.definition.id.bytes
    case (.command(.stop(let stop), _), .stopped(let stopped), .acknowledge): stopped.reason == stop.reason
    case (.command(.stop, _), .rejected(let rejection), .acknowledge): rejection.field == "id"
    case (.command(.start(let start), _), .rejected(let rejection), .acknowledge):
      rejection.field == "ifExists" && start.definition.ifExists == .reject
    case (.command(.start(let start), _), .rejected(let rejection), .deadLetter) where rejection.field == "target":
      start.definition.target != nil
    case (.command(.start(let start), _), .rejected(let rejection), .deadLetter):
      // A duplicate, or a message that was delayed: it came too late.
      rejection.field == "endDate" && start.definition.endDate != nil
    case (.batch(let batch, _), .batchDone(let done), .acknowledge):
      done.command == batch.name && done.selector == batch.selector
    case (.batch(let batch, _), .rejected(let rejection), .acknowledge): rejection.field == batch.selector.field
    case (.batch(let batch, _), .rejected(let rejection), .deadLetter):
      batch.name == .pause && ["until", "for"].contains(rejection.field)
    case (.command(let command, _), let answer?, let settlement):
      deserves(answer, settlement, command)
    default: false
    }
  }

  /// Whether a Pause, Resume, Trigger or Update is settled this way after this answer.
  private func deserves(
    _ answer: OutgoingEvent, _ settlement: Acknowledgements.Settlement, _ command: Command
  ) -> Bool {
    switch (command, answer, settlement) {
    case (.pause, .controlled(let controlled), .acknowledge): controlled.name == .paused
    case (.resume, .controlled(let controlled), .acknowledge): controlled.name == .resumed
    case (.trigger, .controlled(let controlled), .acknowledge): controlled.name == .triggered
    case (.trigger(let trigger), .rejected(let rejection), .acknowledge) where rejection.field == "target":
      trigger.payload != nil
    case (.update, .rejected(let rejection), .acknowledge) where rejection.field == "target": true
    case (.update, .controlled(let controlled), .acknowledge): controlled.name == .updated
    case (.pause, .rejected(let rejection), .deadLetter): ["until", "for"].contains(rejection.field)
    case (.pause, .rejected(let rejection), .acknowledge), (.resume, .rejected(let rejection), .acknowledge),
      (.trigger, .rejected(let rejection), .acknowledge):
      rejection.field == "id"
    case (.update(let update), .rejected(let rejection), .acknowledge):
      rejection.field == "id" || rejection.field == "ifRevision" && update.ifRevision != nil
        || ["endDate", "at"].contains(rejection.field)
    default: false
    }
  }

  /// However messages were redelivered: once all messages on an id are settled, the last command determines what is
  /// stored; a duplicate does not count.
  mutating func checkState(of id: [UInt8]) {
    guard let asked = asked[id], !hasPendingMembers else { return }
    // One by group or prefix may still have to be applied again.
    guard !submitted.contains(where: { messages[$0]?.maySelect(id) == true && !isDone($0) }) else { return }
    // A command that ended three processes had no effect, and a duplicate of it may have had one later.
    guard !inbox.suspects.contains(where: { messages[$0].map { $0.isAbout(id) || $0.maySelect(id) } ?? true }) else {
      return
    }
    let generation = generations.last { tracks[$0]?.definition.id.bytes == id }
    let track = generation.flatMap { tracks[$0] }
    if let (label, command) = asked.lastControl, !hasLeftItBe(label, id), let track {
      expect(isAsLeft(by: command, label, track), "P2", "\(command.id.text) is not as message \(label) left it")
    }
    guard let (label, command) = asked.last, !hasLeftItBe(label, id) else { return }
    switch command {
    case .start:
      let isStopped = track?.ending?.reason?.hasPrefix("stop ") == true
      expect(!isStopped, "P2", "\(command.id.text) was stopped by a command older than message \(label)")
      expect(track?.label == label, "P2", "\(command.id.text) is not as message \(label) left it")
    case .stop:
      expect(track?.nextTick == nil, "P2", "\(command.id.text) lives after message \(label) stopped it")
    case .pause, .resume, .trigger, .update: break
    }
  }

  /// A Start that was rejected, or left a live schedule unchanged, determines nothing, unless it was applied again.
  private func hasLeftItBe(_ label: Int, _ id: [UInt8]) -> Bool {
    if batches.rejected.contains(MemberName(label: label, id: ScheduleID(stored: id))) { return true }
    return answers[label, default: []].contains {
      switch $0 {
      case .started(let started): started.effect == .kept
      case .rejected: true
      case .stopped, .controlled, .batchDone, .tick: false
      }
    }
  }
}

extension OutgoingEvent {
  /// The part of an outcome that is the same for duplicates; nil for a tick.
  fileprivate var kind: String? {
    switch self {
    case .started(let started): "\(started.effect)"
    case .stopped(let stopped): "stopped \(stopped.generation)"
    case .controlled(let controlled): "\(controlled.name.rawValue) \(controlled.generation)"
    case .batchDone(let done): "done \(done.counts)"
    case .rejected(let rejection): "rejected \(rejection.field)"
    case .tick: nil
    }
  }
}
