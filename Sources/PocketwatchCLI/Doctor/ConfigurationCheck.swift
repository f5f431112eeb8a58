import AdminHTTP
import Foundation
import PocketwatchService

/// Whether the settings can be used. What can be read is looked at further, though something else is wrong.
struct ConfigurationCheck {
  private(set) var findings: [Finding] = []
  private(set) var broker: BrokerSettings?
  private(set) var database: String?
  /// Where the service's pages are; nil where they are off, or the settings are wrong.
  private(set) var admin: AdminSettings?

  init(_ makeReader: () throws -> SettingReader) async {
    do {
      let reader = try makeReader()
      broker = await note { try await BrokerSettings.read(from: reader) }
      database = await note { try await Configuration.database(from: reader) }
      admin = await note { try await AdminSettings.read(from: reader) } ?? nil
      _ = await note { try await LogSettings.read(from: reader) }
      // Whatever else a service reads; nothing is reported twice.
      _ = await note { try await Configuration.read(from: reader, declaresTopology: false) }
    } catch {
      findings.append(Self.finding(error))
    }
    if findings.isEmpty { findings.append(.ok(.configuration, "every setting can be used")) }
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
    .error(.configuration, "\(error)", "set it right; `pocketwatch serve --help` says what each setting takes")
  }
}

/// Whether the system lets a process have what the service needs.
struct SystemCheck {
  var findings: [Finding] {
    do throws(ServiceFailure) {
      try SystemLimits.check()
      return [.ok(.system, "open files and memory are allowed as needed")]
    } catch {
      return [.error(.system, error.description, "ulimit -n 1024; under systemd: LimitNOFILE=1024 in the unit")]
    }
  }
}
