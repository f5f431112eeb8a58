import Recurrence
import Scheduling
import SchedulingTestKit

/// P34: a command by group or prefix applies once to each schedule that matched, in its turn, and its counts are true.
extension SimulationChecker {
  /// What is stored of batches, and what became of their members.
  struct KnownBatches {
    var open: [Int64: KnownBatch] = [:]
    /// What is left of batches that were not complete when their process ended.
    var unfinished: [Int64: Set<ScheduleID>] = [:]
    /// The members that the transaction at hand decides, each with its batch.
    var decidedNow: [ScheduleID: Int64] = [:]
    /// The schedule that the change before changed, if it did.
    var lastChanged: ScheduleID?
    /// Members whose last outcome is confirmed.
    var confirmed: Set<MemberName> = []
    /// Members that were rejected.
    var rejected: Set<MemberName> = []
    /// What the batches with a key came to.
    var results: [CommandKey: Set<BatchCounts>] = [:]
    /// Schedules on which a command without key was applied from the inbox.
    var reapplied: Set<ScheduleID> = []
    /// Whether the transaction at hand ends a batch that was applied again.
    var endsRepeat = false
  }

  struct KnownBatch {
    var batch: Batch
    var label: Int
    /// Whether each member is decided.
    var members: [ScheduleID: Bool] = [:]
    var memberCount = 0
    var changed = 0
    var hasOutlivedProcess = false
  }

  struct MemberName: Hashable {
    var label: Int
    var id: ScheduleID
  }

  /// The command of a message on a schedule; nil if it has none.
  func command(of label: Int, on id: ScheduleID) -> Command? {
    switch messages[label]?.content {
    case .command(let command, _): command
    case .batch(let batch, _): batch.command(on: id)
    case .malformed, .ownEvent, .poison, nil: nil
    }
  }

  /// Whether a member is not decided yet.
  func isPending(_ id: ScheduleID) -> Bool {
    batches.open.values.contains { $0.batch.isComplete && $0.members[id] == false }
  }

  var hasPendingMembers: Bool {
    batches.open.values.contains { known in known.batch.isComplete && known.members.values.contains(false) }
  }

  /// An effect names a batch command: it must be the one that decides this schedule now. False for any other message.
  mutating func isEffectOfBatch(_ label: Int, on id: ScheduleID) -> Bool {
    guard case .batch(_, let key)? = messages[label]?.content else { return false }
    let deciding = batches.decidedNow[id].flatMap { batches.open[$0]?.batch.key }
    expect(deciding == key, "P34", "batch \(label) has an effect on \(id.text), which it does not decide")
    return true
  }

  // MARK: What is stored

  mutating func beginTransaction(_ changes: [Change]) {
    batches.decidedNow = [:]
    batches.lastChanged = nil
    batches.endsRepeat = false
    rememberedNow = Set(
      changes.lazy.compactMap { change in
        if case .remember(let command) = change { command.key } else { nil }
      })
    for case .batch(.decided(let member, _, _)) in changes {
      expect(batches.decidedNow[member.id] == nil, "P34", "\(member.id.text) is decided twice at once")
      batches.decidedNow[member.id] = member.batch
    }
  }

  mutating func noteChanged(_ change: Change) {
    switch change {
    case .advance(let key, _, _, _, _): batches.lastChanged = tracks[key.generation]?.definition.id
    case .revise(let schedule, _, _, _): batches.lastChanged = schedule.id
    case .inbox(.reapply(let id, _)): batches.reapplied.insert(id)
    default: batches.lastChanged = nil
    }
  }

  mutating func committed(_ change: BatchChange) {
    switch change {
    case .begin(let batch): begun(batch)
    case .add(let ids, let number):
      expect(batches.open[number]?.batch.isComplete == false, "P34", "batch \(number) gets members late")
      for id in ids {
        expect(batches.open[number]?.members[id] == nil, "P34", "\(id.text) is twice in batch \(number)")
        batches.open[number]?.members[id] = false
      }
    case .complete(let number): completed(number)
    case .decided(let member, let answer, let isChanged): decided(member, answer, isChanged: isChanged)
    case .remove(let member): removed(member)
    case .end(let number): ended(number)
    }
  }

  private mutating func begun(_ batch: Batch) {
    let label = Origin(messageID: batch.messageID).label
    guard case .batch(let command, let key)? = messages[label]?.content, key == batch.key else {
      return expect(false, "P34", "batch \(batch.number) was sent by nobody")
    }
    expect(
      batch.command.selector == command.selector && batch.command.maximum == command.maximum
        && isResolved(batch.command.action, command.action), "P34", "batch \(batch.number) is not as message \(label)")
    expect(batches.open[batch.number] == nil, "P34", "two batches are number \(batch.number)")
    let isUnderWay = batches.open.values.contains { $0.batch.key == key && $0.batch.isComplete }
    expect(!isUnderWay, "P34", "message \(label) begins again while it is under way")
    batches.open[batch.number] = KnownBatch(batch: batch, label: label)
    if batch.isRepeat {
      reach(.batchAppliedAgain)
      expect(batches.results[key]?.contains(batch.counts) == true, "P34", "batch \(label) forgets its counts")
    } else if batches.results[key] != nil {
      expectForgotten(key, "P34", "message \(label) is applied again as a batch")
    }
  }

