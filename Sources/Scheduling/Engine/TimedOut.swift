import DequeModule

/// Publications past their confirm timeout, by number, and in the order in which they timed out: none is looked for.
struct TimedOut {
  private var flights: [UInt64: Flights.Flight] = [:]
  /// Numbers, oldest first; those that were resolved since are passed over.
  private var ticks: Deque<UInt64> = []
  private var outcomes: Deque<UInt64> = []

  subscript(number: UInt64) -> Flights.Flight? {
    get { flights[number] }
    set { if flights[number] != nil { flights[number] = newValue } }
  }

  /// - Parameter flight: As if it was sent now, which is not before any that is here.
  mutating func insert(_ flight: Flights.Flight, as number: UInt64) {
    if flight.item.subject.isTick {
      append(number, to: \.ticks)
    } else {
      append(number, to: \.outcomes)
    }
    flights[number] = flight
  }

  mutating func remove(_ number: UInt64) -> Flights.Flight? { flights.removeValue(forKey: number) }

  /// All of them, in the order in which they were sent first.
  mutating func removeAll() -> [Publications.Item] {
    let items = flights.keys.sorted().compactMap { flights[$0]?.item }
    self = TimedOut()
    return items
  }

  /// They are as if they had been sent now.
  mutating func restartClocks(at uptime: Int64) {
    for number in flights.keys { flights[number]?.sent = uptime }
  }

  /// One is as if it had been sent now.
  mutating func renew(_ number: UInt64, at uptime: Int64) {
    guard var flight = flights[number] else { return }
    flight.sent = uptime
    insert(flight, as: number)
  }

  /// Since when the oldest has been here, on the monotonic clock.
  var oldestTick: Int64? { mutating get { first(in: \.ticks).flatMap { flights[$0]?.sent } } }
  var oldestOutcome: Int64? { mutating get { first(in: \.outcomes).flatMap { flights[$0]?.sent } } }

  /// The oldest, if it has been here since this time or longer.
  mutating func firstTick(sentBefore uptime: Int64) -> UInt64? { first(in: \.ticks, sentBefore: uptime) }
  mutating func firstOutcome(sentBefore uptime: Int64) -> UInt64? { first(in: \.outcomes, sentBefore: uptime) }

  private mutating func first(
    in line: WritableKeyPath<TimedOut, Deque<UInt64>>, sentBefore uptime: Int64
  ) -> UInt64? {
    guard let number = first(in: line), let flight = flights[number], flight.sent <= uptime else { return nil }
    self[keyPath: line].removeFirst()
    return number
  }

  private mutating func first(in line: WritableKeyPath<TimedOut, Deque<UInt64>>) -> UInt64? {
    while let number = self[keyPath: line].first {
      if flights[number] != nil { return number }
      self[keyPath: line].removeFirst()
    }
    return nil
  }

  private mutating func append(_ number: UInt64, to line: WritableKeyPath<TimedOut, Deque<UInt64>>) {
    if self[keyPath: line].count > 2 * flights.count + 1024 {
      self[keyPath: line].removeAll { [flights] in flights[$0] == nil }
    }
    self[keyPath: line].append(number)
  }
}
