import DequeModule
import Recurrence

/// Every publication that is not resolved (ready to leave, in flight, timed out, or backing off after a nack), and
/// whether the broker accepts publications.
///
/// Bounded by the publish window for ticks, by the commands in memory for outcomes and by `OwedEvents` for
/// events that rows owe.
/// Ticks that are timed out or backing off are bounded separately, by `heldTicks` and `heldBytes`.
struct Publications {
  /// Whether publications can be handed to the broker.
  enum State: Hashable, Sendable {
    /// No connection. Becomes open.
    case away
    /// Becomes blocked or away.
    case open(epoch: UInt64)
    /// Connected, but the broker accepts no publications for now. Becomes open with the same epoch, or away.
    case blocked(epoch: UInt64)
  }

  private(set) var state = State.away
  /// Since when nothing can be published, on the monotonic clock. Nil while publishing is possible, and until the first
  /// connection attempt fails or is known to be under way.
  private(set) var stalledSince: Int64?
  private var ready: Deque<Item> = []
  private var inFlight = InFlight()
  private var timedOut = TimedOut()
  private var backingOff = BackingOff()
  /// Timed-out ticks that were confirmed while commands were being decided. Their confirms are applied afterwards.
  private var lateConfirms: [Item] = []
  /// The number of ticks that are timed out or backing off, and the bytes of their payloads.
  private(set) var heldTicks = 0
  private(set) var heldBytes = 0

  var isOpen: Bool { epoch != nil }
  /// The epoch of the connection to publish on; nil while nothing can be published.
  var epoch: UInt64? { if case .open(let epoch) = state { epoch } else { nil } }
  var hasReady: Bool { !ready.isEmpty }
  var hasInFlight: Bool { !inFlight.isEmpty }
  /// Whether a clean stop waits for it.
  var isBusy: Bool { hasInFlight || (hasReady && isOpen) }
}

// MARK: - The connection

extension Publications {
  mutating func opened(epoch: UInt64) {
    switch state {
    case .away: assert(inFlight.isEmpty, "a connection opens with nothing in flight")
    case .blocked(let blocked): assert(blocked == epoch, "unblocking keeps the connection")
    case .open: assertionFailure("a connection opens once")
    }
    state = .open(epoch: epoch)
    stalledSince = nil
  }

  /// The first connection is being made: until then, nothing can be published.
  mutating func connecting(at now: Now) { stalledSince = stalledSince ?? now.uptime }

  mutating func block(at now: Now) {
    guard case .open(let epoch) = state else { return }
    state = .blocked(epoch: epoch)
    stalledSince = now.uptime
  }

  /// The broker accepts publications again. Confirm timeouts restart, since a blocked broker could not confirm.
  mutating func unblock(at now: Now) {
    guard case .blocked(let epoch) = state else { return }
    opened(epoch: epoch)
    inFlight.restartClocks(at: now.uptime)
    timedOut.restartClocks(at: now.uptime)
  }

  /// The connection is lost. Outcomes that were in flight are ready again; returns everything that was in flight, in
  /// sending order.
  mutating func connectionLost(at now: Now) -> [Item] {
    state = .away
    stalledSince = stalledSince ?? now.uptime
    let late = timedOut.removeAll()
    for item in late { hold(item, -1) }
    let lost = late + inFlight.removeAll()
    for item in lost.reversed() where !item.subject.isTick { ready.prepend(item) }
    assert(heldTicks == 0 || !backingOff.isEmpty, "without a connection only backing-off ticks are held")
    return lost
  }
}

// MARK: - Leaving

extension Publications {
  /// Queues an outcome, an owed event or a dead letter. Ticks are sent directly.
  mutating func enqueue(_ subject: Subject, _ content: Publication.Content, origin: Origin) {
    assert(!subject.isTick, "ticks wait in the due window")
    ready.append(Item(subject: subject, content: content, origin: origin))
  }

  /// The next outcome to send.
  mutating func popReady() -> Item? { ready.popFirst() }

  /// Records an item as handed to the broker.
  mutating func send(_ item: consuming Item, at now: Now) -> Publication {
    item.sent = now.wall
    var publication = Publication(number: 0, content: item.content, origin: item.origin)
    publication.number = inFlight.append(InFlight.Entry(item: item, sent: now.uptime))
    return publication
  }
}

// MARK: - The broker's replies

extension Publications {
  /// The publication with this number, while it is in flight or timed out.
  func unresolved(_ number: UInt64) -> Item? { inFlight[number]?.item ?? timedOut[number]?.item }

  /// The publication was unroutable; its confirm follows.
  mutating func returned(_ number: UInt64) -> Item? {
    inFlight[number]?.item.isReturned = true
    timedOut[number]?.item.isReturned = true
    return unresolved(number)
  }

  /// The broker confirmed or nacked the publication. Returns it; nil if it is already resolved.
  mutating func resolve(_ number: UInt64, at now: Now) -> Item? {
    if let entry = inFlight.remove(number) { return entry.resolved(at: now) }
    guard let entry = timedOut.remove(number) else { return nil }
    hold(entry.item, -1)
    return entry.resolved(at: now)
  }

  mutating func deferConfirm(of item: Item) {
    assert(item.subject.isTick, "only ticks wait for a decision")
    lateConfirms.append(item)
  }

  mutating func takeDeferredConfirms() -> [Item] {
    defer { lateConfirms = [] }
    return lateConfirms
  }