  /// A pause that lasts for a while ends at one instant for all members.
  private func isResolved(_ action: BatchCommand.Action, _ sent: BatchCommand.Action) -> Bool {
    guard case .pause(.after(let length)?, let reason, _) = sent else { return action == sent }
    guard case .pause(.until(let end)?, reason, nil) = action else { return false }
    return walls.contains(end.advanced(byMilliseconds: -length.milliseconds))
  }

  /// All members are stored: they are the live schedules that match, and none that was started later.
  private mutating func completed(_ number: Int64) {
    guard let known = batches.open[number], !known.batch.isComplete else {
      return expect(false, "P34", "batch \(number) is complete twice")
    }
    batches.open[number]?.batch.isComplete = true
    batches.open[number]?.memberCount = known.members.count
    let selector = known.batch.command.selector
    let latestCopy = submitted.last { messages[$0]?.content == messages[known.label]?.content } ?? known.label
    for id in known.members.keys.sorted() {
      let track = latestTrack(of: id)
      let isRight = track.map { selector.selects($0.definition) && !$0.isReplaced } ?? false
      let isLive = track?.nextTick != nil || track?.ending?.kind.isAutomatic == true
      expect(isRight && isLive, "P34", "\(id.text) is in batch \(known.label), and does not match")
      // A command that ended three processes had no effect, and a duplicate of it may have one later.
      let isOlder =
        known.batch.isRepeat || inbox.suspects.contains(known.label) || track.map { $0.label <= latestCopy } ?? true
      expect(isOlder, "P34", "\(id.text) was started after batch \(known.label)")
      determine(known, id)
    }
    guard !known.batch.isRepeat else {
      let isRight = batches.reapplied.isSuperset(of: known.members.keys)
      return expect(isRight, "P34", "batch \(known.label) is applied again without a cause")
    }
    let missing = live(selector).filter { known.members[$0] == nil }
    expect(missing.isEmpty, "P34", "batch \(known.label) leaves out \(missing.map(\.text))")
    let count = known.members.count
    expect(
      known.batch.counts.matched == count && count <= known.batch.command.maximum, "P34",
      "batch \(known.label) counts \(known.batch.counts) of \(count)")
  }

  /// The batch is the last command on a member, unless a later one was sent.
  private mutating func determine(_ known: KnownBatch, _ id: ScheduleID) {
    var asked = asked[id.bytes] ?? Asked()
    let command = known.batch.command.command(on: id)
    // The effect names the first copy, and another may have come after other commands.
    let isOnly = keyed[known.batch.key]?.copies == 1 && !inbox.suspects.contains(known.label)
    let last = isOnly ? (known.label, command) : nil
    if asked.latest > known.label {
      if case .stop = command, asked.last?.label ?? 0 < known.label { asked.last = nil }
    } else {
      if case .stop = command { (asked.last, asked.lastControl) = (last, nil) } else { asked.lastControl = last }
      asked.latest = known.label
    }
    self.asked[id.bytes] = asked
  }

  private mutating func decided(_ member: BatchMember, _ answer: RememberedCommand.Answer, isChanged: Bool) {
    guard let known = batches.open[member.batch], known.batch.isComplete, known.members[member.id] == false else {
      return expect(false, "P34", "\(member) is decided twice, or was never stored")
    }
    let name = MemberName(label: known.label, id: member.id)
    batches.open[member.batch]?.members[member.id] = true
    batches.confirmed.remove(name)
    expect(
      isChanged == (batches.lastChanged == member.id), "P34", "\(member.id.text) is counted changed: \(isChanged)")
    if isChanged { batches.open[member.batch]?.changed += 1 }
    if known.hasOutlivedProcess { reach(.batchCompletedAfterCrash) }
    switch (answer, known.batch.command.action) {
    case (.stopped(let generation), .stop):
      reach(.batchStopped)
      expect(isChanged && tracks[generation]?.ending != nil, "P34", "\(member.id.text) is not stopped")
    case (.controlled(let generation), .pause):
      reach(.batchPaused)
      expect(tracks[generation]?.isPaused == true, "P34", "\(member.id.text) is not paused")
    case (.controlled(let generation), .resume):
      reach(isChanged ? .batchResumed : .batchUnchanged)
      expect(tracks[generation]?.isPaused == false, "P34", "\(member.id.text) is not resumed")
    case (.rejected(let field, _, _), _):
      reach(.batchMemberRejected)
      batches.rejected.insert(name)
      expect(!isChanged && ["id", "until"].contains(field), "P34", "\(member.id.text) is rejected: \(field)")
      let isLive = latestTrack(of: member.id)?.nextTick != nil
      expect(!isLive || field == "until", "P34", "\(member.id.text) is live, and said not to be")
    default: expect(false, "P34", "\(member.id.text) is answered \(answer)")
    }
  }

