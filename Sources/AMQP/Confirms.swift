/// Which published messages the broker has not confirmed yet (RabbitMQ's publisher confirms).
///
/// The broker counts the messages of a channel from 1; an answer names one of them, or all up to it, in any order. Each
/// element is handed out exactly once. One that stays unconfirmed costs nothing beyond itself, however many come after.
package struct Confirms<Element> {
  private struct Slot {
    let sequence: UInt64
    /// Nil once it is settled.
    var element: Element?
  }

  /// In the order of publishing. Those before `head` are settled, of the others as many as are not among `count`.
  private var slots: [Slot] = []
  private var head = 0
  /// How many are still to be confirmed.
  package private(set) var count = 0
  /// The number that the broker gives to the next message published.
  package private(set) var nextSequence: UInt64 = 1

  package init() {}

  /// How many places are taken up, those of settled messages too.
  package var slotCount: Int { slots.count }

  package mutating func published(_ element: Element) {
    slots.append(Slot(sequence: nextSequence, element: element))
    nextSequence += 1
    count += 1
  }

  /// Takes out what an answer of the broker settles, in the order of publishing: one message, or with `multiple` all up
  /// to it (sequence 0 then means all there are).
  ///
  /// - Returns: Empty when it was settled before; nil for a number that was never given out.
  package mutating func settle(_ sequence: UInt64, multiple: Bool) -> [Element]? {
    let last = multiple && sequence == 0 ? nextSequence - 1 : sequence
    guard last < nextSequence, last > 0 || multiple else { return nil }
    let end = firstIndex(after: last)
    let start = multiple ? head : firstIndex(after: last - 1)
    var settled: [Element] = []
    for index in start..<max(start, end) {
      if let element = slots[index].element.take() { settled.append(element) }
    }
    count -= settled.count
    forgetSettled()
    return settled
  }

  /// What is still to be confirmed, in the order of publishing.
  package var elements: [Element] { slots[head...].compactMap(\.element) }

  /// Changes the oldest unconfirmed element that a test accepts; false when it accepts none.
  package mutating func updateFirst(where accepts: (Element) -> Bool, _ change: (inout Element) -> Void) -> Bool {
    for index in head..<slots.count {
      guard var element = slots[index].element, accepts(element) else { continue }
      change(&element)
      slots[index].element = element
      return true
    }
    return false
  }

  /// Where the first message after this one is, or would be.
  private func firstIndex(after sequence: UInt64) -> Int {
    var (low, high) = (head, slots.count)
    while low < high {
      let middle = low + (high - low) / 2
      if slots[middle].sequence > sequence { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Each time half of the slots goes at once, which makes it cheap for each.
  private mutating func forgetSettled() {
    while head < slots.count, slots[head].element == nil { head += 1 }
    guard count == 0 || slots.count > 2 * count + Self.spare else { return }
    slots.removeAll { $0.element == nil }
    head = 0
  }

  /// So many settled ones stay without need to move the others.
  private static var spare: Int { 1024 }
}
