/// Which published messages the broker has not confirmed yet (RabbitMQ's publisher confirms).
///
/// The broker counts the messages of a channel from 1; an answer names one of them, or all up to it, in any order. Each
/// element is handed out exactly once.
package struct Confirms<Element> {
  /// Element number `i` was published as `lowest + i`; nil once it is settled. Those before `head` are.
  private var slots: [Element?] = []
  private var head = 0
  private var lowest: UInt64 = 1
  /// How many are still to be confirmed.
  package private(set) var count = 0

  package init() {}

  /// The number that the broker gives to the next message published.
  package var nextSequence: UInt64 { lowest + UInt64(slots.count) }

  package mutating func published(_ element: Element) {
    slots.append(element)
    count += 1
  }

  /// Takes out what an answer of the broker settles, in the order of publishing: one message, or with `multiple` all up
  /// to it (sequence 0 then means all there are).
  ///
  /// - Returns: Empty when it was settled before; nil for a number that was never given out.
  package mutating func settle(_ sequence: UInt64, multiple: Bool) -> [Element]? {
    let last = multiple && sequence == 0 ? nextSequence - 1 : sequence
    guard last < nextSequence, last > 0 || multiple else { return nil }
    guard last >= lowest else { return [] }
    let end = Int(last - lowest)
    let start = multiple ? head : end
    guard start <= end else { return [] }
    var settled: [Element] = []
    for index in start...end {
      if let element = slots[index].take() { settled.append(element) }
    }
    count -= settled.count
    forgetSettled()
    return settled
  }

  /// Changes the oldest unconfirmed element that a test accepts; false when it accepts none.
  package mutating func updateFirst(where accepts: (Element) -> Bool, _ change: (inout Element) -> Void) -> Bool {
    for index in head..<slots.count {
      guard var element = slots[index], accepts(element) else { continue }
      change(&element)
      slots[index] = element
      return true
    }
    return false
  }

  private mutating func forgetSettled() {
    while head < slots.count, slots[head] == nil { head += 1 }
    guard head == slots.count || head >= 1024 && head * 2 > slots.count else { return }
    slots.removeFirst(head)
    lowest += UInt64(head)
    head = 0
  }
}
