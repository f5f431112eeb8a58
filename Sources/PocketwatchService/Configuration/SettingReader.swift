import Configuration
import Foundation
import Recurrence

/// Reads settings from options, environment and file, and reports invalid ones before the service starts.
package struct SettingReader: Sendable {
  private let reader: ConfigReader
  private let environment: [String: String]

  /// - Parameters:
  ///   - options: Command-line options, by setting; never a secret.
  ///   - file: Path of a JSON file, or nil.
  package init(environment: [String: String], file: String?, options: [Setting: String] = [:]) throws {
    try Self.refuseUnknownVariables(environment)
    let given = options.map {
      (AbsoluteConfigKey(ConfigKey($0.key.key)), ConfigValue(.string($0.value), isSecret: false))
    }
    var providers: [any ConfigProvider] = [
      InMemoryProvider(name: "options", values: Dictionary(uniqueKeysWithValues: given)),
      EnvironmentVariablesProvider(
        environmentVariables: environment.filter { !$0.value.isEmpty },
        secretsSpecifier: .specific([Setting.amqpURL.environmentVariable])
      ).prefixKeys(with: "pocketwatch"),
    ]
    if let file { providers.append(try Self.fileProvider(file)) }
    reader = ConfigReader(providers: providers)
    self.environment = environment
  }

  /// The value as text; nil when it is not set.
  package func text(_ setting: Setting) async throws -> String? {
    do {
      return try await reader.fetchString(forKey: ConfigKey(setting.key), isSecret: setting == .amqpURL)
    } catch {
      throw ConfigurationError(setting, "is not a string")
    }
  }

  package func whole(_ setting: Setting, in range: ClosedRange<Int>) async throws -> Int? {
    let invalid = ConfigurationError(setting, "must be a whole number within \(range.lowerBound)-\(range.upperBound)")
    do {
      guard let value = try await reader.fetchInt(forKey: ConfigKey(setting.key)) else { return nil }
      guard range.contains(value) else { throw invalid }
      return value
    } catch {
      throw invalid
    }
  }

  package func milliseconds(_ setting: Setting, in range: ClosedRange<Int64>, called rangeText: String) async throws
    -> Int64?
  {
    guard let text = try await text(setting) else { return nil }
    do {
      let value = try DurationExpression(text).milliseconds
      guard range.contains(value) else { throw ConfigurationError(setting, "must be within \(rangeText)") }
      return value
    } catch let error as ExpressionError {
      throw ConfigurationError(setting, error.description)
    }
  }

  package func choice<Value: RawRepresentable<String>>(_ setting: Setting, _ type: Value.Type) async throws -> Value? {
    guard let text = try await text(setting) else { return nil }
    guard let value = Value(rawValue: text.lowercased()) else {
      throw ConfigurationError(setting, "must be: \(setting.summary)")
    }
    return value
  }

  /// The value of a variable without our prefix, such as STATE_DIRECTORY.
  package func foreignVariable(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The only variable with our prefix that is not a setting of the service. `pocketwatch doctor --management` reads it.
  package static let managementPassword = "POCKETWATCH_MANAGEMENT_PASSWORD"

  /// Throws for an unknown variable with our prefix: a typing error, whose setting would silently have no effect.
  private static func refuseUnknownVariables(_ environment: [String: String]) throws {
    let known = Set(Setting.allCases.map(\.environmentVariable))
    let prefix = "POCKETWATCH_"
    for name in environment.keys.sorted() where name.hasPrefix(prefix) && !known.contains(name) {
      if name.hasPrefix("POCKETWATCH_TEST_") || name == "POCKETWATCH_STRICT" { continue }  // this project's own scripts
      if name == managementPassword { continue }
      #if DEBUG
        if name == Failpoints.variable {
          _ = try Failpoints(environment[name] ?? "")
          continue
        }
      #endif
      throw ConfigurationError(name, "unknown setting; `pocketwatch serve --help` lists them")
    }
  }

  private static func fileProvider(_ path: String) throws -> any ConfigProvider {
    let name = "--config \(path)"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(name, "the file cannot be read")
    }
    guard let object = try? JSONDecoder().decode([String: FileValue].self, from: data) else {
      throw ConfigurationError(name, "the file does not hold a JSON object")
    }
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for (key, value) in leaves(of: object, under: "").sorted(by: { $0.key < $1.key }) {
      guard let setting = Setting(rawValue: key) else {
        throw ConfigurationError(name, "unknown setting \(key); `pocketwatch serve --help` lists them")
      }
      guard let content = setting == .targets ? list(value) : content(value) else {
        throw ConfigurationError(setting, setting == .targets ? "must be a list" : "must be a string or a whole number")
      }
      values[AbsoluteConfigKey(ConfigKey(key))] = ConfigValue(content, isSecret: setting == .amqpURL)
    }
    return InMemoryProvider(name: path, values: values)
  }

  private static func leaves(
    of object: [String: FileValue], under prefix: String
  ) -> [(key: String, value: FileValue)] {
    object.flatMap { name, value in
      if case .object(let inner) = value { return leaves(of: inner, under: prefix + name + ".") }
      return [(prefix + name, value)]
    }
  }

  private static func content(_ value: FileValue) -> ConfigContent? {
    switch value {
    case .text(let text): .string(text)
    case .number(let number): .int(number)
    case .object, .list, .other: nil
    }
  }

  /// A list as JSON, the form of its environment variable.
  private static func list(_ value: FileValue) -> ConfigContent? {
    guard case .list = value, let json = try? JSONEncoder().encode(value) else { return nil }
    return .string(String(decoding: json, as: UTF8.self))
  }
}

/// A value in the file. Not read by JSONSerialization, which does not distinguish `true` from 1.
private enum FileValue: Codable {
  case text(String)
  case number(Int)
  case object([String: FileValue])
  case list([FileValue])
  /// A type that no setting has.
  case other

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let number = try? value.decode(Int.self) {
      self = .number(number)
    } else if let object = try? value.decode([String: FileValue].self) {
      self = .object(object)
    } else if let list = try? value.decode([FileValue].self) {
      self = .list(list)
    } else {
      self = .other
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number): try container.encode(number)
    case .object(let object): try container.encode(object)
    case .list(let list): try container.encode(list)
    case .other: try container.encodeNil()
    }
  }
}
