/// The broker's properties from the login, and the negotiated parameters.
package struct ServerInfo: Sendable, Hashable {
  /// The broker's URL without the password.
  package var endpoint: String
  /// The login of this connection.
  package var user: String
  package var product = ""
  package var version = ""
  package var clusterName = ""
  /// The negotiated maximum frame size, in bytes.
  package var frameMax = 0
  package var heartbeatSeconds = 0

  package init(endpoint: String, user: String, frameMax: Int = 0) {
    self.endpoint = endpoint
    self.user = user
    self.frameMax = frameMax
  }

  /// Whether quorum queues count acquisitions separately from failed deliveries: RabbitMQ 4.3 and later.
  var countsAcquisitions: Bool {
    let numbers = version.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isWholeNumber }) ?? 0 }
    guard numbers.count == 2 else { return false }
    return (numbers[0], numbers[1]) >= (4, 3)
  }
}
