package import Recurrence

/// Durable storage of delayed messages.
///
/// Every call is one transaction: when `apply` returns, its changes are on disk. Used by one thread at a time.
package protocol MessageStore: AnyObject {
  /// The highest number of a pending message; 0 when there is none. New messages get higher ones.
  func lastMessage() throws(StoreError) -> Int64

  /// What is pending on each route that a message was ever kept for, in order of the route. The time that it takes does not
  /// depend on how much is pending.
  func messageTotals() throws(StoreError) -> [MessageTotals]

  /// Makes all the changes, in order, or none. Messages that are no longer pending are passed over.
  func apply(_ changes: [MessageChange]) throws(StoreError)

  /// Messages of a route in order of `MessagePosition`, after `position` and due at or before `through`.
  ///
  /// At most `limit`; fewer when they reach `MessagePage.maximumBytes`, but at least one if there is one.
  func dueMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> MessagePage

  /// As above, without contents, which are not read.
  func pendingMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> [PendingMessage.Summary]

  /// Messages with this `message_id`, in order of arrival, on every route.
  func pendingMessages(withID messageID: [UInt8], limit: Int) throws(StoreError) -> [PendingMessage.Summary]
}

/// A change of what is pending.
package enum MessageChange: Hashable, Sendable {
  /// Its number must be above that of every message that is pending, and of those kept before it in the same call.
  case keep(PendingMessage)
  /// The message with this number was published, or is not to be published.
  case remove(Int64)
  case move(Int64, due: Instant)
}

/// Consecutive messages of a route in the order in which they are due.
package struct MessagePage: Hashable, Sendable {
  /// No further message is added to a page that has this many bytes.
  package static let maximumBytes = 4 << 20

  package var messages: [PendingMessage]
  /// Whether no more messages are due by the instant asked for.
  package var isLast: Bool

  package init(messages: [PendingMessage] = [], isLast: Bool = true) {
    self.messages = messages
    self.isLast = isLast
  }
}
