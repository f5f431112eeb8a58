package import Recurrence

/// A well-formed command from a client.
package enum Command: Hashable, Sendable {
  case start(Start)
  case stop(Stop)
  case pause(Pause)
  case resume(Resume)
  case trigger(Trigger)
  case update(Update)

  package struct Start: Hashable, Sendable {
    package var definition: Definition
    /// The event's own `Time`, from which `duration` and `every` count; nil if it had none.
    package var time: Instant?
    /// Names of fields that the contract does not define, in the order sent. Started lists them so that typing errors
    /// show.
    package var ignored: [String]
    /// Whether the schedule begins paused; nil to leave a pause as it is when a live schedule is replaced.
    package var paused: Bool?

    package init(definition: Definition, time: Instant? = nil, ignored: [String] = [], paused: Bool? = nil) {
      self.definition = definition
      self.time = time
      self.ignored = ignored
      self.paused = paused
    }
  }

  package struct Stop: Hashable, Sendable {
    package var id: ScheduleID
    package var reason: String

    package static let usualReason = "stopped"

    package init(id: ScheduleID, reason: String = usualReason) {
      self.id = id
      self.reason = reason
    }
  }

  package var id: ScheduleID {
    switch self {
    case .start(let start): start.definition.id
    case .stop(let stop): stop.id
    case .pause(let pause): pause.id
    case .resume(let resume): resume.id
    case .trigger(let trigger): trigger.id
    case .update(let update): update.id
    }
  }

  package var name: EventName {
    switch self {
    case .start: .start
    case .stop: .stop
    case .pause: .pause
    case .resume: .resume
    case .trigger: .trigger
    case .update: .update
    }
  }
}

/// Identifies a command: a keyed hash over its `message_id` and body.
///
/// A redelivered command has the same key. The hash is SipHash-2-4 with 128 bits of output under a secret of the
/// database, so that nobody can forge a body with the key of another command.
package struct CommandKey: Hashable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(messageID: [UInt8], body: [UInt8], secret: SipHash.Key) {
    var hash = SipHash(key: secret)
    hash.append([UInt8(truncatingIfNeeded: messageID.count)])  // a message_id has at most 255 bytes
    hash.append(messageID)
    hash.append(body)
    (high, low) = hash.finish()
  }
}

/// Where a command came from, which determines how it is settled.
package enum CommandSource: Hashable, Sendable {
  /// The broker's delivery tag, valid within one consuming channel.
  case delivery(tag: UInt64)
  case inbox(InboxPosition)
  /// Part of a batch command.
  case member(BatchMember)
}

/// A received command, decoded as far as possible.
package struct ReceivedCommand: Sendable {
  package var source: CommandSource
  /// Bytes of the body, for the limit on memory.
  package var size: Int
  package var origin: Origin
  /// Where to send its outcome, beside the event bus; nil if the client asks for no reply.
  package var replyTo: ReplyAddress?
  package var content: Content

  package enum Content: Sendable {
    /// The key is nil when the client set no `message_id`.
    case command(Command, key: CommandKey?)
    /// A client sets a `message_id`, so there always is a key.
    case batch(BatchCommand, key: CommandKey)
    /// Answered to this address only.
    case question(Question, to: ReplyAddress)
    /// Rejected whatever the state of its schedule.
    case malformed(Rejection)
    /// An event of our own: dead-lettered without an outcome, so that no loop can arise.
    case ownEvent
    /// Delivered before, `deliveries` times. It goes to the inbox undecoded, and is decided from there.
    case redelivered(RawDelivery, deliveries: Int64)
  }

  package init(
    source: CommandSource, size: Int = 0, origin: Origin, replyTo: ReplyAddress? = nil, content: Content
  ) {
    self.source = source
    self.size = size
    self.origin = origin
    self.replyTo = replyTo
    self.content = content
  }
}

extension ReceivedCommand {
  /// The schedule that it is about, if that could be read. A question has none: it waits for no schedule.
  var scheduleID: ScheduleID? {
    if case .command(let command, _) = content { command.id } else { nil }
  }

  var subject: Acknowledgements.Subject {
    if isBatch { .many } else { scheduleID.map { .schedule($0) } ?? .nothing }
  }

  var isQuestion: Bool {
    if case .question = content { true } else { false }
  }

  var isBatch: Bool {
    if case .batch = content { true } else { false }
  }
}

/// A command and its answer, kept for the repeat window so that a duplicate is idempotent.
package struct RememberedCommand: Hashable, Sendable {
  package var key: CommandKey
  package var at: Instant
  package var answer: Answer

  package enum Answer: Hashable, Sendable {
    case started(generation: Int64, effect: Started.Effect)
    case stopped(generation: Int64)
    /// By a Pause, Resume, Trigger or Update.
    case controlled(generation: Int64)
    /// By a batch command, once it was done.
    case batch(BatchCounts)
    /// - Parameter isOfState: Whether it depends on the stored state; the command is then acknowledged.
    case rejected(field: String, reason: String, isOfState: Bool)
  }

  package init(key: CommandKey, at: Instant, answer: Answer) {
    self.key = key
    self.at = at
    self.answer = answer
  }
}
