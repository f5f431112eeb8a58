import DequeModule
import HeapModule
import Recurrence

/// What is on its way to the broker: waiting to leave, in flight, overdue, or paused after a refusal.
///
/// Holds no more than the publish window of ticks and the prefetched commands' answers, nacked and overdue ones apart.
struct Publications {
  /// What a publication is about, and so what follows from its confirm.
  enum Subject: Hashable, Sendable {
    case tick(generation: Int64)
    /// The answer to a command, which is then settled with the broker.
    case answer(CommandSource, channel: UInt64?, Acknowledgements.Settlement)
    /// A command of the inbox on its way to the dead queue.
    case deadLetter(InboxPosition)
    /// The Stopped that a schedule owes since it ended by itself.
    case owedStopped(generation: Int64, id: ScheduleID)
  }

  struct Item: Sendable {
    let subject: Subject
    let event: OutgoingEvent
    let origin: Origin
    /// Whether it may have been sent before, on another connection or by an earlier process.
    var isRepeat = false
    /// How often the broker refused it, or did not answer in time.
    var refusals = 0
    /// The milliseconds it was held back after refusals, all in all.
    var paused: Int64 = 0
    /// Whether no queue took it.
    var isReturned = false
    /// When it was sent last, and how long the broker took to answer that, in milliseconds.
    var sent = Instant(milliseconds: 0)
    var confirmation: Int32 = 0
  }

  private struct Paused: Comparable {
    let until: Int64
    let order: UInt64
    let item: Item

    static func < (left: Paused, right: Paused) -> Bool { (left.until, left.order) < (right.until, right.order) }
    static func == (left: Paused, right: Paused) -> Bool { (left.until, left.order) == (right.until, right.order) }
  }

  private var ready: Deque<Item> = []
  private var flights = Flights()
  /// Without an answer for so long that nothing waits for it; it may come yet, and is not asked for by sending again what
  /// the broker has.
  private var overdue: [UInt64: Flights.Flight] = [:]
  private var paused = Heap<Paused>()
  /// The ticks that are paused or overdue, and the payloads in them.
  private(set) var heldTicks = 0
  private(set) var heldBytes = 0
  /// Answers and Stoppeds that were refused, or not answered in time, and are not confirmed since.
  private(set) var refusedAnswers = 0
  private var pauses: UInt64 = 0

  var hasReady: Bool { !ready.isEmpty }
  var hasFlights: Bool { !flights.isEmpty }

  /// Puts an answer or a Stopped in line.
  mutating func enqueue(_ subject: Subject, _ event: OutgoingEvent, origin: Origin) {
    ready.append(Item(subject: subject, event: event, origin: origin))
  }

  /// The next that waits to leave.
  mutating func popReady() -> Item? { ready.popFirst() }

  /// The next whose pause is over.
  mutating func popPaused(at now: Now) -> Item? {
    guard let first = paused.min, first.until <= now.uptime else { return nil }
    paused.removeMin()
    hold(first.item, -1)
    return first.item
  }

  /// Counts an item as handed to the broker.
  mutating func send(_ item: consuming Item, at now: Now) -> Publication {
    item.sent = now.wall
    var publication = Publication(number: 0, event: item.event, origin: item.origin)
    publication.number = flights.append(Flights.Flight(item: item, sent: now.uptime))
    return publication
  }

  /// What is known under this number, while it is in flight.
  func inFlight(_ number: UInt64) -> Item? { flights[number]?.item ?? overdue[number]?.item }

  /// No queue took it; its confirm follows.
  mutating func returned(_ number: UInt64) -> Item? {
    flights[number]?.item.isReturned = true
    overdue[number]?.item.isReturned = true
    return inFlight(number)
  }

  /// The broker confirmed it.
  mutating func confirm(_ number: UInt64, at now: Now) -> Item? {
    let item = land(number, at: now)
    if let item { forget(item) }
    return item
  }

  /// The broker answered: it is no longer in flight.
  mutating func land(_ number: UInt64, at now: Now) -> Item? {
    if let flight = flights.remove(number) { return flight.landed(at: now) }
    guard let flight = overdue.removeValue(forKey: number) else { return nil }
    hold(flight.item, -1)
    return flight.landed(at: now)
  }

