import DequeModule

/// What is in flight, by number. Numbers are given in order of sending, without a gap, so that none is looked for: they are
/// confirmed in nearly that order.
struct Flights {
  struct Flight {
    var item: Publications.Item
    /// When it was sent, on the monotonic clock.
    var sent: Int64
  }

  /// From the oldest that was not overtaken by so many; nil for one that is resolved.
  private var slots: Deque<Flight?> = []
  /// Older ones, that later ones have long overtaken: kept apart, so that one without a confirm does not hold the places of
  /// all that are confirmed meanwhile.
  private var stragglers: [UInt64: Flight] = [:]
  private static let mostSlots = 8192
  private var count = 0
  /// The number of the last one sent.
  private var lastNumber: UInt64 = 0

  var isEmpty: Bool { count == 0 }

  private var firstNumber: UInt64 { lastNumber - UInt64(slots.count) + 1 }

  /// The oldest.
  var first: Flight? { stragglers.keys.min().flatMap { stragglers[$0] } ?? slots.first.flatMap(\.self) }

  private func index(of number: UInt64) -> Int? {
    number >= firstNumber && number <= lastNumber ? Int(number - firstNumber) : nil
  }

  subscript(number: UInt64) -> Flight? {
    get { index(of: number).map { slots[$0] } ?? stragglers[number] }
    set {
      if let index = index(of: number) {
        if slots[index] != nil { slots[index] = newValue }
      } else if stragglers[number] != nil {
        stragglers[number] = newValue
      }
    }
  }

  /// Counts one more, and gives it a number.
  mutating func append(_ flight: Flight) -> UInt64 {
    if slots.count == Self.mostSlots {
      let number = firstNumber
      stragglers[number] = slots.removeFirst()
      dropResolved()
    }
    slots.append(flight)
    count += 1
    lastNumber += 1
    return lastNumber
  }

  /// It is no longer in flight, if it was.
  mutating func remove(_ number: UInt64) -> Flight? {
    guard let index = index(of: number) else {
      let straggler = stragglers.removeValue(forKey: number)
      if straggler != nil { count -= 1 }
      return straggler
    }
    guard let flight = slots[index].take() else { return nil }
    count -= 1
    dropResolved()
    return flight
  }

  private mutating func dropResolved() {
    while let first = slots.first, first == nil { slots.removeFirst() }
  }

  /// Takes out the oldest.
  mutating func removeFirst() -> (number: UInt64, flight: Flight)? {
    let number = stragglers.keys.min() ?? firstNumber
    return remove(number).map { (number, $0) }
  }

  /// Takes out all, in the order sent.
  mutating func removeAll() -> [Publications.Item] {
    defer {
      slots.removeAll(keepingCapacity: true)
      stragglers.removeAll()
      count = 0
    }
    return stragglers.keys.sorted().compactMap { stragglers[$0]?.item } + slots.compactMap { $0?.item }
  }

  /// Those in flight are as if they had been sent now.
  mutating func restartClocks(at uptime: Int64) {
    for index in slots.indices { slots[index]?.sent = uptime }
    for number in stragglers.keys { stragglers[number]?.sent = uptime }
  }
}
