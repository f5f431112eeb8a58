/// An error of a connection or of the broker: a kind for code, a text for people.
///
/// Never contains a password or a message's payload.
package struct AMQPError: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// No TCP connection: unknown host, connection refused, no route.
    case unreachable
    /// The broker refused the user, the password or the virtual host.
    case refusedLogin
    /// No TLS session: wrong CA, wrong host name, expired certificate, protocol too old.
    case tls
    /// The broker did not reply in time.
    case timeout
    /// The connection ended without a close: reset, end of file, missed heartbeats.
    case connectionLost
    /// The broker closed the connection with a reply code (320 by an operator, 501-541 for protocol errors).
    case connectionClosed(code: UInt16)
    /// The broker closed the channel with a reply code (403, 404, 405, 406).
    case channelClosed(code: UInt16)
    /// The broker cancelled the consumer: its queue was deleted or has lost its leader.
    case consumerCancelled
    /// The broker violated the protocol.
    case protocolViolation
    /// The settings are invalid: a malformed URL, a missing CA file.
    case invalidConfiguration
    /// The message does not fit into AMQP frames: a property over 255 bytes, headers larger than a frame.
    case invalidMessage
    /// A required exchange or queue is missing.
    case topology
  }

  package var kind: Kind
  /// The broker's or the library's message, or our own where there is none.
  package var text: String
  /// The broker concerned, as `amqp://user@host:port/vhost`; nil before one is known.
  package var endpoint: String?

  package init(_ kind: Kind, _ text: String, endpoint: String? = nil) {
    self.kind = kind
    self.text = text
    self.endpoint = endpoint
  }

  /// For a setup that found exchanges or queues missing. Retried every 5 s.
  package static func topology(_ text: String) -> AMQPError {
    AMQPError(.topology, text)
  }

  /// The same error with the broker as its endpoint, if it has none.
  func at(_ broker: BrokerURL) -> AMQPError {
    AMQPError(kind, text, endpoint: endpoint ?? broker.description)
  }

  /// Whether a retry with the same settings and message can succeed.
  package var isRetriable: Bool {
    switch kind {
    case .invalidConfiguration, .invalidMessage: false
    default: true
    }
  }

  /// Whether the broker is unavailable, which needs no action here. Attempts during one outage may fail with different errors
  /// of this class.
  package var isOutage: Bool { retryFloor == .zero }

  /// The shortest pause before the next attempt. Longer for errors that a person has to fix.
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

/// The reply codes of AMQP 0-9-1 (section 1.2 of its reference) used here.
enum ReplyCode {
  static let success: UInt16 = 200
  static let connectionForced: UInt16 = 320
  static let accessRefused: UInt16 = 403
  static let notFound: UInt16 = 404
  static let resourceLocked: UInt16 = 405
  static let preconditionFailed: UInt16 = 406
  static let notAllowed: UInt16 = 530
}
