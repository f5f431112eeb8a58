import AMQP
import Scheduling

/// Determines when a new publishing connection counts as healthy.
///
/// If the broker closed the channel (missing right, wrong `user_id`), it does so again on each new connection once something is
/// published. Being connected then proves nothing; a confirm does, or ten seconds without an error.
struct ConnectionStability {
  static let milliseconds: Int64 = 10_000

  private var isSuspect = false
  private var server: ServerInfo?
  /// When the current connection counts as healthy, on the monotonic clock; nil while there is none or it was reported.
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

  /// The server of a connection that has become healthy. Returned once per connection.
  mutating func passed(at now: Now) -> ServerInfo? {
    guard let end, end <= now.uptime else { return nil }
    self.end = nil
    isSuspect = false
    return server
  }
}
