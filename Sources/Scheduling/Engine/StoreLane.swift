import Recurrence

/// The engine's only lane to the store: one piece of work at a time, kinds of work in turns, and whether the store works.
///
/// A passing failure is retried with the very same request; until it succeeds nothing is published or consumed.
struct StoreLane {
  enum State {
    case idle
    /// Its answer is awaited.
    case working(Work)
    /// The store failed and is asked again at this time on the monotonic clock; nil while the answer is awaited.
    case retrying(Work, at: Int64?)
    /// Only a new process can help: nothing is decided any more.
    case failed(StoreError)
  }

  /// What the store is asked to do, with what is needed to continue once it has answered.
  enum Work: Sendable {
    case look(InboxLine.Taken, channel: UInt64?)
    case inbox(after: InboxPosition?)
    /// The next page of a lane of the window.
    case due(lane: Int, after: DuePosition?, through: Instant)
    case owed(after: Int64, limit: Int)
    case review(SlotReview.Causes, after: DuePosition?)
    case apply([Change], [Turn.Answer])
    case sweep(Retention)
  }

  /// Kinds of work, in the order in which they take turns: neither a burst of ticks nor a flood of commands keeps the others
  /// waiting.
  enum WorkKind: Int, CaseIterable, Sendable {
    case apply, inbox, look, review, due, owed, sweep
  }

  private(set) var state = State.idle
  private var lastKind = WorkKind.due  // owed Stoppeds come first after a start
  /// Since when changes wait for more of them, on the monotonic clock; nil while they do not.
  private var gatheringSince: Int64?
  private let retryMilliseconds: Int64
  private let gatheringMilliseconds: Int64

  init(settings: Engine.Settings) {
    retryMilliseconds = settings.storeRetryMilliseconds
    gatheringMilliseconds = settings.gatheringMilliseconds
  }

  var isIdle: Bool {
    if case .idle = state { true } else { false }
  }

  /// Whether the store did what it was last asked, as far as is known.
  var isAvailable: Bool {
    switch state {
    case .idle, .working: true
    case .retrying, .failed: false
    }
  }

  var failure: StoreError? {
    if case .failed(let error) = state { error } else { nil }
  }

  private var work: Work? {
    switch state {
    case .working(let work), .retrying(let work, _): work
    case .idle, .failed: nil
    }
  }

  /// Whether commands are being looked up, or their changes stored.
  var isDeciding: Bool {
    switch work {
    case .look: true
    case .apply(_, let answers): !answers.isEmpty
    case .review, .due, .owed, .sweep, .inbox, nil: false
    }
  }
}

// MARK: - Asking

extension StoreLane {
  /// The kinds of work in the order in which they are to be tried now.
  var kindsInTurn: [WorkKind] {
    let kinds = WorkKind.allCases
    return (1...kinds.count).map { kinds[(lastKind.rawValue + $0) % kinds.count] }
  }

  /// Begins a piece of work.
  mutating func begin(_ work: Work, as kind: WorkKind? = nil) {
    assert(isIdle, "one request at a time")
    state = .working(work)
    lastKind = kind ?? lastKind
  }

  /// The work to ask for again, if it is time for that.
  mutating func retry(at now: Now) -> Work? {
    guard case .retrying(let work, let at?) = state, now.uptime >= at else { return nil }
    state = .retrying(work, at: nil)
    return work
  }

  /// Whether changes go on waiting for others, which they do for a bounded time.
  mutating func gathers(at now: Now) -> Bool {
    let since = gatheringSince ?? now.uptime
    gatheringSince = since
    return now.uptime - since < gatheringMilliseconds
  }

  /// The batch is taken. Returns whether it was gathered.
  mutating func endGathering() -> Bool {
    defer { gatheringSince = nil }
    return gatheringSince != nil
  }
}

// MARK: - Answers

extension StoreLane {
  /// The store did what it was asked. Returns that, and whether it had failed before.
  mutating func succeeded() -> (work: Work, isRecovery: Bool)? {
    guard let work else {
      assertionFailure("an answer that nothing asked for")
      return nil
    }
    defer { state = .idle }
    return (work, !isAvailable)
  }

  /// Returns whether this is the first failure in a row.
  mutating func failed(_ error: StoreError, at now: Now) -> Bool {
    guard let work, error.isPassing else {
      state = .failed(error)
      return false
    }
    defer { state = .retrying(work, at: now.uptime + retryMilliseconds) }
    return isAvailable
  }
}

// MARK: - Deadlines

extension StoreLane {
  /// When, on the monotonic clock, a failed request is repeated; nil while there is none to repeat.
  var retryTime: Int64? {
    if case .retrying(_, let at) = state { at } else { nil }
  }

  /// When, on the monotonic clock, gathered changes are stored.
  var gatheringEnd: Int64? { gatheringSince.map { $0 + gatheringMilliseconds } }
}
