package import AMQP
package import AdminHTTP
package import EventBus
package import Logging

/// The validated configuration of a service.
package struct Configuration: Sendable {
  package var broker: BrokerSettings
  package var database: String
  /// Who may send commands by group or prefix.
  package var operators: Operators
  package var misfireThresholdMilliseconds: Int64
  package var publishWindow: Int
  /// How long schedules with `keep` or `replaceIfChanged` are retained after they ended automatically.
  package var endedRetentionMilliseconds: Int64
  /// Who may publish events of their own instead of ticks, and where.
  package var targets: TargetRules
  /// Whether to declare the topology instead of waiting for it: for a developer's broker.
  package var declaresTopology: Bool
  /// The HTTP service; nil if it is off.
  package var admin: AdminSettings?

  package init(
    broker: BrokerSettings, database: String, operators: Operators = .everyone,
    misfireThresholdMilliseconds: Int64 = 60_000, publishWindow: Int = 512,
    endedRetentionMilliseconds: Int64 = 30 * 86_400_000, targets: TargetRules? = nil, declaresTopology: Bool = false,
    admin: AdminSettings? = nil
  ) {
    self.targets = targets ?? TargetRules(names: broker.names)
    self.broker = broker
    self.database = database
    self.operators = operators
    self.misfireThresholdMilliseconds = misfireThresholdMilliseconds
    self.publishWindow = publishWindow
    self.endedRetentionMilliseconds = endedRetentionMilliseconds
    self.declaresTopology = declaresTopology
    self.admin = admin
  }
}

/// The settings of every command that connects to the broker: URLs, TLS and names.
package struct BrokerSettings: Sendable {
  /// The URLs at start.
  package var urls: [BrokerURL]
  /// The file with the current URLs, if they come from a file.
  package var urlFile: BrokerURLFile?
  package var tls: TLSOptions?
  package var names: TopologyNames
  /// Whether events carry the login as `user_id`.
  package var sendsUserID: Bool
  /// Whether replies also go to addresses of RabbitMQ's direct reply-to.
  package var answersDirectly: Bool

  package init(
    urls: [BrokerURL], tls: TLSOptions? = nil, names: TopologyNames = TopologyNames(), sendsUserID: Bool = true,
    answersDirectly: Bool = false
  ) {
    self.urls = urls
    self.tls = tls
    self.names = names
    self.sendsUserID = sendsUserID
    self.answersDirectly = answersDirectly
  }

  package func connectionOptions(name: String) -> ConnectionOptions {
    var options = ConnectionOptions(
      brokers: urls, connectionName: name, product: "Pocketwatch", version: Version.current, tls: tls,
      maximumBodyBytes: 256 * 1024)
    if let urlFile { options.source = { urlFile.current() } }
    return options
  }
}

package struct LogSettings: Sendable {
  package enum Format: String, Sendable {
    case auto, text, json
  }

  package var level: Logger.Level
  package var format: Format

  package init(level: Logger.Level = .info, format: Format = .auto) {
    self.level = level
    self.format = format
  }
}

/// An invalid setting: its name, and what to do.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  package var name: String
  package var reason: String

  package init(_ name: String, _ reason: String) {
    self.name = name
    self.reason = reason
  }

  init(_ setting: Setting, _ reason: String) {
    self.init("\(setting.environmentVariable) (\(setting.key) in the file)", reason)
  }

  package var description: String { "\(name): \(reason)" }
}
