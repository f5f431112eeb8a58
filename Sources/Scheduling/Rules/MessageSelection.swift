package import Recurrence

/// Which pending messages a command is about.
package enum MessageSelection: Hashable, Sendable {
  /// All with this `message_id`, on one front or on all.
  case id([UInt8], front: String?)
  /// All of a front, or those with one routing key.
  case front(String, routingKey: [UInt8]?)

  package func fits(_ message: PendingMessage.Summary) -> Bool {
    switch self {
    case .id(let id, let front):
      message.messageID == id && (front.map { $0 == message.route.front } ?? true)
    case .front(let front, let key):
      message.route.front == front && (key.map { $0 == message.routingKey } ?? true)
    }
  }
}

/// What a command does to the messages that it selects: nothing, or the same to all of them.
package enum MessageChoice: Hashable, Sendable {
  /// Nothing is pending that fits.
  case nothing
  /// More fit than the command allows. Nothing is done.
  case tooMany(limit: Int)
  case chosen([PendingMessage.Summary])

  package static let defaultLimit = 1_000
  package static let highestLimit = 10_000

  /// - Parameters:
  ///   - pending: Pending messages, at least one more of those that fit than `limit` and those in flight together, if there
  ///     are so many.
  ///   - isInFlight: Whether the message with this number is being published. It is neither chosen nor counted.
  package init(
    _ selection: MessageSelection, among pending: [PendingMessage.Summary], limit: Int, isInFlight: (Int64) -> Bool
  ) {
    let fitting = pending.filter { selection.fits($0) && !isInFlight($0.sequence) }
    if fitting.isEmpty {
      self = .nothing
    } else if fitting.count > limit {
      self = .tooMany(limit: limit)
    } else {
      self = .chosen(fitting)
    }
  }

  /// The changes that cancel what was chosen.
  package var cancelling: [MessageChange] { chosen.map { .remove($0.sequence) } }

  /// The changes that make it due at another time. In the past means now.
  package func moving(to due: Instant) -> [MessageChange] { chosen.map { .move($0.sequence, due: due) } }

  private var chosen: [PendingMessage.Summary] {
    if case .chosen(let messages) = self { messages } else { [] }
  }
}
