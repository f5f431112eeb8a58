package import Recurrence

/// A schedule as stored: its definition and its progress.
package struct Schedule: Hashable, Sendable {
  package var definition: Definition
  package var origin: Origin
  package var key: Key
  package var progress: Progress
  package var declaration: Declaration
  /// Nil for a schedule that no control command has touched: a tick is copied many times on its way.
  private var sharedControl: Shared<Control>?

  package init(
    definition: Definition, origin: Origin, key: Key, progress: Progress, declaration: Declaration = Declaration(),
    control: Control = Control()
  ) {
    self.definition = definition
    self.origin = origin
    self.key = key
    self.progress = progress
    self.declaration = declaration
    self.control = control
  }

  package var control: Control {
    get { sharedControl?.value ?? Control() }
    set { sharedControl = newValue == Control() ? nil : Shared(newValue) }
  }

  /// Whether no control command has touched it.
  package var hasPlainControl: Bool { sharedControl == nil }

  /// Tells whether a later Start declares the same schedule again, also after it has ended.
  package struct Declaration: Hashable, Sendable {
    /// Of the definition of its last Start; nil if that was accepted by an earlier version.
    package var digest: DefinitionDigest?
    /// Whether it was declared by a Start with `keep` or `replaceIfChanged`. An application is likely to send that
    /// again whenever it starts, so the row is retained longer after its end.
    package var isLasting: Bool

    package init(digest: DefinitionDigest? = nil, isLasting: Bool = false) {
      self.digest = digest
      self.isLasting = isLasting
    }
  }

  /// Identifies a schedule, and locates its progress.
  package struct Key: Hashable, Sendable {
    /// Identifies the Start that created this schedule: unique in its database, and always growing. Another Start of
    /// the same id has another generation, so nothing that belongs to the old schedule (a late confirm, a Stopped)
    /// affects the new one.
    package var generation: Int64
    /// The hour, since 1970, of the first slot. Schedules that begin together are likely to tick together, so stores
    /// keep them close together.
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

  /// How far it has come: what is stored with every tick.
  package struct Progress: Hashable, Sendable {
    package var state: State
    /// The number of confirmed ticks.
    package var counter: Int64

    package init(state: State, counter: Int64 = 0) {
      self.state = state
      self.counter = counter
    }

    func with(state: State) -> Progress { Progress(state: state, counter: counter) }
  }

  package enum State: Hashable, Sendable {
    /// Waits for its next tick. Becomes live with another slot, or ended.
    case live(NextTick)
    /// Retained for a while, so that duplicate commands can be answered, then removed.
    case ended(Ending)
  }

  /// The next tick of a live schedule.
  package struct NextTick: Hashable, Sendable {
    /// The nominal instant: what `scheduledTime` and `tickId` name.
    package var slot: Instant
    /// When the tick may leave: the slot, plus the jitter of that slot.
    package var due: Instant
    /// How many earlier slots are folded into this tick, up to `maximumMissed`.
    package var missed: Int
    /// Where the search for the slot started: the last slot sent, or the time of the Start. Stored only if new rules of
    /// a time zone may require the search to be repeated.
    package var since: Instant?

    /// The due time of a held tick: new rules left its schedule without a slot. It stays live until a client stops or
    /// replaces it, and is never due.
    package static let heldDue = Instant(milliseconds: .max)

    package var isHeld: Bool { due == Self.heldDue }

    /// The due time of the next tick of a schedule that is paused until a command resumes it.
    package static let pausedDue = Instant(milliseconds: .max - 1)

    /// `missed` is exact up to this number, and does not grow beyond it.
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
    /// The reason in its Stopped; nil for a one-shot that has fired, which gets no Stopped.
    package var reason: String?
    package var at: Instant
    /// Whether its Stopped is still to be published. Such a row is never removed or replaced.
    package var owesStopped: Bool
    package var kind: Kind

    /// Why it ended, which determines how long its row is retained. The raw values are stored.
    package enum Kind: Int, CaseIterable, Sendable {
      /// By a Stop.
      case stopped = 0
      /// Automatically: by its limit or end date, or because no slot was left.
      case finished = 1
      /// A one-shot that has fired.
      case fired = 2
      /// `finished` or `fired`, and declared with `keep` or `replaceIfChanged`: such a Start does not begin it again.
      case lasting = 3

      package var isAutomatic: Bool { self != .stopped }
    }

    /// - Parameter kind: By default `stopped`, or `fired` without a reason.
    package init(reason: String?, at: Instant, owesStopped: Bool, kind: Kind? = nil) {
      self.reason = reason
      self.at = at
      self.owesStopped = owesStopped
      self.kind = kind ?? (reason == nil ? .fired : .stopped)
    }

    /// Whether the payload is dropped with this end. The Stopped of a Stop takes it from the command's decision.
    /// Otherwise it is dropped when the Stopped is confirmed; the row of a one-shot that has fired is removed soon
    /// anyway.
    package var needsPayloadNoMore: Bool { reason != nil && !owesStopped }
  }

  /// Sets the declaration. A schedule that ended automatically is retained accordingly.
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

/// What is stored of the message that started a schedule, for the properties of its ticks and the rights of its target.
package struct Origin: Hashable, Sendable {
  private struct Fields: Hashable, Sendable {
    var messageID: [UInt8]?
    var userID: String?
    var traceparent: String?
    var tracestate: String?
  }

  private let shared: Shared<Fields>

  package init(
    messageID: [UInt8]? = nil, userID: String? = nil, traceparent: String? = nil, tracestate: String? = nil
  ) {
    shared = Shared(Fields(messageID: messageID, userID: userID, traceparent: traceparent, tracestate: tracestate))
  }

  /// The Start's `message_id` as raw bytes: the `correlation_id` of everything that results from it.
  package var messageID: [UInt8]? { shared.value.messageID }
  /// The login that sent it, if the message named one: the broker accepts only the sender's own. Of a Start, the owner.
  package var userID: String? { shared.value.userID }
  /// W3C trace context; at most 512 bytes.
  package var traceparent: String? { shared.value.traceparent }
  package var tracestate: String? { shared.value.tracestate }
}

extension Origin: CustomStringConvertible {
  package var description: String { "\(shared.value)" }
}
