package import Recurrence

/// Where a client expects the reply to its message.
package struct ReplyAddress: Hashable, Sendable {
  /// The message's `reply_to`, in raw bytes; not empty. Nothing else is known of it.
  package var replyTo: [UInt8]
  /// By which the client recognizes the reply: the message's `correlation_id`, or else its `message_id`.
  package var correlationID: [UInt8]?

  package init(replyTo: [UInt8], correlationID: [UInt8]? = nil) {
    self.replyTo = replyTo
    self.correlationID = correlationID
  }
}

/// An event for one client: the answer to its question, or a copy of the outcome of its command.
///
/// It is sent once at most: a client that misses a reply asks again.
package struct Reply: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    /// The outcome of a command, or the rejection of a question.
    case event(OutgoingEvent)
    case described(Described)
    case listed(Listed)
  }

  package var address: ReplyAddress
  package var content: Content
  package var origin: Origin

  package init(to address: ReplyAddress, _ content: Content, origin: Origin) {
    self.address = address
    self.content = content
    self.origin = origin
  }
}

extension Reply.Content {
  /// The schedule that it is about, if that could be read.
  package var scheduleID: ScheduleID? {
    switch self {
    case .event(let event): event.scheduleID
    case .described(let described): described.schedule.id
    case .listed: nil
    }
  }
}

/// The answer to a Schedule Describe.
package struct Described: Hashable, Sendable {
  package var schedule: Schedule
  package var history: Schedule.History
  /// The slots of its next ticks.
  package var upcoming: [Instant]

  package init(schedule: Schedule, history: Schedule.History = Schedule.History(), upcoming: [Instant] = []) {
    self.schedule = schedule
    self.history = history
    self.upcoming = upcoming
  }
}

/// The answer to a Schedule List: a page of schedules.
package struct Listed: Hashable, Sendable {
  /// Without their payloads.
  package var schedules: [Schedule]
  /// With which to ask for the next page; nil on the last.
  package var next: String?

  package init(schedules: [Schedule], next: String? = nil) {
    self.schedules = schedules
    self.next = next
  }
}

extension Schedule {
  /// The state of a schedule as clients see it. A held schedule is active without a next tick.
  package enum PublicState: String, CaseIterable, Sendable {
    case active, paused, ended
  }

  package var publicState: PublicState {
    if isPaused { return .paused }
    return isLive ? .active : .ended
  }
}
