import AMQP
import Scheduling

/// When the connection for publishing, once it is there, may be told of as being well.
///
/// What the broker refuses by closing the channel (a right that is missing, a `user_id` that does not fit) it refuses again on
/// each new connection as soon as something is published: to be connected proves nothing then. A confirm does, or some time.
struct ConnectionStability {
  static let milliseconds: Int64 = 10_000

  private var isSuspect = false
  private var server: ServerInfo?
  /// When the connection on trial has proved itself, on the monotonic clock; nil while there is none.
  private(set) var end: Int64?

  mutating func connected(to server: ServerInfo, at now: Now) {
    self.server = server
    end = isSuspect ? now.uptime + Self.milliseconds : now.uptime
  }

  mutating func failed(_ error: AMQPError) {
    end = nil
    isSuspect = if case .channelClosed = error.kind { true } else { false }
  }

  mutating func confirmed(at now: Now) {
    if end != nil { end = now.uptime }
  }

  /// The server with which all is well now; once for each connection.
  mutating func passed(at now: Now) -> ServerInfo? {
    guard let end, end <= now.uptime else { return nil }
    self.end = nil
    isSuspect = false
    return server
  }
}
