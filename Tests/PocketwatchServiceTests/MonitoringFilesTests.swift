import Foundation
import PrometheusMetrics
import Testing

@testable import PocketwatchService

/// Dashboard and alerts use existing metrics only.
@Suite("ops/monitoring")
struct MonitoringFilesTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../ops/monitoring")

  @Test("uses only metrics of the service, and all of them", arguments: ["dashboard.json", "alerts.yml"])
  func names(file: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
    let known = Set((ServiceMetrics.descriptions + ProcessMetrics.descriptions).map(\.name))
    let used = Set(
      text.matches(of: /\b(?:pocketwatch|process)_[a-z_]+/).map { match in
        let name = String(match.0)
        let base = name.replacing(/_(bucket|count|sum)$/, with: "")
        return known.contains(name) ? name : base
      })
    #expect(used.subtracting(known).isEmpty, "\(used.subtracting(known))")
    if file == "dashboard.json" {
      let unused = known.filter { $0.hasPrefix("pocketwatch_") }.subtracting(used)
      #expect(unused.isEmpty, "\(unused)")
    }
  }
}
