import DequeModule

/// The inbox commands in memory: waiting to be decided, or decided with an outcome that is not confirmed yet.
struct InboxLine {
  /// A command that waits to be decided.
  private struct Waiting {
    var command: ReceivedCommand
    /// An earlier process ended while it decided this command: it is decided alone.
    var isSuspect: Bool
    /// Whether the try that is about to begin is counted.
    var isCounted: Bool
  }

  /// A command that has ended this many processes is not decided again.
  static let mostTries = 3

  private var waiting: Deque<Waiting> = []
  /// Loaded commands whose outcome is not confirmed.
  private var held: [InboxPosition: InboxRow] = [:]
  private var heldBytes = 0
  private var cursor: InboxPosition?
  /// Whether the inbox may hold more after `cursor`.
  private var hasMore = true
  /// The last complete batch.
  private var lastBatch: Int64
  /// Schedules on which a command without `message_id` was applied: commands on them up to this batch are applied even
  /// if they were answered before.
  private var reapplied: [ScheduleID: Int64] = [:]
  /// Commands that were put back, whose counted try is to be undone.
  private var putBack: [InboxPosition] = []

  init(lastBatch: Int64) { self.lastBatch = lastBatch }

  /// Whether the inbox holds no command, decided or not.
  var isEmpty: Bool { !hasMore && held.isEmpty }
  /// Whether everything in the inbox is in memory, so that newer commands may be decided.
  var isLoaded: Bool { !hasMore }

  mutating func completed(_ batch: Int64) {
    assert(batch > lastBatch, "batches are completed in order")
    lastBatch = batch
    hasMore = true
  }

  /// Where to continue loading; nil while enough is in memory, or everything.
  func nextLoad(limit: Int, maximumBytes: Int) -> InboxPosition?? {
    hasMore && waiting.count < limit && heldBytes < maximumBytes ? .some(cursor) : nil
  }

  mutating func load(_ page: InboxPage, decode: (RawDelivery, CommandSource) -> ReceivedCommand) {
    reapplied.merge(page.reapplied) { max($0, $1) }
    assert(page.rows.first.map { row in cursor.map { $0 < row.position } ?? true } ?? true, "pages follow each other")
    for row in page.rows {
      assert(held[row.position] == nil, "a command is loaded once")
      held[row.position] = row
      heldBytes += row.raw.byteCount
      let isPoison = row.answer == nil && row.tries >= Self.mostTries
      let command =
        isPoison ? Self.poison(row) : decode(row.raw, .inbox(row.position))
      waiting.append(
        Waiting(command: command, isSuspect: row.answer == nil && row.tries > 0, isCounted: row.answer == nil))
    }
    cursor = page.rows.last?.position ?? cursor
    hasMore = !page.isLast
  }

  /// A command that ended the process each time that it was decided. It is not decided again.
  private static func poison(_ row: InboxRow) -> ReceivedCommand {
    ReceivedCommand(
      source: .inbox(row.position), size: row.raw.body.count, origin: Origin(),
      content: .malformed(
        Rejection(
          command: String(decoding: row.raw.routingKey.prefix(64), as: UTF8.self), field: "body",
          reason: "the scheduler ended \(row.tries) times while it decided this command, which is now in the dead queue"
        )))
  }

  /// The answer that was stored in the transaction of the command's effect.
  func answer(of position: InboxPosition) -> RememberedCommand.Answer? { held[position]?.answer }

  /// How many processes ended over a command that is not decided again because of that; nil for any other.
  func deaths(of position: InboxPosition) -> Int? {
    held[position].flatMap { $0.answer == nil && $0.tries >= Self.mostTries ? $0.tries : nil }
  }

  func raw(of position: InboxPosition) -> RawDelivery? { held[position]?.raw }

  /// Whether a command is applied even if it was answered before, because an earlier one was applied again.
  func mustApply(_ id: ScheduleID, at position: InboxPosition) -> Bool {
    reapplied[id].map { position.batch <= $0 } ?? false
  }

  /// The schedules that a batch command may have to be applied to even if it was answered before, since an earlier
  /// command was applied again.
  func reappliedIDs(before command: ReceivedCommand) -> [ScheduleID] {
    guard case .batch(let batch, _) = command.content, case .inbox(let position) = command.source,
      answer(of: position) == nil
    else { return [] }
    return reapplied.filter { position.batch <= $0.value && batch.selector.mayHold($0.key) }.map(\.key).sorted()
  }

  /// Whether a command will not be applied again because of what is before it: it had its effect, or everything before
  /// it is decided, and nothing of that was applied again.
  private func isFinal(_ command: ReceivedCommand, isFirst: Bool) -> Bool {
    guard case .inbox(let position) = command.source else { return true }
    return answer(of: position) != nil || isFirst && reappliedIDs(before: command).isEmpty
  }

  /// A command waits for the end of a batch: its counted try is undone.
  mutating func setAside(_ position: InboxPosition) {
    if answer(of: position) == nil { putBack.append(position) }
  }

