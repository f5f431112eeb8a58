import DequeModule
import Recurrence

/// The commands between their queue and their settlement.
///
/// First deliveries wait here, and are acknowledged once their outcome is confirmed. Redelivered commands go through
/// the inbox, in the order in which they were sent, and are decided before anything newer.
struct Intake {
  /// The open consuming channel; nil while there is none.
  private(set) var channel: UInt64?
  private var fresh: Deque<ReceivedCommand> = []
  private var acknowledgements = Acknowledgements()
  private var gathering: Gathering
  private(set) var inbox: InboxLine
  /// Changes of the inbox for the next transaction.
  private var changes: [InboxChange] = []
  /// Busy schedules on which a command was passed over when commands were last taken.
  private var passedOver: Set<ScheduleID> = []
  /// Whether one of them has become free since. No tick leaves then until commands are taken again: see
  /// `Engine.maySendTicks`.
  private(set) var blocksTicks = false
  /// With no delivery open: commands that the broker may still redeliver were answered at or after this instant, if at
  /// all.
  private var redeliverableSince = Instant(milliseconds: .min)
  /// When the first of the inbox commands was answered of which the queue may still hold copies.
  private var firstInboxAnswer = Instant(milliseconds: .max)
  private let prefetch: Int
  private let maximumBytes: Int
  private let maximumGatheredBytes: Int

  init(lastBatch: Int64, settings: Engine.Settings) {
    gathering = Gathering(after: lastBatch)
    inbox = InboxLine(lastBatch: lastBatch)
    prefetch = settings.prefetch
    maximumBytes = settings.maximumCommandBytes
    maximumGatheredBytes = settings.maximumGatheredBytes
  }

  /// Commands answered at or after this instant may be delivered again.
  var unsettledSince: Instant {
    guard inbox.isEmpty, gathering.isEmpty else { return Instant(milliseconds: .min) }
    return min(acknowledgements.oldest ?? redeliverableSince, firstInboxAnswer)
  }

  /// Whether more redelivered commands may follow those received.
  var isGathering: Bool { gathering.isOpen }

  // MARK: The channel

  mutating func open(_ channel: UInt64) {
    close()
    self.channel = channel
  }

  /// The channel is gone: whatever was not settled will be redelivered.
  mutating func close() {
    channel = nil
    fresh.removeAll()
    gathering.abandon()
    redeliverableSince = acknowledgements.oldest ?? redeliverableSince
    acknowledgements = Acknowledgements()
    passedOver = []
    blocksTicks = false
  }

  mutating func append(_ deliveries: [ReceivedCommand], on channel: UInt64, at now: Instant) {
    guard channel == self.channel else { return }
    for delivery in deliveries {
      guard case .delivery(let tag) = delivery.source else { continue }
      if case .redelivered(let raw, let count) = delivery.content {
        // If it was answered, that was on its first delivery.
        acknowledgements.delivered(tag, size: delivery.size, since: acknowledgements.oldest ?? redeliverableSince)
        add(gathering.add(raw, deliveries: count, tag: tag, maximumBytes: maximumGatheredBytes))
      } else {
        // The broker delivers everything that was returned to the queue before it.
        endGathering()
        if inbox.isEmpty, gathering.isEmpty, acknowledgements.isEmpty { firstInboxAnswer = Instant(milliseconds: .max) }
        redeliverableSince = now
        acknowledgements.delivered(tag, on: delivery.subject, size: delivery.size, since: now)
        fresh.append(delivery)
      }
    }
    // The broker delivers no more until some are settled, and never had more than this to return.
    if acknowledgements.count >= prefetch { endGathering() }
  }

  /// The queue is empty: everything that is redelivered has arrived.
  mutating func exhausted(on channel: UInt64) {
    if channel == self.channel { endGathering() }
  }

  private mutating func endGathering() {
    acknowledgements.release(gathering.tagsInMemory)
    add(gathering.end())
  }

  // MARK: The inbox

  private mutating func add(_ changes: [InboxChange]) {
    self.changes += changes
    acknowledgements.release(gathering.takeReleased())
  }

  mutating func takeChanges() -> [InboxChange] {
    defer { changes = [] }
    return changes
  }

  /// Where to continue loading the inbox; nil when nothing is to be loaded.
  func nextLoad(limit: Int) -> InboxPosition?? {
    changes.isEmpty ? inbox.nextLoad(limit: limit, maximumBytes: maximumBytes) : nil
  }

  mutating func load(_ page: InboxPage, decode: (RawDelivery, CommandSource) -> ReceivedCommand) {
    inbox.load(page, decode: decode)
  }

