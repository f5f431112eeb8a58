import DequeModule
import Recurrence

/// The commands between the broker's queue and their decision, and from there to their acknowledgement.
///
/// What is delivered for the first time waits here, acknowledged once its outcome is confirmed. What is redelivered goes
/// through the inbox, in the order in which it was sent, and is decided before anything newer.
struct Intake {
  /// The consuming channel that is open; nil while there is none.
  private(set) var channel: UInt64?
  private var fresh: Deque<ReceivedCommand> = []
  private var acknowledgements = Acknowledgements()
  private var gathering: Gathering
  private(set) var inbox: InboxLine
  /// Changes of the inbox that wait for the next transaction.
  private var changes: [InboxChange] = []
  /// Schedules on which a command was passed over when commands were last taken.
  private var passedOver: Set<ScheduleID> = []
  /// Whether one of them has become free since: then commands are taken before another tick makes it busy again.
  private(set) var isOverdue = false
  /// Since when the last delivery may have been answered.
  private var lastSince = Instant(milliseconds: .min)
  /// The earliest answer to a command of the inbox of which the queue may still have a copy.
  private var inboxAnswered = Instant(milliseconds: .max)
  /// The most deliveries unacknowledged at a time, and the most bytes of redelivered ones gathered in memory.
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

  /// Commands that were answered from this instant on may yet be decided again.
  var unsettledSince: Instant {
    guard inbox.isEmpty, gathering.isEmpty else { return Instant(milliseconds: .min) }
    return min(acknowledgements.oldest ?? lastSince, inboxAnswered)
  }

  /// Whether redelivered commands are here of which there may be more.
  var isGathering: Bool { gathering.isOpen }

  // MARK: The channel

  mutating func open(_ channel: UInt64) {
    close()
    self.channel = channel
  }

  /// The channel is gone: whatever was not settled will be delivered again.
  mutating func close() {
    channel = nil
    fresh.removeAll()
    gathering.abandon()
    lastSince = acknowledgements.oldest ?? lastSince
    acknowledgements = Acknowledgements()
    passedOver = []
    isOverdue = false
  }

  mutating func append(_ deliveries: [ReceivedCommand], on channel: UInt64, at now: Instant) {
    guard channel == self.channel else { return }
    for delivery in deliveries {
      guard case .delivery(let tag) = delivery.source else { continue }
      if case .redelivered(let raw, let count) = delivery.content {
        // It was answered, if at all, when it came before.
        acknowledgements.delivered(tag, size: delivery.size, since: acknowledgements.oldest ?? lastSince)
        add(gathering.add(raw, deliveries: count, tag: tag, maximumBytes: maximumGatheredBytes))
      } else {
        // Whatever is returned to the queue comes before it.
        endGathering()
        if inbox.isEmpty, gathering.isEmpty, acknowledgements.isEmpty { inboxAnswered = Instant(milliseconds: .max) }
        lastSince = now
        acknowledgements.delivered(tag, on: delivery.scheduleID, size: delivery.size, since: now)
        fresh.append(delivery)
      }
    }
    // The broker would deliver no more, and it never had more out at a time.
    if acknowledgements.count >= prefetch { endGathering() }
  }

  /// The queue has nothing more for us: what was redelivered is all here.
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

  /// Where to go on loading the inbox; nil when nothing is to be loaded.
  func nextLoad(limit: Int) -> InboxPosition?? {
    changes.isEmpty ? inbox.nextLoad(limit: limit, maximumBytes: maximumBytes) : nil
  }

  mutating func load(_ page: InboxPage, decode: (RawDelivery, CommandSource) -> ReceivedCommand) {
    inbox.load(page, decode: decode)
  }

  /// A batch of the inbox is stored whole: it is acknowledged. Returns how many commands it has.
  mutating func completed(_ batch: Int64) -> Int {
    inbox.completed(batch)
    let (tags, count) = gathering.completed(batch)
    for tag in tags { acknowledgements.settle(tag, .acknowledge) }
    return count
  }

  /// A command was decided, and its outcome is on its way.
  mutating func decided(_ source: CommandSource, _ settlement: Acknowledgements.Settlement) {
    if case .inbox(let position) = source { inbox.decided(position, settlement) }
  }

  mutating func remove(_ position: InboxPosition) -> InboxChange { inbox.remove(position) }
  mutating func reapply(_ id: ScheduleID) -> InboxChange { inbox.reapply(id) }

  // MARK: Deciding

  /// Takes up to `limit` commands in order, those of the inbox first, passing over those on a schedule that is busy; what
  /// follows on the same schedule is passed over too, so that commands on one id stay in order.
  mutating func take(_ limit: Int, unless isBusy: (ScheduleID) -> Bool) -> InboxLine.Taken {
    var passed: Set<ScheduleID> = []
    let mustWait = { (id: ScheduleID) in
      guard passed.contains(id) || isBusy(id) else { return false }
      passed.insert(id)
      return true
    }
    var taken = inbox.take(limit, unless: mustWait)
    if !taken.isAlone, inbox.isLoaded, gathering.isEmpty { takeFresh(limit, into: &taken, unless: mustWait) }
    passedOver = passed
    isOverdue = false
    return taken
  }

  private mutating func takeFresh(
    _ limit: Int, into taken: inout InboxLine.Taken, unless mustWait: (ScheduleID) -> Bool
  ) {
    var left: Deque<ReceivedCommand> = []
    while taken.commands.count < limit, let next = fresh.popFirst() {
      if let id = next.scheduleID, mustWait(id) { left.append(next) } else { taken.commands.append(next) }
    }
    while let last = left.popLast() { fresh.prepend(last) }
  }

  /// Nothing is decided any more: the tries of what was not are taken back.
  mutating func takeUndecided() -> InboxLine.Taken { inbox.takeUndecided() }

  /// Whether a command on this schedule was passed over when commands were last taken.
  func isWaiting(for id: ScheduleID) -> Bool { passedOver.contains(id) }

  /// A tick of this schedule is no longer in flight.
  mutating func released(_ id: ScheduleID) {
    if passedOver.contains(id) { isOverdue = true }
  }

  /// Puts commands back that turned out not to be decidable yet, in front and in order.
  mutating func putBack(_ commands: [ReceivedCommand], on channel: UInt64?) {
    inbox.putBack(commands)
    guard let channel, channel == self.channel else { return }
    for command in commands.reversed() {
      if case .delivery = command.source { fresh.prepend(command) }
    }
  }

  // MARK: After the decision

  /// A command was decided, and its answer is remembered as of this instant; for a repeat that of the first time.
  mutating func answered(_ source: CommandSource, at instant: Instant) {
    switch source {
    case .delivery(let tag): acknowledgements.answered(tag, at: instant)
    case .inbox: inboxAnswered = min(inboxAnswered, instant)
    }
  }

  mutating func settle(_ tag: UInt64, on channel: UInt64?, _ settlement: Acknowledgements.Settlement) {
    guard let channel, channel == self.channel else { return }
    acknowledgements.settle(tag, settlement)
  }

  /// What to tell the broker, and how many bytes of commands are in memory no more.
  mutating func takeFrames() -> (settled: Acknowledgements.Settled, channel: UInt64)? {
    guard let channel else { return nil }
    let settled = acknowledgements.takeSettled()
    return settled.isEmpty ? nil : (settled, channel)
  }
}