  /// An item is of no interest any more.
  mutating func forget(_ item: Item) {
    if !item.subject.isTick, item.refusals > 0 { refusedAnswers -= 1 }
  }

  /// Holds a refused item back before it is sent again: 1, 2, 4 … 60 seconds.
  mutating func pause(_ item: Item, at now: Now) {
    var item = item
    let milliseconds = min(Int64(1) << min(item.refusals, 6), 60) * 1000
    noteRefusal(&item)
    item.paused += milliseconds
    pauses += 1
    hold(item, 1)
    paused.insert(Paused(until: now.uptime + milliseconds, order: pauses, item: item))
  }

  private mutating func noteRefusal(_ item: inout Item) {
    if !item.subject.isTick, item.refusals == 0 { refusedAnswers += 1 }
    item.refusals += 1
  }

  private mutating func hold(_ item: Item, _ count: Int) {
    guard item.subject.isTick else { return }
    heldTicks += count
    heldBytes += count * item.event.payloadBytes
  }

  /// The connection is gone: what was in flight, in the order it was sent. Answers and Stoppeds are back in line.
  mutating func connectionLost() -> [Item] {
    let late = overdue.keys.sorted().compactMap { overdue[$0]?.item }
    for item in late { hold(item, -1) }
    let lost = late + flights.removeAll()
    overdue.removeAll()
    for item in lost.reversed() where !item.subject.isTick {
      ready.prepend(item)
    }
    return lost
  }

  /// The broker takes messages again: what is in flight has not been waiting for its answer until now.
  mutating func restartClocks(at now: Now) {
    flights.restartClocks(at: now.uptime)
    for number in overdue.keys { overdue[number]?.sent = now.uptime }
  }

  /// Counts the next that has been in flight for `milliseconds` without an answer as overdue, and returns it.
  mutating func popUnanswered(for milliseconds: Int64, at now: Now) -> Item? {
    guard let first = flights.first, now.uptime - first.sent >= milliseconds, let oldest = flights.removeFirst() else {
      return nil
    }
    var flight = oldest.flight
    noteRefusal(&flight.item)
    hold(flight.item, 1)
    flight.sent = now.uptime
    overdue[oldest.number] = flight
    return flight.item
  }

  /// Takes out the ticks that have been overdue for `milliseconds`.
  mutating func takeForlorn(after milliseconds: Int64, at now: Now) -> [Item] {
    let numbers = overdue.keys.sorted().filter { number in
      overdue[number].map { $0.item.subject.isTick && now.uptime - $0.sent >= milliseconds } ?? false
    }
    return numbers.compactMap { land($0, at: now) }
  }

  /// When, on the monotonic clock, the oldest flight will have been without an answer for `milliseconds`.
  func unansweredDeadline(after milliseconds: Int64) -> Int64? {
    flights.first.map { $0.sent + milliseconds }
  }

  /// When, on the monotonic clock, the first tick will have been overdue for `milliseconds`.
  func forlornDeadline(after milliseconds: Int64) -> Int64? {
    overdue.values.lazy.filter(\.item.subject.isTick).map(\.sent).min().map { $0 + milliseconds }
  }

  /// When, on the monotonic clock, the first pause is over.
  var nextPauseEnd: Int64? { paused.min?.until }
}

extension Flights.Flight {
  /// What was sent, with how long its answer took.
  fileprivate consuming func landed(at now: Now) -> Publications.Item {
    item.confirmation = Int32(clamping: now.uptime - sent)
    return item
  }
}

extension Publications.Subject {
  var isTick: Bool {
    if case .tick = self { true } else { false }
  }
}

extension OutgoingEvent {
  fileprivate var payloadBytes: Int {
    let definition: Definition? =
      switch self {
      case .tick(let tick): tick.definition
      case .started(let started): started.definition
      case .stopped(let stopped): stopped.definition
      case .rejected, .deadLetter: nil
      }
    return definition?.payload?.count ?? 0
  }
}
