import CoreMetrics
import Foundation
import PrometheusMetrics
import Testing

/// Prometheus's checker accepts the exported text.
@Suite("promtool check metrics")
struct PromtoolTests {
  private static let tool = "/usr/bin/promtool"
  private static var isThere: Bool { FileManager.default.isExecutableFile(atPath: tool) }

  @Test("reports no error", .enabled(if: isThere, "promtool is missing; it is in Debian's package prometheus"))
  func check() throws {
    let registry = PrometheusRegistry(
      ProcessMetrics.descriptions + [
        MetricDescription("a_total", help: "A \\ with a\nline end."), MetricDescription("b_bytes", help: "B."),
        MetricDescription("c_seconds", help: "C.", buckets: [0.1, 1]),
      ])
    ProcessMetrics.register(in: registry, startSeconds: 1)
    for value in ["plain", "quote \" back \\ line\nend", "é\u{202e}", ""] {
      Counter(label: "a", dimensions: [("of.what", value)], factory: registry).increment()
    }
    for value in [0.0, 1e300, -.infinity, .nan] {
      Meter(label: "b_bytes", dimensions: [("v", "\(value)")], factory: registry).set(value)
    }
    Timer(label: "c_seconds", factory: registry).recordMilliseconds(5)
    let answer = try run(registry.text)
    #expect(answer.status == 0 && answer.output.isEmpty, "\(answer.output)\n\(registry.text)")
    #expect(try run("# TYPE x counter\nx{ 1\n").status != 0, "so that it would say something")
  }

  private func run(_ text: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: Self.tool)
    process.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }
}
