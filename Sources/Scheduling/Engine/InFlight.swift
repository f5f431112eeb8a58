import DequeModule

/// The publications in flight, by number.
///
/// Numbers are assigned in sending order, without gaps, so that a lookup is an index computation: confirms arrive in
/// nearly that order.
struct InFlight {
  struct Entry {
    var item: Publications.Item
    /// When it was sent, on the monotonic clock.
    var sent: Int64
  }

  /// The most recently sent publications, oldest first; nil once resolved. The first is never nil.
  private var slots: Deque<Entry?> = []
  /// Publications that more than `mostSlots` later ones have overtaken. They are kept apart so that one missing confirm
  /// does not pin the slots of every later publication.
  private var stragglers: [UInt64: Entry] = [:]
  private static let mostSlots = 8192
  private var count = 0
  /// The number assigned last.
  private var lastNumber: UInt64 = 0

  var isEmpty: Bool { count == 0 }

  private var firstNumber: UInt64 { lastNumber - UInt64(slots.count) + 1 }

  /// The oldest publication in flight.
  var first: Entry? { stragglers.keys.min().flatMap { stragglers[$0] } ?? slots.first.flatMap(\.self) }

  private func index(of number: UInt64) -> Int? {
    number >= firstNumber && number <= lastNumber ? Int(number - firstNumber) : nil
  }

  subscript(number: UInt64) -> Entry? {
    get { index(of: number).map { slots[$0] } ?? stragglers[number] }
    set {
      if let index = index(of: number) {
        if slots[index] != nil { slots[index] = newValue }
      } else if stragglers[number] != nil {
        stragglers[number] = newValue
      }
    }
  }

  /// Adds a publication and assigns its number.
  mutating func append(_ entry: Entry) -> UInt64 {
    assert(slots.last.flatMap(\.self).map { $0.sent <= entry.sent } ?? true, "publications are added in sending order")
    if slots.count == Self.mostSlots {
      let number = firstNumber
      stragglers[number] = slots.removeFirst()
      assert(stragglers[number] != nil, "the first slot is never empty")
      dropResolved()
    }
    slots.append(entry)
    count += 1
    lastNumber += 1
    return lastNumber
  }

  /// Removes a publication; nil if it is not in flight.
  mutating func remove(_ number: UInt64) -> Entry? {
    defer { checkCount() }
    guard let index = index(of: number) else {
      let straggler = stragglers.removeValue(forKey: number)
      if straggler != nil { count -= 1 }
      return straggler
    }
    guard let entry = slots[index].take() else { return nil }
    count -= 1
    dropResolved()
    return entry
  }

  private mutating func dropResolved() {
    while let first = slots.first, first == nil { slots.removeFirst() }
  }

  private func checkCount() {
    assert(count >= stragglers.count, "every straggler is counted")
    assert(count > 0 || slots.isEmpty, "no slot is kept once everything is resolved")
  }

  /// Removes the oldest publication.
  mutating func removeFirst() -> (number: UInt64, entry: Entry)? {
    let number = stragglers.keys.min() ?? firstNumber
    return remove(number).map { (number, $0) }
  }

  /// Removes all publications and returns them in sending order.
  mutating func removeAll() -> [Publications.Item] {
    defer {
      slots.removeAll(keepingCapacity: true)
      stragglers.removeAll()
      count = 0
    }
    return stragglers.keys.sorted().compactMap { stragglers[$0]?.item } + slots.compactMap { $0?.item }
  }

  /// Restarts the confirm timeout of every publication.
  mutating func restartClocks(at uptime: Int64) {
    for index in slots.indices { slots[index]?.sent = uptime }
    for number in stragglers.keys { stragglers[number]?.sent = uptime }
  }
}
