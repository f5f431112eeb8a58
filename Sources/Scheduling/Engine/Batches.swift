import Recurrence

/// Batch commands between their turn in the line and their Schedule Batch Done.
///
/// What a batch command selects is read, then stored, then decided. No other command is decided until it is stored:
/// each is either before the batch or after it. From then on the batch is under way: its members are decided as if a
/// client had sent the command for each, and only commands on those members wait.
struct Batches {
  /// A batch command that is not answered yet.
  struct Held: Sendable {
    var received: ReceivedCommand
    var command: BatchCommand
    var key: CommandKey
    /// The channel of the delivery.
    var channel: UInt64?

    func resolved(at now: Instant) -> Held {
      var resolved = self
      resolved.command = command.resolved(at: now)
      return resolved
    }

    /// Whether it will be delivered again, since its channel is not the open one.
    func isLost(with open: UInt64?) -> Bool {
      if case .delivery = received.source { channel != open } else { false }
    }
  }

  /// What was read of a selection.
  struct Selection {
    var held: Held
    var members: [ScheduleID] = []
    /// The last schedule that was examined.
    var last: ScheduleID?
  }

  enum Phase {
    /// The batches of an earlier process are read. Becomes idle.
    case loading(after: BatchMember?)
    /// Becomes selecting or storing.
    case idle
    /// What a command selects is read; nothing is stored of it yet. Becomes idle or storing.
    case selecting(Selection)
    /// The members of a batch are stored, a page at a time. Becomes idle.
    case storing(Batch, [ScheduleID], storedCount: Int)
  }

  private(set) var phase = Phase.loading(after: nil)
  /// Members that are to be decided or confirmed.
  var line: BatchMemberLine
  /// The batches whose members are not all confirmed.
  private var underWay: [Int64: Batch] = [:]
  /// How many members each of them has left.
  private var membersLeft: [Int64: Int] = [:]
  /// Batches without members, whose end is about to be stored.
  private var ending: Set<Int64> = []
  /// Commands that are answered when the batch with their key ends.
  private var waiting: [Held] = []
  private var lastNumber: Int64 = 0
  private let page: Int

  init(settings: Engine.Settings) {
    line = BatchMemberLine(settings: settings)
    page = settings.batchPage
  }

  /// Whether commands may be decided.
  var admitsCommands: Bool {
    if case .idle = phase { ending.isEmpty } else { false }
  }

  /// What a batch command at the front of the line has to wait for.
  var gate: BatchGate { BatchGate(underWay: Set(underWay.values.lazy.map(\.key)), isClosed: !line.isEmpty) }

  func isUnderWay(_ key: CommandKey) -> Bool { underWay.values.contains { $0.key == key } }
}

/// Whether a batch command may be taken from the line.
struct BatchGate {
  /// The keys of batches that are under way.
  var underWay: Set<CommandKey> = []
  /// Whether members of an earlier batch are not decided yet.
  var isClosed = false

  /// A duplicate of a command that is under way is set aside until the end, and delays no other. But one of the inbox
  /// may have to be applied again because of what is before it, and not because of what is behind it: it holds the line
  /// until then.
  ///
  /// - Parameters:
  ///   - isFirst: Whether all commands before it are decided and stored.
  ///   - isDecided: Whether no member is about to be decided.
  ///   - isFinal: Whether it is not applied again because of what is before it.
  func admits(_ key: CommandKey, isFirst: Bool, isDecided: Bool, isFinal: Bool) -> Bool {
    underWay.contains(key) ? isFinal : isFirst && isDecided && !isClosed
  }
}

// MARK: - What an earlier process left

extension Batches {
  /// Takes a page of members. Returns changes that remove batches whose members are not all stored: their commands are
  /// delivered again.
  mutating func load(_ page: BatchPage) -> [BatchChange] {
    guard case .loading = phase else { return [] }
    for batch in page.batches {
      lastNumber = max(lastNumber, batch.number)
      guard batch.isComplete else { continue }
      underWay[batch.number] = batch
      membersLeft[batch.number] = 0
    }
    let unfinished = page.batches.filter { !$0.isComplete }.map(\.number)
    var changes: [BatchChange] = unfinished.map { .end($0) }
    for row in page.rows {
      let batch = row.member.batch
      if underWay[batch] != nil {
        membersLeft[batch, default: 0] += 1
        line.append(row.member, answer: row.answer)
      } else {
        changes.append(.remove(row.member))
      }
    }
    phase = page.isLast ? .idle : .loading(after: page.rows.last?.member)
    return changes
  }
}

// MARK: - What a command selects

extension Batches {
  mutating func select(_ held: Held) {
    assert(admitsCommands && line.isEmpty, "a batch is selected after everything before it")
    phase = .selecting(Selection(held: held))
  }

