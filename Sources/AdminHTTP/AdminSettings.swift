/// The HTTP listener: address, access and limits.
package struct AdminSettings: Hashable, Sendable {
  package var host: String
  /// 0: chosen by the system.
  package var port: Int
  /// Source of the token, which every request requires except those for health and readiness.
  package var token: TokenSource
  /// Whether the pages can stop and restart schedules.
  package var allowsChanges: Bool
  /// The origin that browsers see when a proxy is in front.
  package var origin: WebOrigin?
  /// Concurrent connections; more wait in the listen backlog. Well below 1024, the default limit of open files, which
  /// database and broker share.
  package var maximumConnections = 256
  /// The listen backlog. Beyond it the kernel drops SYN packets, and clients retry after 1, 3, 7 … seconds.
  package var maximumWaiting = 1024
  /// An idle connection is closed after this time, and so is one whose request is still incomplete this long after its
  /// head.
  package var idleSeconds = 15
  /// At the connection limit, connections that have waited this long for their client are closed.
  package var crowdedMilliseconds = 1000
  /// A connection that has not been writable for this long is closed.
  package var stalledSeconds = 30
  /// Pause before an address in use is retried.
  package var retryMilliseconds = 2000

  package init(
    host: String = "127.0.0.1", port: Int = 8472, token: TokenSource, allowsChanges: Bool = false,
    origin: WebOrigin? = nil
  ) {
    self.host = host
    self.port = port
    self.token = token
    self.allowsChanges = allowsChanges
    self.origin = origin
  }

  /// Whether metrics and readiness reasons need no token: on loopback, without a configured token, and without a proxy,
  /// behind which every client would appear to be local.
  var isOpenOnLoopback: Bool { isLoopback && token.isMade && origin == nil }

  /// Whether only local clients can connect.
  package var isLoopback: Bool { Self.isLoopback(host) }

  /// `localhost`, 127.0.0.0/8 and ::1. Other names do not count, whatever they resolve to.
  package static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
