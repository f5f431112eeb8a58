package import Recurrence
package import Scheduling
import SchedulingTestKit

/// All that can be seen of a simulated run from outside, in order: the checker judges from this alone.
package struct SimulationHistory: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package var now: Now
    package var event: Event
  }

  package enum Event: Equatable, Sendable {
    /// The run begins, with a store that remembers answered commands at least so long.
    case began(repeatWindowMilliseconds: Int64)
    /// A client's message is safe in the command queue.
    case submitted(SimulatedMessage)
    /// Handed to the connection to the broker.
    case sent(Publication)
    /// The broker routed it to its queues: consumers see it.
    case arrived(Publication)
    /// The engine was told of the broker's ack.
    case confirmed(Publication)
    /// The engine was told of the broker's nack.
    case refused(Publication)
    /// A transaction is durable.
    case committed([Change])
    /// Tries of commands of the inbox were counted, durably, and those of others taken back.
    case tried([InboxPosition], passedOver: [InboxPosition])
    /// A message left the command queue, acknowledged or for the dead queue.
    case settled(label: Int, Acknowledgements.Settlement)
    /// The engine broke a rule of AMQP or of its own interface.
    case misbehaved(String)
    case gaveUp(ScheduleID, slot: Instant)
    /// The engine will not send an outcome again.
    case gaveUpOutcome(OutgoingEvent, Origin)
    /// From here on the broker closes the channel on what is published about these schedules.
    case poisoned([ScheduleID])
    /// The wall clock, which stands at the time of this entry, is about to be set.
    case clockStepped(milliseconds: Int64)
    /// The engine said that the clock was set back so far that slots are looked for anew.
    case clockSetBack
    case connectionLost
    /// The broker takes no publications until it is unblocked, or on the next connection.
    case blocked, unblocked
    /// The store failed at what it was asked; has done it after that.
    case storeFailed, storeRecovered
    /// The process died, or ended after it said that it was drained.
    case ended(isClean: Bool)
    /// All faults are healed and all that could be done is done; the run may go on.
    case finished
    /// The same, but for the schedules that are poisoned.
    case finishedBesidePoison
  }

  package private(set) var entries: [Entry] = []

  /// How long the run took by the monotonic clock, which begins anew with each process.
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

  /// The same history with each entry replaced by others or none, for tests of the checker.
  func altered(_ change: (Entry) -> [Entry]) -> SimulationHistory {
    SimulationHistory(entries: entries.flatMap(change))
  }
}

/// A message in the command queue.
package struct SimulatedMessage: Equatable, Sendable {
  /// Its number, unique in a run; the `message_id` that its answer names.
  package var label: Int
  package var content: Content

  package enum Content: Equatable, Sendable {
    /// Messages with the same key are the same command sent again.
    case command(Command, key: CommandKey?)
    case malformed
    case ownEvent
    /// Ends the process that decodes it.
    case poison
  }

  func isAbout(_ id: [UInt8]) -> Bool {
    if case .command(let command, _) = content { command.id.bytes == id } else { false }
  }

  var origin: Origin { Origin(messageID: withUnsafeBytes(of: Int32(label).bigEndian) { Array($0) }) }

  var received: ReceivedCommand.Content {
    switch content {
    case .command(let command, let key): .command(command, key: key)
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
  /// The label of the message of which this is the origin.
  var label: Int { (messageID ?? []).reduce(0) { $0 << 8 | Int($1) } }
}

/// States that a random run seldom reaches and that matter: each is counted, to prove that the runs reach them.
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
}
