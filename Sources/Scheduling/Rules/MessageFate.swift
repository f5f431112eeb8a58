/// What became of a message that was published to its back.
package enum MessageResult: Hashable, Sendable {
  case confirmed
  /// Confirmed, but no queue received it.
  case returned
  case nacked
  /// The broker closed the channel, with this code, or the connection.
  case refused(code: UInt16)
}

/// What follows from it.
package enum MessageFate: Hashable, Sendable {
  /// It is no longer pending.
  case done
  /// Published to the dead exchange, with this reason in a header, and then no longer pending.
  case dead(reason: String)
  /// Published again later, as a tick is.
  case backOff
  /// Its back is missing, or may not be written: all messages of that back wait until it is there, others go on.
  case holdBack
  /// Whether this message was the cause is not known. It is published again alone.
  case publishAlone

  /// The header that says why a message is in the dead queue.
  package static let reasonHeader = "x-pocketwatch-reason"
  /// How often a message may end the channel or the connection while nothing else is in flight.
  package static let refusalsAloneLimit = 2

  /// - Parameter refusalsAlone: How often it was refused before, published alone.
  /// - Parameter wasAlone: Whether nothing else was in flight.
  package init(_ result: MessageResult, wasAlone: Bool, refusalsAlone: Int) {
    switch result {
    case .confirmed: self = .done
    case .returned: self = .dead(reason: "no queue is bound to its exchange with its routing key")
    case .nacked: self = .backOff
    case .refused(404), .refused(403): self = .holdBack
    case .refused(let code):
      guard wasAlone else {
        self = .publishAlone
        return
      }
      let isLast = refusalsAlone + 1 >= Self.refusalsAloneLimit
      self = isLast ? .dead(reason: "the broker refuses it (\(code))") : .publishAlone
    }
  }
}