  /// The next page to read; nil when nothing is to be read. A command whose channel is lost will be delivered again.
  mutating func nextPage(channel: UInt64?) -> Question.List? {
    guard case .selecting(let selection) = phase else { return nil }
    guard !selection.held.isLost(with: channel) else {
      phase = .idle
      return nil
    }
    return Question.List(search: selection.held.command.selector.search, after: selection.last, limit: page)
  }

  /// Takes a page. Returns the selection when it is complete, or has more members than it may have.
  mutating func selected(_ list: ScheduleList) -> Selection? {
    guard case .selecting(var selection) = phase else { return nil }
    phase = .idle  // so that no page copies the members of those before
    selection.members += list.schedules.map(\.id)
    guard case .id(let last)? = list.next, selection.members.count <= selection.held.command.maximum else {
      return selection
    }
    selection.last = last
    phase = .selecting(selection)
    return nil
  }
}

// MARK: - Under way

extension Batches {
  /// Begins to store a batch with these members. Returns the first changes; `stored` returns those that follow.
  ///
  /// - Parameter earlier: What the command was answered before, if it is applied again.
  mutating func begin(_ held: Held, _ members: [ScheduleID], earlier: BatchCounts? = nil) -> [BatchChange] {
    assert(!members.isEmpty, "a batch has members")
    lastNumber += 1
    let batch = Batch(
      number: lastNumber, key: held.key, command: held.command, messageID: held.received.origin.messageID,
      counts: earlier ?? BatchCounts(matched: members.count), isRepeat: earlier != nil)
    phase = .storing(batch, members, storedCount: 0)
    line.reserve(members.count)
    waiting.append(held)
    return [.begin(batch)] + nextStep()
  }

  /// A change is stored. Returns the changes that follow, and whether the members may be decided from now on.
  mutating func stored(_ change: BatchChange) -> (changes: [BatchChange], begun: Batch?) {
    switch change {
    case .add(let ids, let number):
      // Nothing is taken from the line before all are stored.
      for id in ids { line.append(BatchMember(batch: number, id: id)) }
      return (nextStep(), nil)
    case .complete(let number):
      guard case .storing(var batch, let members, _) = phase, batch.number == number else { return ([], nil) }
      batch.isComplete = true
      underWay[number] = batch
      membersLeft[number] = members.count
      phase = .idle
      return ([], batch)
    case .remove(let member):
      membersLeft[member.batch]? -= 1
      assert(membersLeft[member.batch].map { $0 >= 0 } ?? true, "a member is removed once")
      return ([], nil)
    case .end(let number):
      (underWay[number], membersLeft[number]) = (nil, nil)
      ending.remove(number)
      return ([], nil)
    case .begin, .decided: return ([], nil)
    }
  }

  /// The next members to store; then, that these were all.
  private mutating func nextStep() -> [BatchChange] {
    guard case .storing(let batch, let members, let count) = phase else { return [] }
    guard count < members.count else { return [.complete(batch.number)] }
    let next = members[count..<min(count + page, members.count)]
    phase = .storing(batch, members, storedCount: next.endIndex)
    return [.add(Array(next), batch: batch.number)]
  }

  /// Where the commands whose batch is being stored came from.
  var storingSources: [CommandSource] {
    guard case .storing(let batch, _, _) = phase else { return [] }
    return waiting.filter { $0.key == batch.key }.map(\.received.source)
  }

  /// The command of a batch has to wait for its end.
  mutating func wait(_ held: Held) {
    assert(isUnderWay(held.key), "it waits for a batch")
    waiting.append(held)
  }

  /// The command on a member.
  func command(on member: BatchMember) -> ReceivedCommand? {
    guard let batch = underWay[member.batch] else { return nil }
    return ReceivedCommand(
      source: .member(member), origin: Origin(messageID: batch.messageID),
      content: .command(batch.command.command(on: member.id), key: nil))
  }

  /// Counts a decided member. One of a repeated batch was counted before.
  mutating func count(_ member: BatchMember, isChanged: Bool) {
    guard isChanged, underWay[member.batch]?.isRepeat == false else { return }
    underWay[member.batch]?.counts.changed += 1
  }

  /// The batches whose end is to be stored.
  var withoutMembers: [Int64] {
    if case .loading = phase { return [] }
    return membersLeft.filter { $0.value == 0 && !ending.contains($0.key) }.map(\.key).sorted()
  }

  /// Ends a batch without members. Returns it, and the commands that wait for it.
  mutating func end(_ number: Int64) -> (batch: Batch, waiting: [Held])? {
    guard let batch = underWay[number], ending.insert(number).inserted else { return nil }
    defer { waiting.removeAll { $0.key == batch.key } }
    return (batch, waiting.filter { $0.key == batch.key })
  }
}