  /// A member is forgotten when its outcome is confirmed, or with a batch that begins again.
  private mutating func removed(_ member: BatchMember) {
    guard let known = batches.open[member.batch], let isDecided = known.members[member.id] else {
      if batches.unfinished[member.batch]?.remove(member.id) != nil { return }
      return expect(false, "P34", "\(member) is removed, and was never stored")
    }
    batches.open[member.batch]?.members[member.id] = nil
    guard known.batch.isComplete else {
      return expect(false, "P34", "\(member) is removed from a batch that is being stored")
    }
    let isConfirmed = batches.confirmed.contains(MemberName(label: known.label, id: member.id))
    expect(isDecided && isConfirmed, "P34", "\(member.id.text) leaves batch \(known.label), its outcome unconfirmed")
  }

  private mutating func ended(_ number: Int64) {
    guard let known = batches.open.removeValue(forKey: number) else {
      return expect(false, "P34", "batch \(number) ends twice")
    }
    guard known.batch.isComplete else {
      expect(known.hasOutlivedProcess, "P34", "batch \(known.label) ends while it is being stored")
      return batches.unfinished[number] = Set(known.members.keys)
    }
    expect(known.members.isEmpty, "P34", "batch \(known.label) ends with members")
    batches.endsRepeat = known.batch.isRepeat
    guard !known.batch.isRepeat else { return }
    batches.results[known.batch.key, default: []].insert(
      BatchCounts(matched: known.memberCount, changed: known.changed))
  }

  /// The answer to a batch command is stored.
  mutating func rememberedBatch(_ command: RememberedCommand) {
    guard let content = batchCommand(with: command.key) else { return }
    switch command.answer {
    case .batch(let counts):
      if counts.matched == 0, !batches.endsRepeat {
        reach(.batchMatchedNone)
        expect(live(content.selector).isEmpty, "P34", "a batch finds nothing, and there is something")
        batches.results[command.key, default: []].insert(counts)
      }
      let isTrue = batches.results[command.key]?.contains(counts) == true
      expect(isTrue, "P34", "a batch is remembered with \(counts)")
    case .rejected(content.selector.field, _, _):
      reach(.batchTooMany)
      let count = SimulatedClients.ids.count { id in
        latestTrack(of: id).map { track in
          content.selector.selects(track.definition)
            && (track.nextTick != nil || track.ending?.kind.isAutomatic == true)
        } ?? false
      }
      expect(count > content.maximum, "P34", "\(count) are said to be more than \(content.maximum)")
    case .rejected(let field, _, _):
      expect(["until", "for"].contains(field), "P34", "a batch is rejected: \(field)")
    case .started, .stopped, .controlled: expect(false, "P34", "a batch is answered \(command.answer)")
    }
  }

  private func batchCommand(with key: CommandKey) -> BatchCommand? {
    for label in submitted {
      if case .batch(let command, key)? = messages[label]?.content { return command }
    }
    return nil
  }

  // MARK: On the wire

  mutating func sent(_ done: BatchDone, label: Int) {
    guard case .batch(_, let key)? = messages[label]?.content else {
      return expect(false, "P34", "a Batch Done answers message \(label)")
    }
    let isTrue = batches.results[key]?.contains(done.counts) == true
    expect(isTrue, "P34", "batch \(label) is said to have done \(done.counts)")
  }

  /// Whether an outcome is that of a member. Then it is confirmed, or given up.
  mutating func answeredMember(_ label: Int, _ event: OutgoingEvent) -> Bool {
    guard case .batch? = messages[label]?.content, let id = event.scheduleID else { return false }
    batches.confirmed.insert(MemberName(label: label, id: id))
    return true
  }

  mutating func batchesOutliveProcess() {
    for number in batches.open.keys { batches.open[number]?.hasOutlivedProcess = true }
  }

  mutating func finishedBatches(but poisoned: [ScheduleID]) {
    for known in batches.open.values where poisoned.isEmpty {
      expect(false, "P34", "batch \(known.label) is not done")
    }
  }

  // MARK: Schedules

  private func latestTrack(of id: ScheduleID) -> SimulationTrack? {
    generations.last { tracks[$0]?.definition.id == id }.flatMap { tracks[$0] }
  }

  private func live(_ selector: BatchCommand.Selector) -> [ScheduleID] {
    SimulatedClients.ids.filter { id in
      latestTrack(of: id).map { $0.nextTick != nil && selector.selects($0.definition) } ?? false
    }
  }
}

extension BatchCommand.Selector {
  /// By a reading of the contract of its own.
  fileprivate func selects(_ definition: Definition) -> Bool {
    switch self {
    case .group(let name): definition.group.map { Array($0.utf8) } == name
    case .prefix(let prefix): Array(definition.id.bytes.prefix(prefix.count)) == prefix
    }
  }
}
