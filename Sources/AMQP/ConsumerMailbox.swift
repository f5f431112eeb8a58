/// What other threads ask of a consumer's thread, and the bytes of deliveries that they hold. Pure; guarded by a lock.
///
/// An epoch is the life of one consuming channel. Acknowledgements and releases of an earlier epoch are dropped: its
/// deliveries are back in the queue.
package struct ConsumerMailbox {
  package enum Acknowledgement: Equatable, Sendable {
    case accept(UInt64, multiple: Bool)
    case reject(UInt64)
  }

  /// What the thread is to do. `quiesce` is final.
  package enum Goal: Sendable {
    case consume
    case suspend
    case quiesce
  }

  /// Nothing is read while the bodies held reach this many bytes.
  private let maximumBytes: Int
  /// The last epoch begun; 0 before the first.
  private var epoch: UInt64 = 0
  private var isOpen = false
  private var acknowledgements: [Acknowledgement] = []
  private var heldBytes = 0
  package private(set) var goal = Goal.consume

  package init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

  /// How many bytes may still be read; 0 or less when the limit is reached.
  package var room: Int { maximumBytes - heldBytes }

  /// Has no effect once the goal is to quiesce.
  package mutating func set(_ goal: Goal) {
    if self.goal != .quiesce { self.goal = goal }
  }

  /// Begins the next epoch.
  package mutating func open() -> UInt64 {
    assert(!isOpen, "an epoch began inside another")
    assert(acknowledgements.isEmpty && heldBytes == 0, "something of an earlier epoch was kept")
    epoch += 1
    isOpen = true
    return epoch
  }

  /// Ends the epoch, if one is open.
  package mutating func close() {
    isOpen = false
    acknowledgements = []
    heldBytes = 0
  }

  /// Counts the bodies of deliveries that are about to be handed over.
  package mutating func hold(bytes: Int, epoch: UInt64) {
    assert(isOpen && epoch == self.epoch, "deliveries of an epoch that is not open")
    assert(bytes >= 0)
    heldBytes += bytes
  }

  /// Counts bodies that are no longer in memory. Returns whether reading, which had stopped, may continue.
  package mutating func release(bytes: Int, epoch: UInt64) -> Bool {
    guard isOpen, self.epoch == epoch else { return false }
    assert(0...heldBytes ~= bytes, "more bytes released than are held")
    let wasFull = room <= 0
    heldBytes -= bytes
    return wasFull && room > 0
  }

  /// Queues an acknowledgement. Returns whether the queue was empty, so that the thread has to be woken.
  package mutating func post(_ acknowledgement: Acknowledgement, epoch: UInt64) -> Bool {
    guard isOpen, self.epoch == epoch else { return false }
    acknowledgements.append(acknowledgement)
    return acknowledgements.count == 1
  }

  package mutating func takeAcknowledgements() -> [Acknowledgement] {
    assert(isOpen || acknowledgements.isEmpty, "acknowledgements for a channel that is closed")
    defer { acknowledgements = [] }
    return acknowledgements
  }
}
