import CRabbitMQ
import DequeModule
import Glibc

/// One AMQP 0-9-1 connection with its one channel, over librabbitmq.
///
/// Not Sendable: the library is not thread-safe and blocks, so one thread makes a connection, uses it and releases it.
/// That thread must call `events(waitingUpTo:)` or `nextEvent(timeout:)` every half heartbeat: heartbeats are sent and
/// checked only there. After an error other than `.channelClosed` and `.invalidMessage` the connection is unusable, and
/// every later call throws the same error.
package final class Connection {
  /// What the broker sends asynchronously, in the order of arrival.
  package enum Event: Sendable {
    case delivery(Delivery)
    /// A confirm, or if not `accepted` a nack, of a message or of all up to it.
    case confirmed(sequence: UInt64, multiple: Bool, accepted: Bool)
    /// A mandatory message was unroutable. Its confirm follows.
    case returned(ReturnedMessage)
    /// The broker cancelled the consumer: the queue was deleted.
    case consumerCancelled(tag: String)
    /// The broker has blocked publishing (memory or disk alarm), with its reason.
    case blocked(reason: String)
    case unblocked
    /// The broker's reply to a marker: it has accepted every message before it.
    case markerAnswered
  }

  /// The library loses frames of a second channel.
  static let channel: amqp_channel_t = 1

  package internal(set) var server: ServerInfo
  let url: BrokerURL
  let options: ConnectionOptions
  let wakeUp: EventFD?
  let arena = Arena()
  /// Nil once closed.
  var state: amqp_connection_state_t?
  /// Why the connection, or with `.channelClosed` only its channel, cannot be used.
  var failure: AMQPError?
  package internal(set) var isChannelOpen = false
  /// Events read and not returned yet.
  var pending: Deque<Event> = []
  var content: ContentAssembly
  /// The sequence number of the last message published; nil while confirms are off.
  var lastSequence: UInt64?

  /// Connects, logs in and opens the channel.
  ///
  /// - Parameter wakeUp: Its signal ends a wait for events early.
  package init(to url: BrokerURL, options: ConnectionOptions, wakeUp: EventFD? = nil) throws(AMQPError) {
    self.url = url
    self.options = options
    self.wakeUp = wakeUp
    server = ServerInfo(endpoint: url.description, user: url.user)
    content = ContentAssembly(maximumBodyBytes: options.maximumBodyBytes)
    state = amqp_new_connection()
    try openSocket()
    try logIn()
    try openChannel()
  }

  deinit { amqp_destroy_connection(state) }

  /// Closes the connection, with `connection.close` if the socket is writable. The broker requeues unacknowledged
  /// deliveries in order.
  package func close(within limit: Duration = .seconds(1)) {
    if let state, poll(for: POLLOUT, on: amqp_get_sockfd(state)) {
      let request = amqp_connection_close_t(
        reply_code: ReplyCode.success, reply_text: amqp_empty_bytes, class_id: 0, method_id: 0)
      if failure?.isChannelError ?? true {
        failure = nil
        // Failure does not matter: the connection ends here.
        try? call(
          AMQP_CONNECTION_CLOSE_METHOD, request, reply: AMQP_CONNECTION_CLOSE_OK_METHOD, on: 0, within: limit)
      }
    }
    amqp_destroy_connection(state)
    state = nil
    failure = failure ?? error(.connectionLost, "it was closed by this client")
  }

  /// The handle for the next library call. Throws after a failure: the library would then abort the process.
  func usable() throws(AMQPError) -> amqp_connection_state_t {
    if let failure { throw failure }
    guard let state else { throw error(.connectionLost, "it was closed by this client") }
    return state
  }

  /// An error with this connection's endpoint.
  func error(_ kind: AMQPError.Kind, _ text: String) -> AMQPError {
    AMQPError(kind, text, endpoint: url.description)
  }

  /// Marks the connection as failed and returns the error to throw.
  func fail(_ error: AMQPError) -> AMQPError {
    failure = error
    return error
  }

  /// As above, for a status code of the library.
  func fail(status: CInt) -> AMQPError {
    fail(error(.init(status: status), String(cString: amqp_error_string2(status))))
  }
}

extension AMQPError {
  /// Whether only the channel was closed, so that the connection can open it again.
  var isChannelError: Bool {
    if case .channelClosed = kind { true } else { false }
  }
}

extension AMQPError.Kind {
  /// The kind for a negative status code of the library.
  init(status: CInt) {
    switch amqp_status_enum(status) {
    case AMQP_STATUS_TIMEOUT: self = .timeout
    case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
      AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION, AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_UNEXPECTED_STATE,
      AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
      self = .protocolViolation
    case AMQP_STATUS_TABLE_TOO_BIG, AMQP_STATUS_INVALID_PARAMETER: self = .invalidConfiguration
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: self = .unreachable
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED, AMQP_STATUS_SSL_PEER_VERIFY_FAILED,
      AMQP_STATUS_SSL_CONNECTION_FAILED:
      self = .tls
    default: self = .connectionLost
    }
  }
}
