import AdminHTTP
import Foundation
import PocketwatchService

/// Checks the settings. Valid parts are checked further, even when other parts are invalid.
struct ConfigurationCheck {
  private(set) var findings: [Finding] = []
  private(set) var broker: BrokerSettings?
  private(set) var targets: TargetRules?
  private(set) var database: String?
  /// Nil when HTTP is off or its settings are invalid.
  private(set) var admin: AdminSettings?

  init(_ makeReader: () throws -> SettingReader) async {
    do {
      let reader = try makeReader()
      broker = await note { try await BrokerSettings.read(from: reader) }
      if let names = broker?.names {
        targets = await note { try await TargetRules.read(from: reader, names: names) }
      }
      database = await note { try await Configuration.database(from: reader) }
      admin = await note { try await AdminSettings.read(from: reader) } ?? nil
      _ = await note { try await LogSettings.read(from: reader) }
      // The remaining settings; `note` drops duplicates.
      _ = await note { try await Configuration.read(from: reader, declaresTopology: false) }
    } catch {
      findings.append(Self.finding(error))
    }
    if findings.isEmpty { findings.append(.ok(.configuration, "all settings are valid")) }
  }

  private mutating func note<Value>(_ read: () async throws -> Value) async -> Value? {
    do {
      return try await read()
    } catch {
      let finding = Self.finding(error)
      if !findings.contains(finding) { findings.append(finding) }
      return nil
    }
  }

  private static func finding(_ error: any Error) -> Finding {
    .error(.configuration, "\(error)", "correct it; `pocketwatch serve --help` documents each setting")
  }
}

/// Checks the limits for open files and memory.
struct SystemCheck {
  var findings: [Finding] {
    do throws(ServiceFailure) {
      try SystemLimits.check()
      return [.ok(.system, "limits of open files and memory are sufficient")]
    } catch {
      return [.error(.system, error.description, "ulimit -n 1024; with systemd: LimitNOFILE=1024 in the unit")]
    }
  }
}
