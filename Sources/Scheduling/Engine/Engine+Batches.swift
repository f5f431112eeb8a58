import Recurrence

/// Batch path: taken alone from the line of commands, selected, stored, then decided member by member, and answered
/// when the outcomes of all members are confirmed.
extension Engine {
  mutating func batchWork() -> StoreLane.Work? {
    if case .loading(let member) = batches.phase { return .batches(after: member) }
    // All commands before it are stored. A schedule that ends meanwhile is answered with Rejected.
    return batches.nextPage(channel: intake.channel).map { .select($0) }
  }

  mutating func loaded(_ page: BatchPage) {
    turn.change(batches.load(page).map { .batch($0) })
    endBatches()
  }

  /// Decides a batch command as far as that is possible without its members.
  mutating func decideBatch(_ held: Batches.Held, view: BatchView) {
    let received = held.received
    guard !batches.isUnderWay(held.key) else {
      batches.wait(held)
      intake.setAside(received.source)
      // From now on it is not applied again because of what is behind it.
      return keep(.batch(BatchCounts()), of: received.source)
    }
    if let answer = earlierAnswer(to: held, view: view) {
      let members = intake.inbox.reappliedIDs(before: received).filter { id in
        view.schedules[id].map(held.command.selector.search.fits) ?? false
      }
      guard case .batch(let counts) = answer, !members.isEmpty else {
        return self.answer(held, with: .repeated(held.command, answer, origin: received.origin), answer)
      }
      begin(held.resolved(at: turn.now.wall), members, earlier: counts)
    } else if let (decision, answer) = CommandDecision.refusal(
      of: held.command, origin: received.origin, now: turn.now.wall)
    {
      remember(answer, to: held.key)
      self.answer(held, with: decision, answer)
    } else {
      batches.select(held.resolved(at: turn.now.wall))
      intake.setAside(received.source)
    }
  }

  private mutating func earlierAnswer(to held: Batches.Held, view: BatchView) -> RememberedCommand.Answer? {
    guard let answered = view.answers[held.key] else {
      guard case .inbox(let position) = held.received.source else { return nil }
      return intake.inbox.answer(of: position)
    }
    intake.answered(held.received.source, at: answered.at)
    return answered.answer
  }

  /// A page of what a batch command selects was read.
  mutating func selected(_ list: ScheduleList) {
    guard let selection = batches.selected(list) else { return }
    let (held, members) = (selection.held, selection.members)
    let origin = held.received.origin
    if members.count > held.command.maximum {
      let (decision, answer) = CommandDecision.tooManyMatch(held.command, origin: origin)
      remember(answer, to: held.key)
      self.answer(held, with: decision, answer)
    } else if members.isEmpty {
      let answer = RememberedCommand.Answer.batch(BatchCounts())
      remember(answer, to: held.key)
      self.answer(held, with: .done(held.command, BatchCounts(), origin: origin), answer)
    } else {
      begin(held, members)
    }
  }

  private mutating func begin(_ held: Batches.Held, _ members: [ScheduleID], earlier: BatchCounts? = nil) {
    turn.change(batches.begin(held, members, earlier: earlier).map { .batch($0) })
    if earlier != nil { intake.setAside(held.received.source) }
  }

  private mutating func remember(_ answer: RememberedCommand.Answer, to key: CommandKey) {
    turn.change(.remember(RememberedCommand(key: key, at: turn.now.wall, answer: answer)))
  }

  private mutating func answer(
    _ held: Batches.Held, with decision: CommandDecision, _ answer: RememberedCommand.Answer
  ) {
    intake.answered(held.received.source, at: turn.now.wall)
    keep(answer, of: held.received.source)
    self.answer(held.received, on: held.channel, with: decision)
  }

  /// Stores the answer in the command's row in the inbox, if it is there: then it is not applied again.
  private mutating func keep(_ answer: RememberedCommand.Answer, of source: CommandSource) {
    if case .inbox(let position) = source { turn.change(.inbox(.answered(position, answer))) }
  }

  // MARK: Members

  /// A member was decided as a command of its own.
  mutating func decided(_ member: BatchMember, _ decision: inout CommandDecision, _ answer: RememberedCommand.Answer) {
    let isChanged = !decision.changes.isEmpty
    batches.count(member, isChanged: isChanged)
    decision.changes.append(.batch(.decided(member, answer, isChanged: isChanged)))
  }

  /// The outcome of a member is confirmed.
  mutating func outcomeConfirmed(_ member: BatchMember) {
    batches.line.confirmed(member)
    turn.change(.batch(.remove(member)))
  }

  mutating func applied(_ change: BatchChange) {
    let (changes, begun) = batches.stored(change)
    turn.change(changes.map { .batch($0) })
    // In the transaction from which on the batch has its effect: then its command is not applied again.
    for case .complete in changes {
      for source in batches.storingSources { keep(.batch(BatchCounts()), of: source) }
    }
    if let begun {
      turn.report(.batchBegan(begun.command.name, begun.command.selector, matched: begun.counts.matched))
    }
  }

  /// Answers batch commands whose members' outcomes are all confirmed. One whose channel is lost will be delivered
  /// again, and is recognized then.
  mutating func endBatches() {
    for number in batches.withoutMembers {
      guard let (batch, waiting) = batches.end(number) else { continue }
      let answer = RememberedCommand.Answer.batch(batch.counts)
      turn.change(.batch(.end(number)))
      remember(answer, to: batch.key)
      for held in waiting where !held.isLost(with: intake.channel) {
        self.answer(held, with: .done(held.command, batch.counts, origin: held.received.origin), answer)
      }
    }
  }
}
