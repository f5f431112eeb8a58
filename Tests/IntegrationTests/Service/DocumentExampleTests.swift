import AMQP
import Foundation
import PocketwatchService
import Scheduling
import Testing

/// The examples in Python of README.md and contract.md, with the names that a service has by default.
@Suite(
  "Examples in Python", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: Python.has("pika"), "the examples need pika: apt-get install python3-pika"))
struct DocumentExampleTests {
  @Test("those of contract.md run as printed, and have each command and question")
  func contract() async throws {
    let lines = try await run("ops/docs/contract.md")
    let names = lines.compactMap { line in EventName.own.first { line.hasPrefix($0.rawValue + " ") } }
    #expect(names.count == lines.count, "\(lines)")
    #expect(Set(names) == Set(EventName.own).subtracting([.tick, .rejected]), "\(lines)")
  }

  @Test("that of the README runs as printed, and prints its two ticks")
  func readme() async throws {
    let lines = try await run("README.md")
    #expect(lines.count == 2 && lines.allSatisfy { $0.hasSuffix(" {'to': 'ops@example.com'}") }, "\(lines)")
  }

  /// Runs a document's blocks of Python as one program, and returns the lines that it prints.
  private func run(_ document: String) async throws -> [Substring] {
    let text = try String(contentsOf: PrivateBroker.root.appending(path: document), encoding: .utf8)
    let blocks = text.matches(of: /```python\n((?:[^`]|`(?!``))*)```/).map { $0.output.1 }
    let folder = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let broker = TestEnvironment.brokerURL
    let service = ServiceProcess(names: TopologyNames(), folder: folder, broker: broker)
    do {
      let program = folder.appending(path: "example.py")
      try Data(blocks.joined(separator: "\n").utf8).write(to: program)
      try await service.start()
      let user = try #require(URLComponents(string: broker)?.user)
      let result = try await Python.run(program, environment: ["AMQP_URL": broker, "SERVICE_USER": user])
      #expect(result.code == 0, "\(result.complaint)")
      await service.dispose()
      try? removeQueue("client.reports", from: broker)
      return result.output.split(separator: "\n")
    } catch {
      await service.dispose()
      throw error
    }
  }

  private func removeQueue(_ queue: String, from broker: String) throws {
    let url = try BrokerURL(broker)
    let connection = try Connection(to: url, options: ConnectionOptions(brokers: [url], connectionName: "test"))
    defer { connection.close() }
    try connection.deleteQueue(queue)
  }
}
