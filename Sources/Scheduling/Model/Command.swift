package import Recurrence

/// What a client asks of the scheduler, read and found well-formed.
package enum Command: Hashable, Sendable {
  case start(Start)
  case stop(Stop)

  package struct Start: Hashable, Sendable {
    package var definition: Definition
    /// The event's own `Time`, from which `duration` and `every` count; nil when it had none.
    package var time: Instant?
    /// Names of fields that the contract does not know, in the order sent; Started lists them so that a typing error shows.
    package var ignored: [String]

    package init(definition: Definition, time: Instant? = nil, ignored: [String] = []) {
      self.definition = definition
      self.time = time
      self.ignored = ignored
    }
  }

  package struct Stop: Hashable, Sendable {
    package var id: ScheduleID
    package var reason: String

    package init(id: ScheduleID, reason: String = "stopped") {
      self.id = id
      self.reason = reason
    }
  }

  package var id: ScheduleID {
    switch self {
    case .start(let start): start.definition.id
    case .stop(let stop): stop.id
    }
  }

  package var name: EventName {
    switch self {
    case .start: .start
    case .stop: .stop
    }
  }
}

/// Tells a command from every other: a keyed hash over its `message_id` and body.
///
/// The same command delivered again has the same key. SipHash-2-4 with 128 bits of output under a secret of the
/// database, so that nobody can make a body that is taken for somebody else's.
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

/// Where a command came from, and so how it is settled.
package enum CommandSource: Hashable, Sendable {
  /// The broker's delivery tag, valid within one consuming channel.
  case delivery(tag: UInt64)
  case inbox(InboxPosition)
}

/// A command, as far as it could be read.
package struct ReceivedCommand: Sendable {
  package var source: CommandSource
  /// Bytes of the body, for what is held in memory at a time.
  package var size: Int
  package var origin: Origin
  /// The login that sent it, if it says so: the broker lets nobody say another's.
  package var userID: String?
  package var content: Content

  package enum Content: Sendable {
    /// The key is nil when the client set no `message_id`.
    case command(Command, key: CommandKey?)
    /// Refused for what it is, whatever the state.
    case malformed(Rejection)
    /// One of our own events: dead-lettered without an answer, so that nothing can feed on itself.
    case ownEvent
    /// Delivered before, and so many times: it goes to the inbox undecoded, and is decided from there.
    case redelivered(RawDelivery, deliveries: Int64)
  }

  package init(source: CommandSource, size: Int = 0, origin: Origin, userID: String? = nil, content: Content) {
    self.source = source
    self.size = size
    self.origin = origin
    self.userID = userID
    self.content = content
  }
}

extension ReceivedCommand {
  /// The schedule that it is about, if that could be read.
  var scheduleID: ScheduleID? {
    if case .command(let command, _) = content { command.id } else { nil }
  }
}

/// A command that was answered, kept for the repeat window so that the same command has no second effect.
package struct RememberedCommand: Hashable, Sendable {
  package var key: CommandKey
  package var at: Instant
  package var answer: Answer

  package enum Answer: Hashable, Sendable {
    case started(generation: Int64, effect: Started.Effect)
    case stopped(generation: Int64)
    case rejected(field: String, reason: String)
  }

  package init(key: CommandKey, at: Instant, answer: Answer) {
    self.key = key
    self.at = at
    self.answer = answer
  }
}