  /// A command without `message_id` is applied.
  mutating func reapply(_ id: ScheduleID) -> InboxChange {
    assert(reapplied[id].map { $0 <= lastBatch } ?? true, "a command is applied again up to the last batch")
    reapplied[id] = lastBatch
    return .reapply(id, through: lastBatch)
  }

  /// Commands to decide now, and the tries to count for them.
  struct Taken {
    var commands: [ReceivedCommand] = []
    /// Commands that wait for their schedule: their counted try is undone.
    var passedOver: [InboxPosition] = []
    /// Commands that waited before: a try is counted for them now.
    var uncounted: [InboxPosition] = []
    /// Whether nothing else may be decided together with these.
    var isAlone = false
    /// How many more questions may be taken.
    var questionRoom = 0
    /// Whether a question waits for room, or a batch command for what is before it: nothing behind it is taken.
    var isBlocked = false
    var gate = BatchGate()
    /// Whether there is a command before the next one that is not decided and stored yet; members do not count.
    var hasEarlier = false

    var isEmpty: Bool { commands.isEmpty && passedOver.isEmpty }

    /// Whether a command may be taken now. A question may wait for room, and a batch command for what is before it.
    ///
    /// - Parameter isFinal: Whether a batch command is not applied again, whatever is behind it.
    mutating func admits(_ command: ReceivedCommand, isFinal: Bool = true) -> Bool {
      switch command.content {
      case .question:
        isBlocked = questionRoom == 0
        if !isBlocked { questionRoom -= 1 }
      case .batch(_, let key):
        isBlocked = !gate.admits(key, isFirst: !hasEarlier, isDecided: commands.isEmpty, isFinal: isFinal)
      case .command, .malformed, .ownEvent, .redelivered: break
      }
      return !isBlocked
    }

    /// Adds a command that is admitted. A batch command stays alone.
    mutating func add(_ command: ReceivedCommand) {
      commands.append(command)
      hasEarlier = true
      if command.isBatch { isAlone = true }
    }
  }

  /// Takes commands in order. Commands on a busy schedule are passed over, and so are later commands on the same
  /// schedule.
  mutating func take(_ limit: Int, into taken: inout Taken, unless isBusy: (ScheduleID) -> Bool) {
    taken.passedOver = putBack
    putBack = []
    var left: Deque<Waiting> = []
    while taken.commands.count < limit, var next = waiting.first {
      if next.isSuspect, !taken.commands.isEmpty {
        taken.isAlone = true
        break
      }
      guard taken.admits(next.command, isFinal: isFinal(next.command, isFirst: !taken.hasEarlier)) else { break }
      waiting.removeFirst()
      if let id = next.command.scheduleID, isBusy(id) {
        if next.isCounted, case .inbox(let position) = next.command.source { taken.passedOver.append(position) }
        next.isCounted = false
        left.append(next)
        taken.hasEarlier = true
        continue
      }
      taken.add(next.command)
      if !next.isCounted, case .inbox(let position) = next.command.source, answer(of: position) == nil {
        taken.uncounted.append(position)
      }
      if next.isSuspect { taken.isAlone = true }
      if taken.isAlone { break }
    }
    while let last = left.popLast() { waiting.prepend(last) }
    if taken.isBlocked || taken.isAlone { passOver(into: &taken) }
  }

  /// Undoes the tries of all waiting commands: this process ends, but not because of them.
  mutating func takeUndecided() -> Taken {
    var taken = Taken(passedOver: putBack)
    putBack = []
    passOver(into: &taken)
    return taken
  }

  /// Undoes the counted tries of waiting commands: they are not decided yet, so if this process ends, it is not because of them.
  private mutating func passOver(into taken: inout Taken) {
    for index in waiting.indices where waiting[index].isCounted {
      waiting[index].isCounted = false
      if case .inbox(let position) = waiting[index].command.source { taken.passedOver.append(position) }
    }
  }

  /// Puts commands that cannot be decided yet back in front, in order.
  mutating func putBack(_ commands: [ReceivedCommand]) {
    for command in commands.reversed() {
      guard case .inbox(let position) = command.source else { continue }
      let row = held[position]
      let isSuspect = row.map { $0.answer == nil && $0.tries > 0 } ?? false
      if row?.answer == nil { putBack.append(position) }
      waiting.prepend(Waiting(command: command, isSuspect: isSuspect, isCounted: false))
    }
  }

  /// A command was decided. Its content is needed only if it goes to the dead queue.
  mutating func decided(_ position: InboxPosition, _ settlement: Acknowledgements.Settlement) {
    guard settlement == .acknowledge, let row = held[position] else { return }
    heldBytes -= row.raw.byteCount
    checkBytes()
    held[position]?.raw = RawDelivery(routingKey: [], properties: [], body: [])
  }

  /// The outcome of a command is confirmed.
  mutating func remove(_ position: InboxPosition) -> InboxChange {
    if let row = held.removeValue(forKey: position) { heldBytes -= row.raw.byteCount }
    checkBytes()
    return .remove(position)
  }

  private func checkBytes() {
    assert(heldBytes >= 0 && (heldBytes == 0 || !held.isEmpty), "bytes belong to loaded commands")
  }
}
