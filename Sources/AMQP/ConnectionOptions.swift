/// How to connect: which brokers, under what name, how long to wait for them.
package struct ConnectionOptions: Sendable {
  /// Tried in turn, beginning with the first. Never empty.
  package var brokers: [BrokerURL]
  /// Gives the brokers as they are now: a publisher or consumer asks before each attempt to connect, so that a rotated
  /// password needs no restart. Called on its thread; may read a file. What is empty is ignored. Nil where `brokers` stay.
  package var source: (@Sendable () -> [BrokerURL])?
  /// Shown by `rabbitmqctl list_connections` and the management page as `connection_name`.
  package var connectionName: String
  /// Product and version as the broker logs and lists them.
  package var product: String
  package var version: String
  /// The interval asked for; the broker may lower it. RabbitMQ's guide recommends 5 to 20. 0 would mean none and is
  /// taken as 1.
  package var heartbeatSeconds: UInt16
  /// How long one request to the broker, or the whole login, may take.
  package var rpcTimeout: Duration
  /// How long TCP connect and TLS handshake together may take. (Name look-up has its own limit, in resolv.conf.)
  package var connectTimeout: Duration
  /// Needed by `amqps` URLs.
  package var tls: TLSOptions?
  /// Of a message with a longer body the body is thrown away as it comes; the delivery then has only its size.
  package var maximumBodyBytes: Int

  package init(
    brokers: [BrokerURL], connectionName: String, product: String = "pocketwatch", version: String = "",
    heartbeatSeconds: UInt16 = 10, rpcTimeout: Duration = .seconds(10), connectTimeout: Duration = .seconds(5),
    tls: TLSOptions? = nil, maximumBodyBytes: Int = 256 * 1024
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
  }
}

/// What an `amqps` connection trusts, and how it identifies itself.
///
/// The broker's certificate and its host name are always verified, with TLS 1.2 or newer. There is no switch.
package struct TLSOptions: Sendable, Hashable {
  /// PEM file of the authorities that may sign the broker's certificate. Read for each connection, as the other two.
  package var caFile: String
  /// PEM files of our own certificate and its unencrypted key, where the broker asks for one. Both or none.
  package var certificateFile: String?
  package var keyFile: String?

  package init(caFile: String, certificateFile: String? = nil, keyFile: String? = nil) {
    self.caFile = caFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }
}
