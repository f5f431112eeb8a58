import AMQP
import AdminHTTP
import EventBus
import Foundation
import Logging

extension Configuration {
  /// Reads and validates all settings of a service.
  package static func read(from reader: SettingReader, declaresTopology: Bool) async throws -> Configuration {
    let broker = try await BrokerSettings.read(from: reader)
    return Configuration(
      broker: broker, database: try await database(from: reader),
      operators: try await operators(from: reader),
      misfireThresholdMilliseconds: try await reader.milliseconds(
        .misfireThreshold, in: 1_000...86_400_000, called: "1s to 1d") ?? 60_000,
      publishWindow: try await reader.whole(.publishWindow, in: 1...4096) ?? 512,
      endedRetentionMilliseconds: try await reader.milliseconds(
        .endedRetention, in: 3_600_000...31_622_400_000, called: "1h to 366d") ?? 30 * 86_400_000,
      targets: try await TargetRules.read(from: reader, names: broker.names), declaresTopology: declaresTopology,
      admin: try await AdminSettings.read(from: reader))
  }

  private static func operators(from reader: SettingReader) async throws -> Operators {
    guard let text = try await reader.text(.operators), text != "*" else { return .everyone }
    let users = text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: CharacterSet(charactersIn: " "))
    }
    guard users.allSatisfy({ !$0.isEmpty && $0 != "*" && $0.utf8.count <= 255 }) else {
      throw ConfigurationError(.operators, "must be * or logins of the broker, separated by commas")
    }
    return Operators(users)
  }

  /// The path of the database.
  package static func database(from reader: SettingReader) async throws -> String {
    if let path = try await reader.text(.database) { return path }
    let folder = reader.foreignVariable("STATE_DIRECTORY") ?? "."
    return folder + "/pocketwatch.sqlite"
  }
}

extension BrokerSettings {
  /// Reads and validates the settings of the broker.
  package static func read(from reader: SettingReader) async throws -> BrokerSettings {
    let (urls, file) = try await urls(from: reader, allowsTLS: try await reader.text(.amqpCAFile) != nil)
    var settings = BrokerSettings(urls: urls, names: try await TopologyNames.read(from: reader))
    settings.urlFile = file
    settings.tls = try await tls(from: reader, isNeeded: urls.contains(where: \.usesTLS))
    settings.sendsUserID = try await reader.choice(.userID, Switch.self) != .off
    settings.answersDirectly = try await reader.choice(.directReply, Switch.self) == .on
    return settings
  }

  private enum Switch: String {
    case on, off
  }

  static let missingAuthorities = ConfigurationError(
    .amqpCAFile, "is missing: an amqps URL requires a CA file")

  private static func urls(
    from reader: SettingReader, allowsTLS: Bool
  ) async throws -> ([BrokerURL], BrokerURLFile?) {
    let inline = try await reader.text(.amqpURL)
    let file = try await reader.text(.amqpURLFile)
    switch (inline, file) {
    case (let text?, nil):
      do {
        return (try BrokerURL.list(text), nil)
      } catch {
        throw ConfigurationError(.amqpURL, error.text)
      }
    case (nil, let path?):
      let file = try BrokerURLFile(path: path, allowsTLS: allowsTLS)
      return (file.current(), file)
    case (_?, _?):
      throw ConfigurationError(
        .amqpURLFile, "is set together with \(Setting.amqpURL.environmentVariable); set one of them")
    case (nil, nil):
      throw ConfigurationError(
        .amqpURL,
        "is missing: set the broker's URL, amqp://user:password@host:port/vhost, or the path of a file with it in"
          + " \(Setting.amqpURLFile.environmentVariable)")
    }
  }

  private static func tls(from reader: SettingReader, isNeeded: Bool) async throws -> TLSOptions? {
    guard let path = try await reader.text(.amqpCAFile) else {
      if isNeeded { throw missingAuthorities }
      return nil
    }
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw ConfigurationError(.amqpCAFile, "the file \(path) cannot be read")
    }
    return TLSOptions(caFile: path)
  }
}

extension TargetRules {
  package static func read(from reader: SettingReader, names: TopologyNames) async throws -> TargetRules {
    guard let list = try await reader.text(.targets) else { return TargetRules(names: names) }
    return try read(list, names: names)
  }
}

extension TopologyNames {
  package static func read(from reader: SettingReader) async throws -> TopologyNames {
    var names = TopologyNames()
    if let stack = try await reader.text(.stack) {
      guard let checked = TopologyNames.validStack(stack) else {
        throw ConfigurationError(.stack, "must be 1 to 40 characters of a-z, 0-9 and -")
      }
      names.stack = checked
    }
    if let bus = try await reader.text(.eventBus) {
      guard bus.utf8.count <= 255, !bus.hasPrefix("amq.") else {
        throw ConfigurationError(.eventBus, "must be at most 255 bytes and not begin with amq.")
      }
      names.eventBus = bus
    }
    return names
  }
}

extension LogSettings {
  package static func read(from reader: SettingReader) async throws -> LogSettings {
    var settings = LogSettings()
    settings.level = try await reader.choice(.logLevel, Logger.Level.self) ?? settings.level
    settings.format = try await reader.choice(.logFormat, Format.self) ?? settings.format
    return settings
  }
}