  private mutating func hold(_ item: Item, _ count: Int) {
    guard item.subject.isTick else { return }
    heldTicks += count
    heldBytes += count * item.payloadBytes
    assert(heldTicks >= 0 && heldBytes >= 0, "a held tick is counted once")
    assert(heldTicks > 0 || heldBytes == 0, "bytes are held by ticks")
  }
}

// MARK: - Nacked: retry after a back-off

extension Publications {
  /// Holds a nacked item back before its retry: 1, 2, 4 … 60 seconds.
  ///
  /// - Parameter isCounted: Whether this brings it nearer to its expiry.
  mutating func backOff(_ item: Item, isCounted: Bool = true, at now: Now) {
    var item = item
    let milliseconds = BackingOff.milliseconds(afterFailures: item.refusals)
    item.refusals += 1
    if isCounted { item.backedOffMilliseconds += milliseconds }
    hold(item, 1)
    backingOff.insert(item, until: now.uptime + milliseconds)
  }

  /// The next outcome or owed event whose back-off has ended: that ends also while nothing can be published.
  mutating func popBackedOffOutcome(at now: Now) -> Item? {
    backingOff.popFirstOfOthers(at: now)
  }

  /// The next item whose back-off has ended.
  mutating func popBackedOff(at now: Now) -> Item? {
    guard let item = backingOff.popFirst(at: now) else { return nil }
    hold(item, -1)
    return item
  }
}

// MARK: - Not confirmed in time

extension Publications {
  /// Counts the next item that has been in flight for `milliseconds` as timed out, and returns it. It no longer counts
  /// against the publish window. A late confirm still applies; it is never republished on this connection.
  mutating func popUnconfirmed(for milliseconds: Int64, at now: Now) -> Item? {
    guard let first = inFlight.first, now.uptime - first.sent >= milliseconds,
      let oldest = inFlight.removeFirst()
    else { return nil }
    var entry = oldest.entry
    entry.item.refusals += 1
    hold(entry.item, 1)
    entry.sent = now.uptime
    timedOut.insert(entry, as: oldest.number)
    return entry.item
  }

  /// Removes the next tick that has been timed out for `milliseconds`.
  mutating func popExpiredTick(after milliseconds: Int64, at now: Now) -> Item? {
    timedOut.firstTick(sentBefore: now.uptime - milliseconds).flatMap { resolve($0, at: now) }
  }

  /// Drops the timed-out ticks of a schedule: its tick is sent again as a new publication. Returns whether there were any.
  mutating func dropTimedOutTicks(of generation: Int64) -> Bool {
    let items = timedOut.ticks(of: generation).compactMap { timedOut.remove($0)?.item }
    for item in items { hold(item, -1) }
    return !items.isEmpty
  }

  /// The same of those that are timed out or back off.
  mutating func dropTicks(of generation: Int64) -> Bool {
    let isTimedOut = dropTimedOutTicks(of: generation)
    let items = backingOff.removeTicks(of: generation)
    for item in items { hold(item, -1) }
    return isTimedOut || !items.isEmpty
  }

  /// Removes the next outcome that has been timed out for `milliseconds`. One that `isKept` is renewed for as long
  /// instead.
  mutating func popExpiredOutcome(after milliseconds: Int64, at now: Now, unless isKept: (Item) -> Bool) -> Item? {
    while let number = timedOut.firstOutcome(sentBefore: now.uptime - milliseconds), let item = timedOut[number]?.item {
      guard isKept(item) else { return resolve(number, at: now) }
      timedOut.renew(number, at: now.uptime)
    }
    return nil
  }
}

// MARK: - Deadlines

extension Publications {
  /// When, on the monotonic clock, the next timeout, retry or expiry is due; nil while only an event can change
  /// anything.
  ///
  /// - Parameter canRetry: Whether retries and expiries may happen now.
  mutating func nextDeadline(_ settings: Engine.Settings, canRetry: Bool) -> Int64? {
    guard isOpen else { return nil }
    var deadlines = [inFlight.first.map { $0.sent + settings.confirmTimeoutMilliseconds }]
    if canRetry {
      deadlines.append(backingOff.deadline)
      deadlines.append(timedOut.oldestTick.map { $0 + settings.tickExpiryMilliseconds })
      deadlines.append(timedOut.oldestOutcome.map { $0 + settings.outcomeTimeoutMilliseconds })
    }
    return deadlines.lazy.compactMap { $0 }.min()
  }

  /// How long what is ready waits for a connection before it backs off, in milliseconds.
  private static let patienceMilliseconds: Int64 = 2_000

  /// Whether what is ready has waited for a connection for so long that it backs off.
  func isOutOfPatience(at now: Now) -> Bool {
    stalledSince.map { now.uptime - $0 >= Self.patienceMilliseconds } ?? false
  }

  /// As above, while nothing can be published: of outcomes and owed events.
  var nextDeadlineAway: Int64? {
    guard !isOpen, let end = stalledSince.map({ $0 + Self.patienceMilliseconds }) else { return nil }
    return hasReady ? end : backingOff.deadlineOfOthers.map { max($0, end) }
  }
}

extension InFlight.Entry {
  /// The item, with the time that its confirm took.
  fileprivate consuming func resolved(at now: Now) -> Publications.Item {
    item.confirmation = Int32(clamping: now.uptime - sent)
    return item
  }
}
