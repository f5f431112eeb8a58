/// Why something with the broker failed: a kind for code that decides, words for people.
///
/// Never holds a password or a message's payload.
package struct AMQPError: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// No TCP connection: unknown host, refused, no route.
    case unreachable
    /// The broker refused the user, the password or the virtual host.
    case refusedLogin
    /// No TLS session: wrong CA, wrong host name, expired, too old a protocol.
    case tls
    /// The broker did not answer in time.
    case timeout
    /// The connection ended without a word: reset, end of file, heartbeats missed.
    case connectionLost
    /// The broker closed the connection with a reply code (320 by an operator, 501-541 for protocol errors).
    case connectionClosed(code: UInt16)
    /// The broker closed the channel with a reply code (403, 404, 405, 406).
    case channelClosed(code: UInt16)
    /// The broker cancelled the consumer: its queue was deleted or has lost its leader.
    case consumerCancelled
    /// The broker sent what the protocol forbids.
    case protocolViolation
    /// The settings cannot work: a malformed URL, a CA file that is not there.
    case invalidConfiguration
    /// The message cannot be put into AMQP frames: a property over 255 bytes, headers larger than a frame.
    case invalidMessage
    /// An exchange or a queue that must be there is missing.
    case topology
  }

  package var kind: Kind
  /// The broker's or the library's own words, or ours where neither said anything.
  package var text: String
  /// The broker concerned, as `amqp://user@host:port/vhost`; nil before one is known.
  package var endpoint: String?

  package init(_ kind: Kind, _ text: String, endpoint: String? = nil) {
    self.kind = kind
    self.text = text
    self.endpoint = endpoint
  }

  /// For a setup that found exchanges or queues missing: says which, and paces the next try.
  package static func topology(_ text: String) -> AMQPError {
    AMQPError(.topology, text)
  }

  /// The same error with the broker it is about, where that was open.
  func at(_ broker: BrokerURL) -> AMQPError {
    AMQPError(kind, text, endpoint: endpoint ?? broker.description)
  }

  /// Whether trying again later, with nothing changed here, can succeed.
  package var isRetriable: Bool {
    switch kind {
    case .invalidConfiguration, .invalidMessage: false
    default: true
    }
  }

  /// Whether the broker is away, which ends without anybody's doing here: each attempt may fail in another of these ways.
  package var isOutage: Bool { retryFloor == .zero }

  /// The least pause before the next try. What a person has to mend is asked for less often than what mends itself.
  package var retryFloor: Duration {
    switch kind {
    case .topology, .invalidConfiguration, .invalidMessage: .seconds(5)
    case .refusedLogin, .tls: .seconds(3)
    case .channelClosed, .consumerCancelled, .protocolViolation: .seconds(1)
    case .connectionClosed(let code): code == ReplyCode.connectionForced ? .zero : .seconds(1)
    case .unreachable, .timeout, .connectionLost: .zero
    }
  }
}

/// The reply codes of AMQP 0-9-1 (section 1.2 of its reference) that something here depends on.
enum ReplyCode {
  static let success: UInt16 = 200
  static let connectionForced: UInt16 = 320
  static let accessRefused: UInt16 = 403
  static let notFound: UInt16 = 404
  static let resourceLocked: UInt16 = 405
  static let preconditionFailed: UInt16 = 406
  static let notAllowed: UInt16 = 530
}
