import DequeModule
package import Recurrence

/// Cancels that came before their messages: commands and messages come from different queues.
///
/// A cancel is remembered until every intake queue that may hold such a message has been seen empty after it, and not longer
/// than the repeat window. Until then it takes every message that fits.
package struct RememberedCancels: Sendable {
  package struct Cancel: Hashable, Sendable {
    package var messageID: [UInt8]
    /// Nil for all fronts.
    package var front: String?
    package var reason: String?

    package init(messageID: [UInt8], front: String?, reason: String? = nil) {
      self.messageID = messageID
      self.front = front
      self.reason = reason
    }
  }

  private struct Key: Hashable {
    var messageID: [UInt8]
    var front: String?
  }

  private struct Entry {
    var number: UInt64
    var at: Instant
    var cancel: Cancel

    var key: Key { Key(messageID: cancel.messageID, front: cancel.front) }
  }

  package static let usualLimit = 100_000

  private let limit: Int
  private let fronts: [String]
  /// By front, nil for cancels of all fronts, oldest first. Of two with one key, only the newer is in `newest`.
  private var queues: [String?: Deque<Entry>] = [:]
  private var newest: [Key: Entry] = [:]
  /// How many are queued.
  package private(set) var count = 0
  /// Of the cancel remembered last.
  private var lastNumber: UInt64 = 0
  /// By front: the last cancel after which its queue was seen empty.
  private var emptyAfter: [String: UInt64] = [:]

  /// - Parameter fronts: Those whose queues are consumed.
  package init(fronts: [String], limit: Int = usualLimit) {
    self.fronts = fronts
    self.limit = limit
  }

  /// Returns whether it is remembered: not over the limit, since earlier ones were promised, and not for a front without queue.
  package mutating func remember(_ cancel: Cancel, at now: Instant) -> Bool {
    guard count < limit, cancel.front.map(fronts.contains) ?? !fronts.isEmpty else { return false }
    lastNumber += 1
    let entry = Entry(number: lastNumber, at: now, cancel: cancel)
    queues[cancel.front, default: []].append(entry)
    newest[entry.key] = entry
    count += 1
    return true
  }

  /// The cancel that takes a message which has just arrived; nil if it is to be kept.
  package func taking(messageID: [UInt8]?, front: String) -> Cancel? {
    guard let messageID else { return nil }
    let entry = newest[Key(messageID: messageID, front: front)] ?? newest[Key(messageID: messageID, front: nil)]
    return entry?.cancel
  }

  /// The queue of a front was seen empty: everything that was sent before has arrived.
  package mutating func sawEmpty(front: String) {
    emptyAfter[front] = lastNumber
    let here = lastNumber
    let everywhere = fronts.map { emptyAfter[$0] ?? 0 }.min() ?? 0
    forgetFirst(of: front) { $0.number <= here }
    forgetFirst(of: nil) { $0.number <= everywhere }
  }

  /// Forgets what was remembered before an instant.
  package mutating func forget(before instant: Instant) {
    for front in fronts { forgetFirst(of: front) { $0.at < instant } }
    forgetFirst(of: nil) { $0.at < instant }
  }

  /// In time proportional to what is forgotten.
  private mutating func forgetFirst(of front: String?, while isOver: (Entry) -> Bool) {
    while let first = queues[front]?.first, isOver(first) {
      queues[front]?.removeFirst()
      count -= 1
      if newest[first.key]?.number == first.number { newest[first.key] = nil }
    }
  }
}
