import DequeModule

/// The publications past their confirm timeout, by number and in the order in which they timed out.
///
/// `sent` of an entry is the time at which it timed out, on the monotonic clock.
struct TimedOut {
  private var entries: [UInt64: InFlight.Entry] = [:]
  /// Numbers, oldest first. A number without an entry has been resolved and is skipped.
  private var ticks: Deque<UInt64> = []
  private var outcomes: Deque<UInt64> = []

  subscript(number: UInt64) -> InFlight.Entry? {
    get { entries[number] }
    set { if entries[number] != nil { entries[number] = newValue } }
  }

  /// - Parameter entry: Its `sent` is now, never before that of an earlier entry.
  mutating func insert(_ entry: InFlight.Entry, as number: UInt64) {
    if entry.item.subject.isTick {
      append(number, sent: entry.sent, to: \.ticks)
    } else {
      append(number, sent: entry.sent, to: \.outcomes)
    }
    entries[number] = entry
  }

  mutating func remove(_ number: UInt64) -> InFlight.Entry? { entries.removeValue(forKey: number) }

  /// Removes all publications and returns them in their original sending order.
  mutating func removeAll() -> [Publications.Item] {
    let items = entries.keys.sorted().compactMap { entries[$0]?.item }
    self = TimedOut()
    return items
  }

  /// Restarts the expiry of every publication.
  mutating func restartClocks(at uptime: Int64) {
    for number in entries.keys { entries[number]?.sent = uptime }
  }

  /// Restarts the expiry of one publication.
  mutating func renew(_ number: UInt64, at uptime: Int64) {
    guard var entry = entries[number] else { return }
    entry.sent = uptime
    insert(entry, as: number)
  }

  /// The numbers of a schedule's ticks. After a step of the clock, one of an earlier slot may be among them.
  func ticks(of generation: Int64) -> [UInt64] {
    entries.filter { $0.value.item.subject == .tick(generation: generation) }.map(\.key)
  }

  /// When the oldest tick timed out, on the monotonic clock; nil without any.
  var oldestTick: Int64? { mutating get { first(in: \.ticks).flatMap { entries[$0]?.sent } } }
  /// When the oldest outcome timed out, on the monotonic clock; nil without any.
  var oldestOutcome: Int64? { mutating get { first(in: \.outcomes).flatMap { entries[$0]?.sent } } }

  /// The oldest tick, if it timed out at or before `uptime`. The caller removes or renews it.
  mutating func firstTick(sentBefore uptime: Int64) -> UInt64? { first(in: \.ticks, sentBefore: uptime) }
  /// The oldest outcome, if it timed out at or before `uptime`. The caller removes or renews it.
  mutating func firstOutcome(sentBefore uptime: Int64) -> UInt64? { first(in: \.outcomes, sentBefore: uptime) }

  private mutating func first(
    in line: WritableKeyPath<TimedOut, Deque<UInt64>>, sentBefore uptime: Int64
  ) -> UInt64? {
    guard let number = first(in: line), let entry = entries[number], entry.sent <= uptime else { return nil }
    self[keyPath: line].removeFirst()
    return number
  }

  private mutating func first(in line: WritableKeyPath<TimedOut, Deque<UInt64>>) -> UInt64? {
    while let number = self[keyPath: line].first {
      if entries[number] != nil { return number }
      self[keyPath: line].removeFirst()
    }
    return nil
  }

  private mutating func append(_ number: UInt64, sent: Int64, to line: WritableKeyPath<TimedOut, Deque<UInt64>>) {
    if self[keyPath: line].count > 2 * entries.count + 1024 {
      self[keyPath: line].removeAll { [entries] in entries[$0] == nil }
    }
    assert(
      self[keyPath: line].last.flatMap { entries[$0] }.map { $0.sent <= sent } ?? true,
      "publications are kept in the order in which they timed out")
    self[keyPath: line].append(number)
  }
}
