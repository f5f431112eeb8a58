package import Recurrence

/// One tick of a schedule, ready to be published.
package struct Tick: Hashable, Sendable {
  package var definition: Definition
  package var generation: Int64
  /// Ticks sent before this one.
  package var counter: Int64
  /// The nominal instant, `scheduledTime` on the wire.
  package var slot: Instant
  /// When it may leave: the slot plus its jitter. Lateness is measured from here.
  package var due: Instant
  /// Earlier slots folded into this tick.
  package var missed: Int
  /// The slot after this one; nil on the last tick.
  package var nextSlot: Instant?
  /// Whether a Schedule Trigger asked for it. Then its slot is none of the schedule's.
  package var isTriggered: Bool

  package init(
    definition: Definition, generation: Int64, counter: Int64, slot: Instant, due: Instant? = nil, missed: Int,
    nextSlot: Instant?, isTriggered: Bool = false
  ) {
    self.isTriggered = isTriggered
    self.definition = definition
    self.generation = generation
    self.counter = counter
    self.slot = slot
    self.due = due ?? slot
    self.missed = missed
    self.nextSlot = nextSlot
  }
}

/// A Start was accepted: the resulting schedule.
package struct Started: Hashable, Sendable {
  /// What the Start did with its id. The raw values are stored.
  package enum Effect: Int, CaseIterable, Sendable {
    /// No schedule with the id was live.
    case created = 0
    /// A live schedule was replaced.
    case replaced = 1
    /// A schedule is unchanged: a live one, or one that had ended automatically.
    case kept = 2
  }

  package var definition: Definition
  package var generation: Int64
  package var counter: Int64
  /// Nil once the schedule has ended, and while it is held.
  package var nextSlot: Instant?
  package var hasEnded: Bool
  package var effect: Effect
  package var ignored: [String]
  package var revision: Int64
  package var isPaused: Bool
  /// Whether it is the outcome of a duplicate command.
  package var isRepeated: Bool

  package init(
    definition: Definition, generation: Int64, counter: Int64, nextSlot: Instant?, hasEnded: Bool? = nil,
    effect: Effect, ignored: [String], revision: Int64 = 1, isPaused: Bool = false, isRepeated: Bool = false
  ) {
    self.hasEnded = hasEnded ?? (nextSlot == nil && !isPaused)
    self.revision = revision
    self.isPaused = isPaused
    self.isRepeated = isRepeated
    self.definition = definition
    self.generation = generation
    self.counter = counter
    self.nextSlot = nextSlot
    self.effect = effect
    self.ignored = ignored
  }
}

/// A schedule has ended, by a command or automatically.
package struct Stopped: Hashable, Sendable {
  /// Nil when the Stop is a duplicate and the schedule's row is gone.
  package var definition: Definition?
  package var id: ScheduleID
  package var generation: Int64
  package var counter: Int64
  package var reason: String
  /// Whether it is the outcome of a duplicate command.
  package var isRepeated: Bool

  package init(
    definition: Definition?, id: ScheduleID, generation: Int64, counter: Int64, reason: String, isRepeated: Bool = false
  ) {
    self.isRepeated = isRepeated
    self.definition = definition
    self.id = id
    self.generation = generation
    self.counter = counter
    self.reason = reason
  }
}

/// A command was rejected, and why.
package struct Rejection: Error, Hashable, Sendable {
  package var id: ScheduleID?
  /// The command's DetailType, or the routing key if it had none.
  package var command: String
  /// The path in the event: `cron`, `id`, `DetailType`, `body`.
  package var field: String
  /// One sentence that a person can act on.
  package var reason: String

  package init(id: ScheduleID? = nil, command: String, field: String, reason: String) {
    self.id = id
    self.command = command
    self.field = field
    self.reason = reason
  }
}

/// An event published by the scheduler.
package enum OutgoingEvent: Hashable, Sendable {
  case tick(Tick)
  case started(Started)
  case stopped(Stopped)
  case controlled(Controlled)
  case batchDone(BatchDone)
  case rejected(Rejection)
}

extension OutgoingEvent {
  /// The schedule that it is about, if that could be read.
  package var scheduleID: ScheduleID? {
    switch self {
    case .tick(let tick): tick.definition.id
    case .started(let started): started.definition.id
    case .stopped(let stopped): stopped.id
    case .controlled(let controlled): controlled.id
    case .batchDone: nil
    case .rejected(let rejection): rejection.id
    }
  }

  /// The size of its payload, in bytes.
  package var payloadBytes: Int {
    let definition: Definition? =
      switch self {
      case .tick(let tick): tick.definition
      case .started(let started): started.definition
      case .stopped(let stopped): stopped.definition
      case .controlled(let controlled): controlled.definition
      case .batchDone, .rejected: nil
      }
    return definition?.payload?.count ?? 0
  }
}
