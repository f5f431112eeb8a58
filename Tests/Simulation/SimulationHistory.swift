package import Recurrence
package import Scheduling
import SchedulingTestKit

/// Everything that is visible from outside a simulated run, in order. The checker uses nothing else.
package struct SimulationHistory: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package var now: Now
    package var event: Event
  }

  package enum Event: Equatable, Sendable {
    /// A process begins, with a store that remembers answered commands at least this long, and this list of targets.
    case began(repeatWindowMilliseconds: Int64, TargetList)
    /// A client's message is in the command queue.
    case submitted(SimulatedMessage)
    /// Handed to the connection to the broker.
    case sent(Publication)
    /// The broker routed it to its queues: consumers see it.
    case arrived(Publication)
    /// The broker's ack reached the engine.
    case confirmed(Publication)
    /// The broker's nack reached the engine.
    case refused(Publication)
    /// A transaction is durable.
    case committed([Change])
    /// Tries of inbox commands were durably counted, and those of passed-over commands undone.
    case tried([InboxPosition], passedOver: [InboxPosition])
    /// A message left the command queue, acknowledged or dead-lettered.
    case settled(label: Int, Acknowledgements.Settlement)
    /// The engine broke a rule of AMQP or of its own interface.
    case misbehaved(String)
    case gaveUp(ScheduleID, slot: Instant)
    /// The engine will not send an outcome again.
    case gaveUpOutcome(OutgoingEvent, Origin)
    /// From here on the broker closes the channel on publications about these schedules.
    case poisoned([ScheduleID])
    /// The wall clock, which shows the time of this entry, is about to be set.
    case clockStepped(milliseconds: Int64)
    /// The engine reported that the clock was set far back, so that slots are recomputed.
    case clockSetBack
    case connectionLost(Outlet)
    /// The broker accepts no publications until it unblocks, or until the next connection.
    case blocked(Outlet), unblocked(Outlet)
    /// A store request failed; or has succeeded after failures.
    case storeFailed, storeRecovered
    /// The process died, or ended after it was drained.
    case ended(isClean: Bool)
    /// All faults are repaired and all work is done; the run may continue.
    case finished
    /// The same, but for the schedules that are poisoned.
    case finishedBesidePoison
    /// The same, but for the schedules with a target. While their connection does not answer, their triggered ticks may take
    /// the room of other events that rows owe.
    case finishedBesideTargets(isAnswered: Bool)
    /// Nothing could be sent over the event bus for a while.
    case finishedBesideBus
  }

  package private(set) var entries: [Entry] = []

  /// How long the run took by the monotonic clock, which restarts with each process.
  package var elapsedMilliseconds: Int64 {
    zip(entries, entries.dropFirst()).reduce(0) { sum, pair in
      if case .ended = pair.0.event { sum } else { sum + max(0, pair.1.now.uptime - pair.0.now.uptime) }
    }
  }

  package var tickCount: Int {
    entries.count { if case .sent(let publication) = $0.event { publication.isTick } else { false } }
  }

  mutating func note(_ event: Event, at now: Now) {
    entries.append(Entry(now: now, event: event))
  }

  /// The history with each entry replaced by others or removed, for tests of the checker.
  func altered(_ change: (Entry) -> [Entry]) -> SimulationHistory {
    SimulationHistory(entries: entries.flatMap(change))
  }
}

