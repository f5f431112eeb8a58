package import AMQP
package import AdminHTTP
package import Logging

/// The whole configuration of a service, read and found valid. Tests build it directly.
package struct Configuration: Sendable {
  package var broker: BrokerSettings
  package var database: String
  package var misfireThresholdMilliseconds: Int64
  package var publishWindow: Int
  /// How long schedules that are declared with `keep` or `replaceIfChanged` are remembered after they ended automatically.
  package var endedRetentionMilliseconds: Int64
  /// Whether to declare what is missing on the broker instead of waiting for it: for a developer's broker.
  package var declaresTopology: Bool
  /// Where pages, health and metrics are served; nil where they are not.
  package var admin: AdminSettings?

  package init(
    broker: BrokerSettings, database: String, misfireThresholdMilliseconds: Int64 = 60_000, publishWindow: Int = 512,
    endedRetentionMilliseconds: Int64 = 30 * 86_400_000, declaresTopology: Bool = false, admin: AdminSettings? = nil
  ) {
    self.broker = broker
    self.database = database
    self.misfireThresholdMilliseconds = misfireThresholdMilliseconds
    self.publishWindow = publishWindow
    self.endedRetentionMilliseconds = endedRetentionMilliseconds
    self.declaresTopology = declaresTopology
    self.admin = admin
  }
}

/// How to reach the broker, and what things are called there: what every command that talks to it needs.
package struct BrokerSettings: Sendable {
  /// As they were at the start.
  package var urls: [BrokerURL]
  /// Where they come from a file, as they are now.
  package var urlFile: BrokerURLFile?
  package var tls: TLSOptions?
  package var names: TopologyNames
  /// Whether events carry the login as `user_id`.
  package var sendsUserID: Bool

  package init(
    urls: [BrokerURL], tls: TLSOptions? = nil, names: TopologyNames = TopologyNames(), sendsUserID: Bool = true
  ) {
    self.urls = urls
    self.tls = tls
    self.names = names
    self.sendsUserID = sendsUserID
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

/// A setting that cannot be used: which one, and what to do.
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
