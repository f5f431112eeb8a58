package import Recurrence

/// What its sender asked for, in a message that arrives at a front.
package enum MessageDelay: Hashable, Sendable {
  /// In milliseconds; zero and less are no delay.
  case milliseconds(Int64)
  /// Why it cannot be read, in words for its sender.
  case unreadable(String)

  package static let none = MessageDelay.milliseconds(0)
}

/// What becomes of a message that arrives at a front.
package enum ArrivalDecision: Hashable, Sendable {
  /// It has no delay: it is published as it came, and not stored. One that is not confirmed within
  /// `publishingPatienceMilliseconds` is kept as due now, so that a back that is away does not fill the window.
  case publish
  case keep(until: Instant)
  /// To the dead queue; an event to its sender says why.
  case reject(reason: String)

  package static let publishingPatienceMilliseconds: Int64 = 1_000
  /// 9999-12-31T23:59:59.999Z, the last instant that an event can name.
  package static let lastDue = Instant(milliseconds: 253_402_300_799_999)

  /// - Parameters:
  ///   - arrival: From which the delay counts: its arrival here, or at the broker if that tells.
  ///   - bodyBytes: As declared; a body over the limit was not received.
  package init(_ delay: MessageDelay, from arrival: Instant, bodyBytes: UInt64, maximumBodyBytes: Int) {
    guard bodyBytes <= UInt64(max(0, maximumBodyBytes)) else {
      self = .reject(reason: "its body has \(bodyBytes) bytes; the limit is \(maximumBodyBytes)")
      return
    }
    switch delay {
    case .unreadable(let reason): self = .reject(reason: reason)
    case .milliseconds(...0): self = .publish
    case .milliseconds(let delay):
      let due = arrival.advanced(byMilliseconds: delay)
      self = due <= Self.lastDue ? .keep(until: due) : .reject(reason: "x-delay ends after the year 9999")
    }
  }
}
