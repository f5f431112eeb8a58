/// Where the pages are served, and to whom.
package struct AdminSettings: Hashable, Sendable {
  package var host: String
  /// 0 lets the system choose.
  package var port: Int
  /// Where the token is, which every request but those for health and readiness has to show.
  package var token: TokenSource
  /// Whether schedules can be stopped and started again.
  package var allowsChanges: Bool
  /// What browsers see in the place of host and port: the origin of a proxy in front.
  package var origin: WebOrigin?
  /// The most connections at a time; more wait in the system's queue. Well below the 1024 files that a process may have
  /// open where nobody raised that, since the database and the broker need some.
  package var maximumConnections = 256
  /// The most connections in that queue. Beyond it the kernel drops what a client sends first, and the client tries again
  /// after 1, 3, 7 … seconds.
  package var maximumWaiting = 1024
  /// A connection without a request for so long is closed, and so is one whose request is not whole so long after its
  /// head came.
  package var idleSeconds = 15
  /// When all connections are taken, one that has waited for its client for so long is closed to let another in.
  package var crowdedMilliseconds = 1000
  /// A connection that could not take what is written to it for so long is closed.
  package var stalledSeconds = 30
  /// How often an address that cannot be had is tried again.
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

  /// Whether metrics and the reason of not being ready are for everyone on this machine: where nobody configured a token,
  /// nor a proxy, behind which everyone would be on this machine.
  var isOpenOnLoopback: Bool { isLoopback && token.isMade && origin == nil }

  /// Whether only this machine can connect.
  package var isLoopback: Bool { Self.isLoopback(host) }

  /// `localhost`, 127.0.0.0/8 and ::1. A name that merely leads there today does not count.
  package static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
