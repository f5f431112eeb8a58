import DequeModule

/// What is in flight, by number. Numbers are given in order of sending, without a gap, so that none is looked for: they are
/// answered in nearly that order.
struct Flights {
  struct Flight {
    var item: Outbox.Item
    /// When it was sent, on the monotonic clock.
    var sent: Int64
  }

  /// From the oldest that is in flight on; nil for one that landed.
  private var slots: Deque<Flight?> = []
  private(set) var count = 0
  /// The number of the last one sent.
  private(set) var lastNumber: UInt64 = 0

  var isEmpty: Bool { count == 0 }

  private var firstNumber: UInt64 { lastNumber - UInt64(slots.count) + 1 }

  /// The oldest.
  var first: Flight? { slots.first.flatMap(\.self) }

  private func index(of number: UInt64) -> Int? {
    number >= firstNumber && number <= lastNumber ? Int(number - firstNumber) : nil
  }

  subscript(number: UInt64) -> Flight? {
    get { index(of: number).flatMap { slots[$0] } }
    set { if let index = index(of: number), slots[index] != nil { slots[index] = newValue } }
  }

  /// Counts one more, and gives it a number.
  mutating func append(_ flight: Flight) -> UInt64 {
    slots.append(flight)
    count += 1
    lastNumber += 1
    return lastNumber
  }

  /// It landed, if it was in flight.
  mutating func remove(_ number: UInt64) -> Flight? {
    guard let index = index(of: number), let flight = slots[index].take() else { return nil }
    count -= 1
    while let first = slots.first, first == nil { slots.removeFirst() }
    return flight
  }

  /// The oldest lands.
  mutating func removeFirst() -> (number: UInt64, flight: Flight)? {
    let number = firstNumber
    return remove(number).map { (number, $0) }
  }

  /// All land, in the order sent.
  mutating func removeAll() -> [Outbox.Item] {
    defer {
      slots.removeAll(keepingCapacity: true)
      count = 0
    }
    return slots.compactMap { $0?.item }
  }

  /// Those in flight are as if they had been sent now.
  mutating func restartClocks(at uptime: Int64) {
    for index in slots.indices { slots[index]?.sent = uptime }
  }
}
