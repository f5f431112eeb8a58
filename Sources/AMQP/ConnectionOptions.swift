/// How to connect: brokers, connection name, timeouts.
package struct ConnectionOptions: Sendable {
  /// Tried in turn, beginning with the first. Never empty.
  package var brokers: [BrokerURL]
  /// Returns the current brokers. Publisher and consumer call it before each attempt to connect, so that a rotated password
  /// requires no restart. Called on their thread; may read a file. An empty list is ignored. Nil when `brokers` never change.
  package var source: (@Sendable () -> [BrokerURL])?
  /// Shown by `rabbitmqctl list_connections` and the management page as `connection_name`.
  package var connectionName: String
  /// Product and version, as shown in the broker's log and lists.
  package var product: String
  package var version: String
  /// The requested interval; the broker may lower it. RabbitMQ's guide recommends 5 to 20. 0 would disable heartbeats and
  /// means 1 here.
  package var heartbeatSeconds: UInt16
  /// The timeout of one request to the broker, and of the whole login.
  package var rpcTimeout: Duration
  /// The timeout of TCP connect and TLS handshake together. (Name look-up has its own, in resolv.conf.)
  package var connectTimeout: Duration
  /// Required for `amqps` URLs.
  package var tls: TLSOptions?
  /// Longer bodies are discarded while they are received. Such a delivery has only the size of its body.
  package var maximumBodyBytes: Int
  /// Whether deliveries have the bytes of their property block, too.
  package var keepsRawProperties: Bool

  package init(
    brokers: [BrokerURL], connectionName: String, product: String = "pocketwatch", version: String = "",
    heartbeatSeconds: UInt16 = 10, rpcTimeout: Duration = .seconds(10), connectTimeout: Duration = .seconds(5),
    tls: TLSOptions? = nil, maximumBodyBytes: Int = 256 * 1024, keepsRawProperties: Bool = false
  ) {
    self.brokers = brokers
    self.connectionName = connectionName
    self.product = product
    self.version = version
    self.heartbeatSeconds = heartbeatSeconds
    self.rpcTimeout = rpcTimeout
    self.connectTimeout = connectTimeout
    self.tls = tls
    self.maximumBodyBytes = maximumBodyBytes
    self.keepsRawProperties = keepsRawProperties
  }
}

/// The authorities that an `amqps` connection trusts, and its own certificate.
///
/// The broker's certificate and host name are always verified, with TLS 1.2 or newer. This cannot be disabled.
package struct TLSOptions: Sendable, Hashable {
  /// PEM file of the authorities that may sign the broker's certificate. All three files are read for each connection.
  package var caFile: String
  /// PEM files of the client certificate and its unencrypted key, if the broker requires one. Both or none.
  package var certificateFile: String?
  package var keyFile: String?

  package init(caFile: String, certificateFile: String? = nil, keyFile: String? = nil) {
    self.caFile = caFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }
}
