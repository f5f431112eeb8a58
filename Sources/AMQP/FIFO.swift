/// A first-in, first-out queue on one array. Appending and removing cost amortised constant time.
struct FIFO<Element> {
  private var slots: [Element?] = []
  private var head = 0

  var count: Int { slots.count - head }
  var isEmpty: Bool { head == slots.count }
  var first: Element? { isEmpty ? nil : slots[head] }

  func contains(where isIt: (Element) -> Bool) -> Bool {
    slots[head...].contains { $0.map(isIt) ?? false }
  }

  mutating func append(_ element: Element) { slots.append(element) }

  /// Empties the queue and returns what was in it.
  mutating func takeAll() -> [Element] {
    defer {
      slots.removeAll(keepingCapacity: true)
      head = 0
    }
    return slots[head...].compactMap { $0 }
  }

  mutating func popFirst() -> Element? {
    if isEmpty { return nil }
    let element = slots[head].take()
    head += 1
    if head == slots.count {
      slots.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= 1024, head * 2 > slots.count {
      slots.removeFirst(head)
      head = 0
    }
    return element
  }
}
