import DequeModule
import HeapModule
import Recurrence

/// Every publication that is not resolved (ready to leave, in flight, timed out, or backing off after a refusal), and
/// whether the broker takes any.
///
/// Holds no more than the publish window of ticks, the outcomes of the commands in hand and the bounded `EndNotices`; ticks
/// that are timed out or backing off are bounded apart, by `heldTicks` and `heldBytes`.
struct Publications {
  /// Whether publications can be handed to the broker.
  enum State: Hashable, Sendable {
    /// No connection. Becomes open.
    case away
    /// Becomes blocked or away.
    case open(epoch: UInt64)
    /// The broker takes nothing for now. Becomes open or away.
    case blocked(epoch: UInt64)
  }

  private(set) var state = State.away
  /// Since when nothing can be published, on the monotonic clock; nil while it can, and before the first connection failed.
  private(set) var stalledSince: Int64?
  private var ready: Deque<Item> = []
  private var flights = Flights()
  private var timedOut = TimedOut()
  private var backingOff = Heap<BackingOff>()
  /// Timed-out ticks that were confirmed while commands were being decided: they count after that.
  private var lateConfirms: [Item] = []
  /// The ticks that are timed out or backing off, and the payloads in them.
  private(set) var heldTicks = 0
  private(set) var heldBytes = 0
  private var backOffs: UInt64 = 0

  private struct BackingOff: Comparable {
    let until: Int64
    let order: UInt64
    let item: Item

    static func < (left: Self, right: Self) -> Bool { (left.until, left.order) < (right.until, right.order) }
    static func == (left: Self, right: Self) -> Bool { (left.until, left.order) == (right.until, right.order) }
  }

  var isOpen: Bool { epoch != nil }
  /// The epoch of the connection to publish on; nil while nothing can be published.
  var epoch: UInt64? { if case .open(let epoch) = state { epoch } else { nil } }
  var hasReady: Bool { !ready.isEmpty }
  var hasFlights: Bool { !flights.isEmpty }
}

// MARK: - The connection

extension Publications {
  mutating func opened(epoch: UInt64) {
    state = .open(epoch: epoch)
    stalledSince = nil
  }

  mutating func block(at now: Now) {
    guard case .open(let epoch) = state else { return }
    state = .blocked(epoch: epoch)
    stalledSince = now.uptime
  }

  /// The broker takes publications again: what is in flight has not been waiting for its confirm until now.
  mutating func unblock(at now: Now) {
    guard case .blocked(let epoch) = state else { return }
    opened(epoch: epoch)
    flights.restartClocks(at: now.uptime)
    timedOut.restartClocks(at: now.uptime)
  }

  /// The connection is gone: what was in flight, in the order it was sent. Outcomes are in line again.
  mutating func connectionLost(at now: Now) -> [Item] {
    state = .away
    stalledSince = stalledSince ?? now.uptime
    let late = timedOut.removeAll()
    for item in late { hold(item, -1) }
    let lost = late + flights.removeAll()
    for item in lost.reversed() where !item.subject.isTick { ready.prepend(item) }
    return lost
  }
}

// MARK: - Leaving

extension Publications {
  /// Puts an outcome in line.
  mutating func enqueue(_ subject: Subject, _ content: Publication.Content, origin: Origin) {
    ready.append(Item(subject: subject, content: content, origin: origin))
  }

  /// The next outcome that waits to leave.
  mutating func popReady() -> Item? { ready.popFirst() }

  /// Counts an item as handed to the broker.
  mutating func send(_ item: consuming Item, at now: Now) -> Publication {
    item.sent = now.wall
    var publication = Publication(number: 0, content: item.content, origin: item.origin)
    publication.number = flights.append(Flights.Flight(item: item, sent: now.uptime))
    return publication
  }
}

// MARK: - What the broker says

extension Publications {
  /// What is known under this number, while it is in flight or timed out.
  func inFlight(_ number: UInt64) -> Item? { flights[number]?.item ?? timedOut[number]?.item }

