import Algorithms

/// The published messages that the broker has not confirmed yet (RabbitMQ's publisher confirms).
///
/// The broker numbers the messages of a channel from 1. A confirm names one of them, or all up to it, in any order. Each
/// element is returned exactly once. A message that stays unconfirmed costs one slot, however many come after it.
package struct Confirms<Element> {
  private struct Slot {
    let sequence: UInt64
    /// Nil once it is resolved.
    var element: Element?
  }

  /// In the order of publishing. All slots before `head` are resolved; from `head` on, `count` are not.
  private var slots: [Slot] = []
  private var head = 0
  /// The number of unconfirmed messages.
  package private(set) var count = 0
  /// The number that the broker gives to the next message published.
  package private(set) var nextSequence: UInt64 = 1

  package init() {}

  /// The number of slots in memory, including those of resolved messages.
  package var slotCount: Int { slots.count }

  package mutating func published(_ element: Element) {
    assert(slots.last.map { $0.sequence < nextSequence } ?? true, "sequence numbers are not ascending")
    slots.append(Slot(sequence: nextSequence, element: element))
    nextSequence += 1
    count += 1
  }

  /// Removes the elements that a confirm or a nack resolves, in the order of publishing: one message, or with `multiple`
  /// all up to it (sequence 0 then means all).
  ///
  /// - Returns: Empty when it was resolved before; nil for a number that was never used.
  package mutating func resolve(_ sequence: UInt64, multiple: Bool) -> [Element]? {
    let last = multiple && sequence == 0 ? nextSequence - 1 : sequence
    guard last < nextSequence, last > 0 || multiple else { return nil }
    let end = firstIndex(after: last)
    let start = multiple ? head : firstIndex(after: last - 1)
    assert(multiple || end - start <= 1, "two slots have one sequence number")
    var resolved: [Element] = []
    for index in start..<max(start, end) {
      if let element = slots[index].element.take() { resolved.append(element) }
    }
    assert(resolved.count <= count, "more messages resolved than were unconfirmed")
    count -= resolved.count
    removeResolved()
    return resolved
  }

  /// The unconfirmed elements, in the order of publishing.
  package var elements: [Element] {
    let elements = slots[head...].compactMap(\.element)
    assert(elements.count == count, "the count of unconfirmed messages is wrong")
    return elements
  }

  /// Changes the oldest unconfirmed element that satisfies a predicate; false when none does.
  package mutating func updateFirst(where accepts: (Element) -> Bool, _ change: (inout Element) -> Void) -> Bool {
    for index in head..<slots.count {
      guard var element = slots[index].element, accepts(element) else { continue }
      change(&element)
      slots[index].element = element
      return true
    }
    return false
  }

  /// The index of the first slot after a sequence number.
  private func firstIndex(after sequence: UInt64) -> Int {
    slots[head...].partitioningIndex { $0.sequence > sequence }
  }

  /// Removes at least half of the slots at a time, so that the cost per message is constant.
  private mutating func removeResolved() {
    while head < slots.count, slots[head].element == nil { head += 1 }
    assert(slots.count - head >= count, "fewer slots than unconfirmed messages")
    guard count == 0 || slots.count > 2 * count + Self.spare else { return }
    slots.removeAll { $0.element == nil }
    head = 0
    assert(slots.count == count, "a resolved slot was kept, or an unconfirmed one removed")
  }

  /// How many resolved slots may stay before the array is compacted.
  private static var spare: Int { 1024 }
}
