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

  /// Whether quorum queues count acquisitions apart from failed deliveries: RabbitMQ 4.3 and later.
  var countsAcquisitions: Bool {
    let numbers = version.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isWholeNumber }) ?? 0 }
    guard numbers.count == 2 else { return false }
    return (numbers[0], numbers[1]) >= (4, 3)
  }
}
