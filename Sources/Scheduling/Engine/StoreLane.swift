import Recurrence

/// The engine's only access to the store: one request at a time, kinds of work in turn, and the health of the store.
///
/// A passing failure is retried with the same request; until it succeeds, nothing is published or consumed.
struct StoreLane {
  enum State {
    /// Becomes working.
    case idle
    /// A request is outstanding. Becomes idle, retrying or failed.
    case working(Work)
    /// The request failed and is repeated at this time on the monotonic clock; nil once it is outstanding again.
    /// Becomes idle or failed.
    case retrying(Work, at: Int64?)
    /// Only a restart can help: nothing more is decided.
    case failed(StoreError)
  }

  /// A request to the store, with what is needed to continue when it succeeds.
  enum Work: Sendable {
    case lookUp(InboxLine.Taken, channel: UInt64?)
    case inbox(after: InboxPosition?)
    /// Batches of an earlier process.
    case batches(after: BatchMember?)
    /// What a batch command selects.
    case select(Question.List)
    /// The next page of a lane of the window.
    case due(lane: Int, after: DuePosition?, through: DuePosition)
    case owed(after: Int64, limit: Int)
    case review(SlotReview.Causes, after: DuePosition?)
    case apply([Change], [Turn.Answer])
    case sweep(Retention)
    case question(Questions.Item)
  }

  /// Kinds of work, in the order in which they take turns: neither a burst of ticks nor a flood of commands or
  /// questions delays the others.
  enum WorkKind: Int, CaseIterable, Sendable {
    case apply, inbox, lookUp, batch, question, review, due, owed, sweep
  }

  private(set) var state = State.idle
  private var lastKind = WorkKind.due  // so that owed events come first after a start
  /// Since when changes wait for more changes, on the monotonic clock; nil while they do not.
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

  /// Whether the last request to the store succeeded, as far as is known.
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
    case .lookUp: true
    case .apply(_, let answers): !answers.isEmpty
    case .question, .review, .due, .owed, .sweep, .inbox, .batches, .select, nil: false
    }
  }
}

// MARK: - Requests

extension StoreLane {
  /// The kinds of work in the order in which to try them now.
  var kindsInTurn: [WorkKind] {
    let kinds = WorkKind.allCases
    return (1...kinds.count).map { kinds[(lastKind.rawValue + $0) % kinds.count] }
  }

  mutating func begin(_ work: Work, as kind: WorkKind? = nil) {
    assert(isIdle, "one request at a time")
    state = .working(work)
    lastKind = kind ?? lastKind
  }

  /// The work to request again, if it is time.
  mutating func retry(at now: Now) -> Work? {
    guard case .retrying(let work, let at?) = state, now.uptime >= at else { return nil }
    state = .retrying(work, at: nil)
    return work
  }

  /// Whether changes keep waiting for more changes, which they do for a limited time.
  mutating func gathers(at now: Now) -> Bool {
    let since = gatheringSince ?? now.uptime
    gatheringSince = since
    return now.uptime - since < gatheringMilliseconds
  }

  /// The gathered changes are about to be stored. Returns whether they were gathered.
  mutating func endGathering() -> Bool {
    defer { gatheringSince = nil }
    return gatheringSince != nil
  }
}

// MARK: - Results

extension StoreLane {
  /// The request succeeded. Returns its work, and whether it had failed before.
  mutating func succeeded() -> (work: Work, isRecovery: Bool)? {
    guard let work else {
      assertionFailure("a result without a request")
      return nil
    }
    defer { state = .idle }
    return (work, !isAvailable)
  }

  /// The request failed. Returns whether this is the first failure in a row.
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
  /// When, on the monotonic clock, a failed request is repeated; nil without one.
  var retryTime: Int64? {
    if case .retrying(_, let at) = state { at } else { nil }
  }

  /// When, on the monotonic clock, gathered changes are stored; nil without any.
  var gatheringEnd: Int64? { gatheringSince.map { $0 + gatheringMilliseconds } }
}
