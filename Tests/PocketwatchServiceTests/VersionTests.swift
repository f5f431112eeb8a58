import Foundation
import PocketwatchService
import SQLiteStore
import Testing

/// One version everywhere: code, changelog and API description.
@Suite("Version")
struct VersionTests {
  private static let ops = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../ops")

  /// The newest entry of the changelog: its version, and its text.
  private static func newestEntry() throws -> (version: String, text: String) {
    let text = try String(contentsOf: ops.appending(path: "docs/CHANGELOG.md"), encoding: .utf8)
    let entries = text.split(separator: "\n## ").dropFirst()
    let newest = try #require(entries.first { !$0.hasPrefix("[Unreleased]") }, "the changelog has no entry")
    let head = try #require(newest.firstMatch(of: /^\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d\n/), "\(newest.prefix(40))")
    return (String(head.output.1), String(newest))
  }

  @Test("the newest entry of the changelog is this version, with the schema version of this code")
  func changelog() throws {
    let entry = try Self.newestEntry()
    #expect(entry.version == Version.current)
    let schema = entry.text.firstMatch(of: /\nSchema version: (\d+)\b/)?.output.1
    #expect(schema.flatMap { Int($0) } == SQLiteStore.schemaVersion)
  }

  @Test("the descriptions of API and events have this version", arguments: ["openapi.yaml", "asyncapi.yaml"])
  func description(file: String) throws {
    let text = try String(contentsOf: Self.ops.appending(path: file), encoding: .utf8)
    #expect(text.contains("\n  version: \"\(Version.current)\"\n"))
  }
}
