import Foundation
import PrometheusMetrics
import Testing

@testable import PocketwatchService

/// The tables of the operator's manual, compared with the code, in both directions.
@Suite("ops/docs/operating.md")
struct OperatingDocumentTests {
  private let document: ReferenceDocument

  init() throws {
    document = try ReferenceDocument("ops/docs/operating.md")
  }

  // MARK: - Settings

  @Test("lists each setting, with its variable, its key in the file and its default, and no other")
  func settings() {
    let documented = document.rows(under: "Configuration").map { row in
      [row[0], row[1], row[3].replacing("`", with: "")]
    }
    let known = Setting.allCases.map { ["`\($0.environmentVariable)`", "`\($0.key)`", $0.defaultText] }
    #expect(documented.map { $0.joined(separator: " ") } == known.map { $0.joined(separator: " ") })
  }

  @Test("the default of a setting is what holds without it", arguments: Setting.allCases)
  func defaults(_ setting: Setting) async throws {
    let row = try #require(
      document.rows(under: "Configuration").first { $0[0].contains("`\(setting.environmentVariable)`") })
    // Defaults that are no value are said in words.
    guard let value = ReferenceDocument.names(in: row[3]).first else { return }
    let without = try await read([:])
    #expect(try await read([setting.environmentVariable: value]) == without)
  }

  /// All that a service takes from its settings, as text.
  private func read(_ environment: [String: String]) async throws -> String {
    let broker = ["POCKETWATCH_AMQP_URL": "amqp://u:p@broker"]
    let reader = try SettingReader(environment: broker.merging(environment) { $1 }, file: nil)
    let configuration = try await Configuration.read(from: reader, declaresTopology: false)
    return "\(configuration) \(try await LogSettings.read(from: reader))"
  }

  // MARK: - Metrics and alerts

  @Test("lists each metric with its type, and no other")
  func metrics() {
    let registry = PrometheusRegistry(ServiceMetrics.descriptions + ProcessMetrics.descriptions)
    let metrics = ServiceMetrics(registry, database: "/nowhere/pocketwatch.sqlite")
    ProcessMetrics.register(in: registry, startSeconds: 0)
    let known = registry.text.matches(of: /# TYPE ([a-z_]+) ([a-z]+)/).map { "\($0.output.1) \($0.output.2)" }
    let documented = document.rows(under: "Metrics").flatMap { row in
      ReferenceDocument.names(in: row[0]).map { "\($0) \(row[1])" }
    }
    #expect(documented.sorted() == known.sorted())
    let described = (ServiceMetrics.descriptions + ProcessMetrics.descriptions).map(\.name)
    #expect(document.names(under: "Metrics").sorted() == described.sorted())
    withExtendedLifetime(metrics) {}
  }

  @Test("lists each alert with its severity, and no other")
  func alerts() throws {
    let rules = try ReferenceDocument("ops/monitoring/alerts.yml").text
    let names = rules.matches(of: /- alert: (\w+)/).map { $0.output.1 }
    let severities = rules.matches(of: /severity: (\w+)/).map { $0.output.1 }
    #expect(names.count == severities.count && names.count > 10)
    let known = zip(names, severities).map { "`\($0)` \($1)" }
    #expect(document.rows(under: "Alerts").map { "\($0[0]) \($0[1])" } == known)
  }

  // MARK: - Exit codes

  @Test("lists each exit code of the service, and what the systemd unit does about it")
  func exitCodes() throws {
    let rows = document.rows(under: "Exit codes")
    #expect(rows.compactMap { Int32($0[0]) } == [0] + ServiceFailure.Code.allCases.map(\.rawValue).sorted())
    let unit = try ReferenceDocument("ops/pocketwatch.service").text
    let prevented = try #require(unit.firstMatch(of: /RestartPreventExitStatus=([0-9 ]+)/)).output.1
    let stopped = rows.filter { $0[2] == "leaves it stopped" }.map { $0[0] }
    #expect(stopped == prevented.split(separator: " ").map(String.init))
    #expect(rows.dropFirst().allSatisfy { ["restarts it", "leaves it stopped"].contains($0[2]) })
  }
}

@Suite("README.md")
struct ReadMeTests {
  @Test("is short enough to be read to its end")
  func length() throws {
    let text = try ReferenceDocument("README.md").text
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 201)
  }
}
