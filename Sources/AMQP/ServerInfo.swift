/// What the broker says of itself at login, and what was agreed with it.
package struct ServerInfo: Sendable, Hashable {
  /// The broker's URL without the password.
  package var endpoint: String
  /// The login of this connection.
  package var user: String
  package var product = ""
  package var version = ""
  package var clusterName = ""
  /// The largest frame, in bytes.
  package var frameMax = 0
  package var heartbeatSeconds = 0

  package init(endpoint: String, user: String, frameMax: Int = 0) {
    self.endpoint = endpoint
    self.user = user
    self.frameMax = frameMax
  }
}
