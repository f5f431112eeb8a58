/// The kinds of messages for which the broker closes the channel, learnt from its errors. Such messages are refused locally
/// from then on, since each of them would close the channel and lose every message behind it.
///
/// From time to time one is sent as a probe, to find out whether the broker still refuses them.
package struct Refusals {
  /// The property of a message for which the broker refuses it.
  package enum Kind: Hashable, Sendable {
    /// No topic right for this routing key.
    case routingKey(String)
    /// As above, of an exchange that is not the essential one.
    case topic(exchange: String, routingKey: String)
    /// The exchange is missing, or there is no right to write to it.
    case exchange(String)
    /// A body larger than the broker's `max_message_size`.
    case bodyBytes(over: Int)
  }

  /// What an error means for the messages that were unconfirmed when it came.
  enum Verdict {
    /// All messages of this kind are refused.
    case kind(Kind)
    /// The error concerns all messages, or none.
    case none
    /// The error concerns one message, and does not say which.
    case unexplained
  }

  private struct Hold {
    let kind: Kind
    let error: AMQPError
    /// How long they are refused locally before the next probe.
    var pause: Duration
    var until: SuspendingClock.Instant
    /// The message sent as a probe, and when it counts as accepted.
    var probe: (number: UInt64, end: SuspendingClock.Instant)?
  }

  /// A right may be granted at any time. It is noticed within the longer of these.
  private static let pauses = (shortest: Duration.seconds(1), longest: Duration.seconds(60))
  /// The size limit changes only with the broker's configuration.
  private static let sizePause = Duration.seconds(600)
  /// A probe without a channel error for this long counts as accepted.
  private static let probeTime = Duration.seconds(1)

  /// At most one per event name, one for the size, and of each other exchange one for it or `mostTopics` for its topics.
  private var holds: [Hold] = []
  /// With so many topics of an exchange refused, all of it is: clients choose their routing keys.
  private static let mostTopics = 64

  /// The exchange without which nothing can be published. An error about it concerns the connection.
  private let essentialExchange: String?

  /// - Parameter essentialExchange: Nil when an error about any exchange concerns the connection; empty when none does.
  package init(essentialExchange: String? = nil) { self.essentialExchange = essentialExchange }

  /// What an error means, given the unconfirmed messages.
  func verdict(on error: AMQPError, of entries: [MessageBatch.Entry]) -> Verdict {
    guard let essentialExchange, error.concernsExchanges else { return Verdict(error, of: entries) }
    let named = entries.first { error.text.contains("exchange '\(Self.shown($0.exchange))'") }
    if let named, named.exchange != essentialExchange {
      let topic = entries.first {
        error.text.contains("topic '\($0.routingKey)' in exchange '\(Self.shown($0.exchange))'")
      }
      if let topic, refusedTopics(of: topic.exchange) < Self.mostTopics {
        return .kind(.topic(exchange: topic.exchange, routingKey: topic.routingKey))
      }
      return .kind(.exchange(named.exchange))
    }
    // The broker shortens a text with long names. Without an essential exchange, the error concerns one message.
    if named == nil, essentialExchange.isEmpty { return .unexplained }
    return Verdict(error, of: entries)
  }

  private func refusedTopics(of exchange: String) -> Int {
    holds.count { if case .topic(exchange, _) = $0.kind { true } else { false } }
  }

  /// The name of an exchange in errors: the default exchange is empty elsewhere.
  private static func shown(_ exchange: String) -> String { exchange.isEmpty ? "amq.default" : exchange }

  /// The kinds refused now, each with the broker's error.
  package var current: [(kind: Kind, error: AMQPError)] { holds.map { ($0.kind, $0.error) } }

  /// The largest body that the broker accepts, in bytes; nil while unknown.
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
    assert(holds.count { $0.probe?.number == entry.number } == 1, "one message probes two refusals")
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
    assert(Set(holds.map(\.kind)).count == holds.count, "a kind is held twice")
    assert(holds.count { if case .bodyBytes = $0.kind { true } else { false } } <= 1, "two size limits are held")
    assert(pause == Self.sizePause || Self.pauses.shortest...Self.pauses.longest ~= pause, "a pause out of range")
  }

  /// These messages were confirmed or nacked. The broker accepts others of their kind.
  mutating func accepted(_ numbers: [UInt64]) {
    holds.removeAll { hold in hold.probe.map { numbers.contains($0.number) } ?? false }
  }

  /// Counts probes as accepted when their time is over.
  mutating func advance(to now: SuspendingClock.Instant) {
    holds.removeAll { hold in hold.probe.map { $0.end <= now } ?? false }
  }

  var nextAdvance: SuspendingClock.Instant? { holds.compactMap { $0.probe?.end }.min() }

  /// The connection was lost, and its probes with it. The next may be to a broker with another size limit.
  mutating func connectionLost() {
    holds.removeAll { if case .bodyBytes = $0.kind { true } else { false } }
    for index in holds.indices { holds[index].probe = nil }
    assert(nextAdvance == nil, "a probe outlived its connection")
  }
}

extension Refusals.Kind {
  func covers(_ entry: MessageBatch.Entry) -> Bool {
    switch self {
    case .routingKey(let key): entry.routingKey == key
    case .topic(let exchange, let key): entry.routingKey == key && entry.exchange == exchange
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
  /// - Parameter entries: The unconfirmed messages.
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
    // Closed by an operator or a shutdown, a connection has other codes.
    case .connectionClosed(let code): self = code > 500 && code != ReplyCode.notAllowed ? .unexplained : .none
    default: self = .none
    }
  }

  /// The limit in "message size 262391 is larger than configured max size 262144".
  private static func largestBody(in text: String) -> Int? {
    guard text.contains("message size"), let range = text.firstRange(of: "max size ") else { return nil }
    return Int(text[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
  }
}