/// A message in the command queue.
package struct SimulatedMessage: Equatable, Sendable {
  /// Its number, unique in a run; the correlation of its outcome.
  package var label: Int
  package var content: Content
  /// The login of the sender.
  package var user: String?

  package enum Content: Equatable, Sendable {
    /// Messages with the same key are the same command sent again.
    case command(Command, key: CommandKey?)
    case batch(BatchCommand, key: CommandKey)
    case malformed
    case ownEvent
    /// Ends the process that decodes it.
    case poison
  }

  func isAbout(_ id: [UInt8]) -> Bool {
    if case .command(let command, _) = content { command.id.bytes == id } else { false }
  }

  /// Whether it is a command by group or prefix that may apply to a schedule.
  func maySelect(_ id: [UInt8]) -> Bool {
    guard case .batch(let batch, _) = content else { return false }
    return switch batch.selector {
    case .group: true
    case .prefix(let prefix): id.starts(with: prefix)
    }
  }

  /// Whether it may undo an earlier command, so that this one must not be redelivered alone.
  func undoes(_ earlier: SimulatedMessage) -> Bool {
    guard case .command(let command, _) = earlier.content else { return false }
    return isAbout(command.id.bytes) || maySelect(command.id.bytes)
  }

  var origin: Origin {
    Origin(messageID: withUnsafeBytes(of: Int32(label).bigEndian) { Array($0) }, userID: user)
  }

  var received: ReceivedCommand.Content {
    switch content {
    case .command(let command, let key): .command(command, key: key)
    case .batch(let command, let key): .batch(command, key: key)
    case .malformed, .poison: .malformed(Rejection(command: "Schedule Start", field: "body", reason: "not JSON"))
    case .ownEvent: .ownEvent
    }
  }

  func received(tag: UInt64, deliveries: Int64, _ archive: CommandArchive) -> ReceivedCommand {
    let isPoison = content == .poison
    let raw = archive.raw(received, origin: origin, number: label, isPoison: isPoison)
    if deliveries > 0 {
      return ReceivedCommand(
        source: .delivery(tag: tag), size: 100, origin: origin, content: .redelivered(raw, deliveries: deliveries))
    }
    var command = archive.decode(raw, from: .delivery(tag: tag))
    command.size = 100
    return command
  }
}

extension Origin {
  /// The label of the message with this origin.
  var label: Int { (messageID ?? []).reduce(0) { $0 << 8 | Int($1) } }
}

/// Important states that a random run rarely reaches. They are counted, to prove that the runs reach them.
package enum RareState: CaseIterable, Sendable {
  case crashInsideCommit, crashAfterCommit, crashWithTickInFlight, cleanStop
  case connectionLostWithTickInFlight, connectionLostAfterArrival, confirmedOutOfOrder, confirmedLate, refused,
    refusedYetArrived, blocked
  case channelLostDuringLook, channelLostWithUnsettled, channelLostWhileGathering
  case redeliveredOutOfOrder, crashWithInbox, poisoned
  case storeFailed, clockSteppedBack, clockSteppedForward, clockSetFarBack, slept
  case resentAfterCrash, resentAfterLoss, resentAfterRefusal, resentAfterTimeout
  case closedChannel, closedChannelUnexplained, gaveUpOutcome
  case folded, skipped, tooOld, skippedToTheEnd, movedBack, gaveUp, oneShotFired, limitReached, endDateReached,
    replacedLive, kept, keptEnded, refusedForALiveOne, stopped, repeatAnswered, rejectedState, deadLettered,
    stoppedOwedAgain
  case paused, pausedAgain, pausedInDoubt, startedPaused
  case resumedSkipping, resumedFiringOnce, resumedFiringAll, resumedInDoubt, resumedByItself, resumedOwedAgain,
    skippedWhilePaused
  case triggered, triggeredWhilePaused, triggeredAgain
  case batchStopped, batchPaused, batchResumed, batchUnchanged, batchMemberRejected, batchMatchedNone, batchTooMany,
    batchCompletedAfterCrash, batchAppliedAgain
  case targetSent, targetSentAgain, targetLostInFlight, targetRefused, targetExpired, targetTriggered,
    targetTriggerExpired, targetsBlocked, targetsWithdrawn, targetWithdrawn, targetRejected, targetSet, targetRemoved,
    targetChangedInDoubt, finishedWithoutTargets, finishedWithoutBus
  case updated, updatedWhilePaused, updatedInDoubt, endedByUpdate, rejectedRevision
}
