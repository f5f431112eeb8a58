package import Recurrence

/// A schedule as the store keeps it: what was asked for, and how far it has come.
package struct Schedule: Hashable, Sendable {
  package var definition: Definition
  package var origin: Origin
  package var key: Key
  package var progress: Progress
  package var declaration: Declaration

  package init(
    definition: Definition, origin: Origin, key: Key, progress: Progress, declaration: Declaration = Declaration()
  ) {
    self.definition = definition
    self.origin = origin
    self.key = key
    self.progress = progress
    self.declaration = declaration
  }

  /// By what a later Start finds out whether it declares the same schedule again, also when this one has ended.
  package struct Declaration: Hashable, Sendable {
    /// Of the definition of its last Start; nil of a schedule that was started under an earlier version.
    package var digest: DefinitionDigest?
    /// Whether a Start that keeps what is the same (`keep`, `replaceIfChanged`) declared it. An application is likely to
    /// send that again at each of its starts, so the row is retained for longer after its end.
    package var isLasting: Bool

    package init(digest: DefinitionDigest? = nil, isLasting: Bool = false) {
      self.digest = digest
      self.isLasting = isLasting
    }
  }

  /// By which a schedule is told from all others, and its progress found.
  package struct Key: Hashable, Sendable {
    /// Which Start made this schedule: a number that only grows, unique in its database. A Start of the same id makes a
    /// new one, so what belongs to the old one (a confirm that comes late, a Stopped) can never touch the new.
    package var generation: Int64
    /// The hour, since 1970, of the first slot. Schedules that begin together are likely to tick together, so a store
    /// does well to keep them side by side.
    package var cohort: Int64

    package init(generation: Int64, cohort: Int64) {
      self.generation = generation
      self.cohort = cohort
    }

    /// - Parameter slot: The first slot of the schedule.
    package init(generation: Int64, beginningAt slot: Instant) {
      self.init(
        generation: generation, cohort: max(0, min(slot.milliseconds / Self.cohortMilliseconds, Self.lastCohort)))
    }

    package static let cohortMilliseconds: Int64 = 3_600_000
    /// In the year 2209.
    package static let lastCohort: Int64 = 1 << 21 - 1
  }

  /// How far it has come: what is written with every tick.
  package struct Progress: Hashable, Sendable {
    package var state: State
    /// The ticks sent and confirmed so far.
    package var counter: Int64

    package init(state: State, counter: Int64 = 0) {
      self.state = state
      self.counter = counter
    }

    func with(state: State) -> Progress { Progress(state: state, counter: counter) }
  }

  package enum State: Hashable, Sendable {
    /// Waiting for its next tick. Becomes live with a later slot, or ended.
    case live(NextTick)
    /// Over. Kept for a while, so that a repeated command can still be answered, then removed.
    case ended(Ending)
  }

  /// The next tick of a live schedule.
  package struct NextTick: Hashable, Sendable {
    /// The nominal instant: what `scheduledTime` and `tickId` name.
    package var slot: Instant
    /// When the tick may leave: the slot, plus the jitter of that slot.
    package var due: Instant
    /// How many earlier slots this tick stands for, up to `maximumMissed`.
    package var missed: Int
    /// The instant after which the slot was looked for: the last slot sent, or the time of the Start. Kept only where
    /// the search may have to be made again, since new rules of a time zone can move the slot.
    package var since: Instant?

    /// The due time of a tick that is held: new rules left its schedule without a slot. It stays live until a client stops or
    /// replaces it, and is never due.
    package static let heldDue = Instant(milliseconds: .max)

    package var isHeld: Bool { due == Self.heldDue }

    /// `missed` is exact up to this number and stays there beyond.
    package static let maximumMissed = 1000

    package init(slot: Instant, due: Instant, missed: Int = 0, since: Instant? = nil) {
      self.slot = slot
      self.due = due
      self.missed = missed
      self.since = since
    }
  }

  /// How and when a schedule ended.
  package struct Ending: Hashable, Sendable {
    /// The reason told in Schedule Stopped; nil for a one-shot that has fired, which gets no Stopped.
    package var reason: String?
    package var at: Instant
    /// Whether its Schedule Stopped is still to be published. Such a row is never removed or replaced.
    package var owesStopped: Bool
    package var kind: Kind

    /// Why it is over, and so for how long its row is retained. The numbers are those of the store.
    package enum Kind: Int, CaseIterable, Sendable {
      /// By a Stop.
      case stopped = 0
      /// Automatically: by its limit, its end date, or because no slot was left.
      case finished = 1
      /// A one-shot that has fired.
      case fired = 2
      /// `finished` or `fired`, and declared by Starts that keep what is the same: such a Start does not begin it again.
      case lasting = 3

      /// Whether it ended automatically.
      package var isAutomatic: Bool { self != .stopped }
    }

    /// - Parameter kind: `stopped` or, without a reason, `fired`, if it is not given.
    package init(reason: String?, at: Instant, owesStopped: Bool, kind: Kind? = nil) {
      self.reason = reason
      self.at = at
      self.owesStopped = owesStopped
      self.kind = kind ?? (reason == nil ? .fired : .stopped)
    }

    /// Whether a store drops the payload with this end, as it does else once the Stopped is confirmed: the Stopped of a Stop
    /// takes it from the command's decision. A one-shot that fired is removed soon as it is.
    package var needsPayloadNoMore: Bool { reason != nil && !owesStopped }
  }

  /// Takes another declaration; if it ended automatically, it is retained as that says.
  package mutating func declare(_ declaration: Declaration) {
    self.declaration = declaration
    guard declaration.isLasting, var ending, ending.kind.isAutomatic else { return }
    ending.kind = .lasting
    progress.state = .ended(ending)
  }

  package var id: ScheduleID { definition.id }
  package var generation: Int64 { key.generation }
  package var counter: Int64 { progress.counter }
  package var state: State { progress.state }
  package var nextTick: NextTick? { state.nextTick }
  package var ending: Ending? { state.ending }
}

extension Schedule.State {
  package var nextTick: Schedule.NextTick? {
    if case .live(let nextTick) = self { nextTick } else { nil }
  }

  package var ending: Schedule.Ending? {
    if case .ended(let ending) = self { ending } else { nil }
  }
}

/// What a schedule keeps of the message that started it, for the properties of its ticks.
package struct Origin: Hashable, Sendable {
  private struct Fields: Hashable, Sendable {
    var messageID: [UInt8]?
    var traceparent: String?
    var tracestate: String?
  }

  private let shared: Shared<Fields>

  package init(messageID: [UInt8]? = nil, traceparent: String? = nil, tracestate: String? = nil) {
    shared = Shared(Fields(messageID: messageID, traceparent: traceparent, tracestate: tracestate))
  }

  /// The Start's `message_id`, raw bytes; the `correlation_id` of what follows from it.
  package var messageID: [UInt8]? { shared.value.messageID }
  /// W3C trace context, strings of at most 512 bytes.
  package var traceparent: String? { shared.value.traceparent }
  package var tracestate: String? { shared.value.tracestate }
}

extension Origin: CustomStringConvertible {
  package var description: String { "\(shared.value)" }
}