  /// No queue took it; its confirm follows.
  mutating func returned(_ number: UInt64) -> Item? {
    flights[number]?.item.isReturned = true
    timedOut[number]?.item.isReturned = true
    return inFlight(number)
  }

  /// The broker confirmed or refused it: it is no longer in flight.
  mutating func resolve(_ number: UInt64, at now: Now) -> Item? {
    if let flight = flights.remove(number) { return flight.resolved(at: now) }
    guard let flight = timedOut.remove(number) else { return nil }
    hold(flight.item, -1)
    return flight.resolved(at: now)
  }

  mutating func deferConfirm(of item: Item) { lateConfirms.append(item) }

  mutating func takeDeferredConfirms() -> [Item] {
    defer { lateConfirms = [] }
    return lateConfirms
  }

  private mutating func hold(_ item: Item, _ count: Int) {
    guard item.subject.isTick else { return }
    heldTicks += count
    heldBytes += count * item.payloadBytes
  }
}

// MARK: - Refused: another try after a while

extension Publications {
  /// Holds a refused item back before it is sent again: 1, 2, 4 … 60 seconds.
  mutating func backOff(_ item: Item, at now: Now) {
    var item = item
    let milliseconds = min(Int64(1) << min(item.refusals, 6), 60) * 1000
    item.refusals += 1
    item.heldBack += milliseconds
    backOffs += 1
    hold(item, 1)
    backingOff.insert(BackingOff(until: now.uptime + milliseconds, order: backOffs, item: item))
  }

  /// The next item that has backed off for long enough.
  mutating func popBackedOff(at now: Now) -> Item? {
    guard let first = backingOff.min, first.until <= now.uptime else { return nil }
    backingOff.removeMin()
    hold(first.item, -1)
    return first.item
  }
}

// MARK: - No confirm in time

extension Publications {
  /// Counts the next item that has been in flight for `milliseconds` as timed out, and returns it. It no longer counts
  /// against the publish window; a late confirm still applies, and it is never sent again on this connection.
  mutating func popUnconfirmed(for milliseconds: Int64, at now: Now) -> Item? {
    guard let first = flights.first, now.uptime - first.sent >= milliseconds, let oldest = flights.removeFirst() else {
      return nil
    }
    var flight = oldest.flight
    flight.item.refusals += 1
    hold(flight.item, 1)
    flight.sent = now.uptime
    timedOut.insert(flight, as: oldest.number)
    return flight.item
  }

  /// Takes out the next tick that has been timed out for `milliseconds`.
  mutating func popExpiredTick(after milliseconds: Int64, at now: Now) -> Item? {
    timedOut.firstTick(sentBefore: now.uptime - milliseconds).flatMap { resolve($0, at: now) }
  }

  /// Takes out the next outcome that has been timed out for `milliseconds`, unless it `isKept`: then it gets as long again.
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
  /// When, on the monotonic clock, one of the above has something to do; nil while only an event can change anything.
  ///
  /// - Parameter canRetry: Whether refused items may be sent again, and expired ones be given up.
  mutating func nextDeadline(_ settings: Engine.Settings, canRetry: Bool) -> Int64? {
    guard isOpen else { return nil }
    var deadlines = [flights.first.map { $0.sent + settings.confirmTimeoutMilliseconds }]
    if canRetry {
      deadlines.append(backingOff.min?.until)
      deadlines.append(timedOut.oldestTick.map { $0 + settings.giveUpMilliseconds })
      deadlines.append(timedOut.oldestOutcome.map { $0 + settings.outcomeTimeoutMilliseconds })
    }
    return deadlines.lazy.compactMap { $0 }.min()
  }
}

extension Flights.Flight {
  /// What was sent, with how long its confirm took.
  fileprivate consuming func resolved(at now: Now) -> Publications.Item {
    item.confirmation = Int32(clamping: now.uptime - sent)
    return item
  }
}