  /// A batch is complete in the inbox: its deliveries are acknowledged. Returns the number of its commands.
  mutating func completed(_ batch: Int64) -> Int {
    inbox.completed(batch)
    let (tags, count) = gathering.completed(batch)
    for tag in tags { acknowledgements.settle(tag, .acknowledge) }
    return count
  }

  /// A command was decided, and its outcome is about to be published.
  mutating func decided(_ source: CommandSource, _ settlement: Acknowledgements.Settlement) {
    if case .inbox(let position) = source { inbox.decided(position, settlement) }
  }

  /// A command waits for the end of a batch. That is not a try of its decision.
  mutating func setAside(_ source: CommandSource) {
    if case .inbox(let position) = source { inbox.setAside(position) }
  }

  mutating func remove(_ position: InboxPosition) -> InboxChange { inbox.remove(position) }
  mutating func reapply(_ id: ScheduleID) -> InboxChange { inbox.reapply(id) }

  // MARK: Decision

  /// Takes up to `limit` commands in order: members of batches, then those of the inbox, then fresh ones. Commands on a
  /// busy schedule are passed over, and so are later commands on the same schedule, so that commands on one id stay in
  /// order. A batch command is taken alone, after everything before it.
  ///
  /// - Parameter questions: The most questions to take. Nothing behind a further one is taken.
  mutating func take(
    _ limit: Int, questions: Int = .max, batches: inout Batches, unless isBusy: (ScheduleID) -> Bool
  ) -> InboxLine.Taken {
    var passed: Set<ScheduleID> = []
    func mustWait(_ id: ScheduleID) -> Bool {
      guard passed.contains(id) || isBusy(id) else { return false }
      passed.insert(id)
      return true
    }
    let members = batches.line.take(unless: mustWait)
    var taken = InboxLine.Taken(
      commands: members.compactMap { batches.command(on: $0) }, questionRoom: questions, gate: batches.gate)
    let undecided = batches.line
    inbox.take(limit, into: &taken) { undecided.contains($0) || mustWait($0) }
    if !taken.isAlone, !taken.isBlocked, inbox.isLoaded, gathering.isEmpty {
      takeFresh(limit, into: &taken) { undecided.contains($0) || mustWait($0) }
    }
    assert(taken.commands.count <= limit, "a batch is limited")
    passedOver = passed
    blocksTicks = false
    return taken
  }

  private mutating func takeFresh(
    _ limit: Int, into taken: inout InboxLine.Taken, unless mustWait: (ScheduleID) -> Bool
  ) {
    var left: Deque<ReceivedCommand> = []
    while taken.commands.count < limit, !taken.isAlone, let next = fresh.first, taken.admits(next) {
      fresh.removeFirst()
      if let id = next.scheduleID, mustWait(id) {
        left.append(next)
        taken.hasEarlier = true
      } else {
        taken.add(next)
      }
    }
    while let last = left.popLast() { fresh.prepend(last) }
  }

  /// Nothing more is decided: undoes the tries of undecided commands.
  mutating func takeUndecided() -> InboxLine.Taken { inbox.takeUndecided() }

  /// Whether a command on this schedule was passed over when commands were last taken.
  func isWaiting(for id: ScheduleID) -> Bool { passedOver.contains(id) }

  /// This schedule has nothing in flight any more. If a command on it was passed over, no tick leaves until commands are
  /// taken again.
  mutating func released(_ id: ScheduleID) {
    if passedOver.contains(id) { blocksTicks = true }
  }

  /// Puts commands that cannot be decided yet back in front, in order.
  mutating func putBack(_ commands: [ReceivedCommand], on channel: UInt64?) {
    inbox.putBack(commands)
    guard let channel, channel == self.channel else { return }
    for command in commands.reversed() {
      if case .delivery = command.source { fresh.prepend(command) }
    }
  }

  // MARK: After the decision

  /// A command was decided. Its answer is remembered as of this instant; for a duplicate, as of the first answer.
  mutating func answered(_ source: CommandSource, at instant: Instant) {
    switch source {
    case .delivery(let tag): acknowledgements.answered(tag, at: instant)
    case .inbox: firstInboxAnswer = min(firstInboxAnswer, instant)
    case .member: break
    }
  }

  mutating func settle(_ tag: UInt64, on channel: UInt64?, _ settlement: Acknowledgements.Settlement) {
    guard let channel, channel == self.channel else { return }
    acknowledgements.settle(tag, settlement)
  }

  /// What to send to the broker, and how many bytes of commands are no longer in memory.
  mutating func takeFrames() -> (settled: Acknowledgements.Settled, channel: UInt64)? {
    guard let channel else { return nil }
    let settled = acknowledgements.takeSettled()
    return settled.isEmpty ? nil : (settled, channel)
  }
}
