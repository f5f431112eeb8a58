import DequeModule
import Recurrence

/// The commands delivered on the current consuming channel: waiting to be decided, and not yet settled.
///
/// Bounded by the channel's prefetch.
struct CommandBacklog {
  private(set) var channel: UInt64?
  private var waiting: Deque<ReceivedCommand> = []
  private var acknowledgements = Acknowledgements()
  /// Schedules on which a command was passed over when commands were last taken.
  private var passedOver: Set<ScheduleID> = []
  /// Whether one of them has become free since: then commands are taken before another tick makes it busy again.
  private(set) var isOverdue = false
  /// Schedules on which a command without message_id was applied that may have been applied before. What follows on
  /// these out of the same redelivery has to be applied again, too, for the last of them to decide what stands there.
  private(set) var appliedAgain: Set<ScheduleID> = []
  /// Since when the last delivery may have been answered.
  private var lastSince = Instant(milliseconds: .min)

  /// Commands that were answered from this instant on may yet be delivered again.
  var unsettledSince: Instant { acknowledgements.oldest ?? lastSince }

  var isEmpty: Bool { waiting.isEmpty }

  mutating func open(_ channel: UInt64) {
    close()
    self.channel = channel
  }

  /// The channel is gone: whatever was not settled will be delivered again.
  mutating func close() {
    channel = nil
    waiting.removeAll()
    lastSince = unsettledSince
    acknowledgements = Acknowledgements()
    passedOver = []
    isOverdue = false
  }

  mutating func append(_ deliveries: [ReceivedCommand], on channel: UInt64, at now: Instant) {
    guard channel == self.channel else { return }
    for delivery in deliveries {
      if !delivery.isRedelivered, acknowledgements.isEmpty { appliedAgain = [] }
      // What is delivered again was answered, if at all, when it came before.
      lastSince = delivery.isRedelivered ? unsettledSince : now
      acknowledgements.delivered(delivery.tag, on: delivery.scheduleID, since: lastSince)
      waiting.append(delivery)
    }
  }

  mutating func noteAppliedAgain(_ id: ScheduleID) { appliedAgain.insert(id) }

  /// Takes up to `limit` commands in order of arrival, passing over those on a schedule that is busy; what follows on
  /// the same schedule is passed over too, so that commands on one id stay in order.
  mutating func take(_ limit: Int, unless isBusy: (ScheduleID) -> Bool) -> [ReceivedCommand] {
    var taken: [ReceivedCommand] = []
    var left: Deque<ReceivedCommand> = []
    passedOver = []
    isOverdue = false
    while taken.count < limit, let next = waiting.popFirst() {
      if let id = next.scheduleID, passedOver.contains(id) || isBusy(id) {
        passedOver.insert(id)
        left.append(next)
      } else {
        taken.append(next)
      }
    }
    while let last = left.popLast() { waiting.prepend(last) }
    return taken
  }

  /// A tick of this schedule is no longer under way.
  mutating func becameFree(_ id: ScheduleID) {
    if passedOver.contains(id) { isOverdue = true }
  }

  /// Puts commands back that turned out not to be decidable yet, in front and in order.
  mutating func putBack(_ commands: [ReceivedCommand], on channel: UInt64) {
    guard channel == self.channel else { return }
    for command in commands.reversed() { waiting.prepend(command) }
  }

  /// A command was decided, and its answer is remembered as of this instant; for a repeat that of the first time.
  mutating func answered(_ tag: UInt64, at instant: Instant) {
    acknowledgements.answered(tag, at: instant)
  }

  mutating func settle(_ tag: UInt64, on channel: UInt64, _ settlement: Acknowledgements.Settlement) {
    guard channel == self.channel else { return }
    acknowledgements.settle(tag, settlement)
  }

  mutating func takeFrames() -> (frames: [Acknowledgements.Frame], channel: UInt64)? {
    guard let channel else { return nil }
    let frames = acknowledgements.takeFrames()
    return frames.isEmpty ? nil : (frames, channel)
  }
}

extension ReceivedCommand {
  var scheduleID: ScheduleID? {
    if case .command(let command, _) = content { command.id } else { nil }
  }
}
