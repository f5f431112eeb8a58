/// What the broker refuses by closing the channel, learnt from what it said when it did: such messages are refused here from
/// then on, since each of them would cost the channel and every message behind it.
///
/// Now and then one is let through, to learn whether the broker still refuses them.
package struct Refusals {
  /// What a message is judged by.
  package enum Kind: Hashable, Sendable {
    /// No topic right for this routing key.
    case routingKey(String)
    /// The exchange is missing, or there is no right to write to it.
    case exchange(String)
    /// A body larger than the broker's `max_message_size`.
    case bodyBytes(over: Int)
  }

  /// What an error says of the messages that were unconfirmed when it came.
  enum Verdict {
    /// All of this kind are refused.
    case kind(Kind)
    /// It is about all messages, or about none.
    case none
    /// It is about one message, and does not say which.
    case unexplained
  }

  private struct Hold {
    let kind: Kind
    let error: AMQPError
    /// How long they are refused here before one is let through.
    var pause: Duration
    var until: SuspendingClock.Instant
    /// The one that was let through, and when it counts as accepted.
    var probe: (number: UInt64, end: SuspendingClock.Instant)?
  }

  /// A right may be granted at any time, which is then noticed within the longer of these.
  private static let pauses = (shortest: Duration.seconds(1), longest: Duration.seconds(60))
  /// The size changes only with the broker's configuration.
  private static let sizePause = Duration.seconds(600)
  /// Without a channel error for this long, the broker has accepted a message.
  private static let probeTime = Duration.seconds(1)

  /// One for each event name at most, and one for the size.
  private var holds: [Hold] = []

  /// Without this exchange nothing can be published, so that an error about it is about the connection.
  private let essentialExchange: String?

  /// - Parameter essentialExchange: Nil when any exchange is like the others, and each error about one is the connection's.
  package init(essentialExchange: String? = nil) { self.essentialExchange = essentialExchange }

  /// What an error says, given what was unconfirmed.
  func verdict(on error: AMQPError, of entries: [MessageBatch.Entry]) -> Verdict {
    if let essentialExchange, error.concernsExchanges,
      let entry = entries.first(where: { error.text.contains("exchange '\($0.exchange)'") }),
      entry.exchange != essentialExchange
    {
      return .kind(.exchange(entry.exchange))
    }
    return Verdict(error, of: entries)
  }

  /// What is refused now, and why.
  package var current: [(kind: Kind, error: AMQPError)] { holds.map { ($0.kind, $0.error) } }

  /// The largest body that the broker takes; nil while it is not known.
  package var largestBody: Int? {
    for hold in holds { if case .bodyBytes(over: let limit) = hold.kind { return limit } }
    return nil
  }

  var isEmpty: Bool { holds.isEmpty }

  /// Why a message must not be sent now; nil when it may be.
  mutating func refusal(of entry: MessageBatch.Entry, at now: SuspendingClock.Instant) -> AMQPError? {
    guard let index = holds.firstIndex(where: { $0.kind.covers(entry) }) else { return nil }
    guard holds[index].until <= now, holds[index].probe == nil else { return holds[index].error }
    holds[index].probe = (entry.number, now + Self.probeTime)
    return nil
  }

  /// The broker closed the channel on a message of this kind.
  mutating func learn(_ kind: Kind, from error: AMQPError, at now: SuspendingClock.Instant) {
    let index = holds.firstIndex { $0.kind.replaces(kind) }
    var pause = Self.pauses.shortest
    if case .bodyBytes = kind {
      pause = Self.sizePause
    } else if let index {
      pause = min(holds[index].pause * 2, Self.pauses.longest)
    }
    let hold = Hold(kind: kind, error: error, pause: pause, until: now + pause)
    if let index { holds[index] = hold } else { holds.append(hold) }
  }

  /// These messages were confirmed or nacked: the broker takes what is like them.
  mutating func accepted(_ numbers: [UInt64]) {
    holds.removeAll { hold in hold.probe.map { numbers.contains($0.number) } ?? false }
  }

  /// The same of messages that have had their time.
  mutating func advance(to now: SuspendingClock.Instant) {
    holds.removeAll { hold in hold.probe.map { $0.end <= now } ?? false }
  }

  var nextAdvance: SuspendingClock.Instant? { holds.compactMap { $0.probe?.end }.min() }

  /// The connection is gone, and with it what was let through. Another may be to a broker with other settings.
  mutating func connectionLost() {
    holds.removeAll { if case .bodyBytes = $0.kind { true } else { false } }
    for index in holds.indices { holds[index].probe = nil }
  }
}

extension Refusals.Kind {
  func covers(_ entry: MessageBatch.Entry) -> Bool {
    switch self {
    case .routingKey(let key): entry.routingKey == key
    case .exchange(let name): entry.exchange == name
    case .bodyBytes(over: let limit): entry.bodyBytes > limit
    }
  }

  fileprivate func replaces(_ other: Self) -> Bool {
    switch (self, other) {
    case (.bodyBytes, .bodyBytes): true
    default: self == other
    }
  }
}

extension AMQPError {
  fileprivate var concernsExchanges: Bool {
    switch kind {
    case .channelClosed(ReplyCode.accessRefused), .channelClosed(ReplyCode.notFound): true
    default: false
    }
  }
}

extension Refusals.Verdict {
  /// - Parameter entries: What was unconfirmed.
  init(_ error: AMQPError, of entries: [MessageBatch.Entry]) {
    let text = error.text
    switch error.kind {
    case .channelClosed(ReplyCode.preconditionFailed):
      if let limit = Self.largestBody(in: text) {
        self = .kind(.bodyBytes(over: limit))
      } else {
        self = text.contains("user_id") ? .none : .unexplained
      }
    case .channelClosed(ReplyCode.accessRefused):
      let entry = entries.first { text.contains("topic '\($0.routingKey)' in exchange") }
      self = entry.map { .kind(.routingKey($0.routingKey)) } ?? .none
    case .channelClosed(ReplyCode.notFound), .channelClosed(ReplyCode.resourceLocked),
      .channelClosed(ReplyCode.notAllowed):
      self = .none
    case .channelClosed: self = .unexplained
    // By an operator or a shutdown it has other codes.
    case .connectionClosed(let code): self = code > 500 && code != ReplyCode.notAllowed ? .unexplained : .none
    default: self = .none
    }
  }

  /// Of "message size 262391 is larger than configured max size 262144".
  private static func largestBody(in text: String) -> Int? {
    guard text.contains("message size"), let range = text.firstRange(of: "max size ") else { return nil }
    return Int(text[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
  }
}
