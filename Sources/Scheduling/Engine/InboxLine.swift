import DequeModule

/// The commands of the inbox that are in memory: waiting to be decided, or decided and not yet answered for good.
struct InboxLine {
  /// A command waiting to be decided.
  private struct Waiting {
    var command: ReceivedCommand
    /// An earlier process ended while it decided this one: it is decided alone.
    var isSuspect: Bool
    /// Whether the try that is under way is counted.
    var isCounted: Bool
  }

  /// After so many processes that ended over it a command is not decided any more.
  static let mostTries = 3

  private var waiting: Deque<Waiting> = []
  /// What was loaded and is not done with.
  private var held: [InboxPosition: InboxRow] = [:]
  private var heldBytes = 0
  private var cursor: InboxPosition?
  /// Whether the inbox may hold more behind `cursor`.
  private var hasMore = true
  /// The last batch that is complete.
  private var lastBatch: Int64
  private var reapplied: [ScheduleID: Int64] = [:]
  /// Commands that were put back, of which the try is to be taken back.
  private var putBack: [InboxPosition] = []

  init(lastBatch: Int64) { self.lastBatch = lastBatch }

  /// Nothing is in the inbox, decided or not.
  var isEmpty: Bool { !hasMore && held.isEmpty }
  /// All that the inbox holds is in memory, so that what is behind it in order may be looked at.
  var isLoaded: Bool { !hasMore }

  mutating func completed(_ batch: Int64) {
    lastBatch = batch
    hasMore = true
  }

  /// Where to go on loading; nil while enough is here.
  func nextLoad(limit: Int, maximumBytes: Int) -> InboxPosition?? {
    hasMore && waiting.count < limit && heldBytes < maximumBytes ? .some(cursor) : nil
  }

  mutating func load(_ page: InboxPage, decode: (RawDelivery, CommandSource) -> ReceivedCommand) {
    reapplied.merge(page.reapplied) { max($0, $1) }
    for row in page.rows {
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

  /// A command that ends the process each time that it is looked at. It is looked at no more.
  private static func poison(_ row: InboxRow) -> ReceivedCommand {
    ReceivedCommand(
      source: .inbox(row.position), size: row.raw.body.count, origin: Origin(),
      content: .malformed(
        Rejection(
          command: String(decoding: row.raw.routingKey.prefix(64), as: UTF8.self), field: "body",
          reason: "the scheduler ended \(row.tries) times while it decided this command, which is now in the dead queue"
        )))
  }

  /// The answer that a command was given before, in the transaction of its effect.
  func answer(of position: InboxPosition) -> RememberedCommand.Answer? { held[position]?.answer }

  /// How many processes ended over a command that is not decided any more for that; nil for any other.
  func deaths(of position: InboxPosition) -> Int? {
    held[position].flatMap { $0.answer == nil && $0.tries >= Self.mostTries ? $0.tries : nil }
  }

  func raw(of position: InboxPosition) -> RawDelivery? { held[position]?.raw }

  /// Whether a command has to be applied even if it was answered before, since one ahead of it was applied again.
  func mustApply(_ id: ScheduleID, at position: InboxPosition) -> Bool {
    reapplied[id].map { position.batch <= $0 } ?? false
  }

  /// A command without `message_id` is applied.
  mutating func reapply(_ id: ScheduleID) -> InboxChange {
    reapplied[id] = lastBatch
    return .reapply(id, through: lastBatch)
  }

  /// What `take` takes, and what it leaves.
  struct Taken {
    var commands: [ReceivedCommand] = []
    /// Commands that have to wait for their schedule: the try that was counted for them did no harm.
    var passedOver: [InboxPosition] = []
    /// Commands that are taken after they had to wait.
    var uncounted: [InboxPosition] = []
    /// Whether nothing else may be decided together with these.
    var isAlone = false

    var isEmpty: Bool { commands.isEmpty && passedOver.isEmpty }
  }

  /// Takes commands in order, passing over those on a schedule that is busy and all that follow on it.
  mutating func take(_ limit: Int, unless isBusy: (ScheduleID) -> Bool) -> Taken {
    var taken = Taken(passedOver: putBack)
    putBack = []
    var left: Deque<Waiting> = []
    while taken.commands.count < limit, var next = waiting.first {
      if next.isSuspect, !taken.commands.isEmpty {
        taken.isAlone = true
        break
      }
      waiting.removeFirst()
      if let id = next.command.scheduleID, isBusy(id) {
        if next.isCounted, case .inbox(let position) = next.command.source { taken.passedOver.append(position) }
        next.isCounted = false
        left.append(next)
        continue
      }
      taken.commands.append(next.command)
      if !next.isCounted, case .inbox(let position) = next.command.source, answer(of: position) == nil {
        taken.uncounted.append(position)
      }
      if next.isSuspect {
        taken.isAlone = true
        break
      }
    }
    while let last = left.popLast() { waiting.prepend(last) }
    return taken
  }

  /// Takes back the tries of all that waits: this process ends, and not over them.
  mutating func takeUndecided() -> Taken {
    var taken = Taken(passedOver: putBack)
    putBack = []
    for index in waiting.indices where waiting[index].isCounted {
      waiting[index].isCounted = false
      if case .inbox(let position) = waiting[index].command.source { taken.passedOver.append(position) }
    }
    return taken
  }

  /// Puts commands back that cannot be decided yet, in front and in order.
  mutating func putBack(_ commands: [ReceivedCommand]) {
    for command in commands.reversed() {
      guard case .inbox(let position) = command.source else { continue }
      let row = held[position]
      let isSuspect = row.map { $0.answer == nil && $0.tries > 0 } ?? false
      if row?.answer == nil { putBack.append(position) }
      waiting.prepend(Waiting(command: command, isSuspect: isSuspect, isCounted: false))
    }
  }

  /// A command was decided: of what was delivered only the dead queue has any use.
  mutating func decided(_ position: InboxPosition, _ settlement: Acknowledgements.Settlement) {
    guard settlement == .acknowledge, let row = held[position] else { return }
    heldBytes -= row.raw.byteCount
    held[position]?.raw = RawDelivery(routingKey: [], properties: [], body: [])
  }

  /// The outcome of a command is confirmed.
  mutating func remove(_ position: InboxPosition) -> InboxChange {
    if let row = held.removeValue(forKey: position) { heldBytes -= row.raw.byteCount }
    return .remove(position)
  }
}
