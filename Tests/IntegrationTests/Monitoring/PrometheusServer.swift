import Foundation
import FoundationNetworking
import Testing

/// Debian's Prometheus with a configuration and a store for one test, and its HTTP API.
struct PrometheusServer {
  static let path = "/usr/bin/prometheus"
  static let isThere = FileManager.default.isExecutableFile(atPath: path)
  static let isNeeded: Comment = "the real Prometheus reads the metrics: apt-get install prometheus"

  let root: URL

  /// Runs `body` with a server of this configuration, and leaves nothing behind.
  static func running(_ configuration: String, _ body: (PrometheusServer) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "prometheus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "prometheus.yml")
    try Data(configuration.utf8).write(to: file)
    let program = try Program(
      path,
      [
        "--config.file=\(file.path())", "--storage.tsdb.path=\(folder.appending(path: "data").path())",
        "--web.listen-address=127.0.0.1:0",
      ])
    func end() async throws {
      program.send(signal: SIGTERM)
      _ = try await program.exitCode()
    }
    do {
      let line = try await program.complaints.next("Prometheus's port") { $0.contains("Listening on") }
      let port = try #require(line.firstMatch(of: /address=127\.0\.0\.1:(\d+)/)).output.1
      _ = try await program.complaints.next("a running Prometheus") { $0.contains("ready to receive web requests") }
      try await body(PrometheusServer(root: try #require(URL(string: "http://127.0.0.1:\(port)/api/v1"))))
    } catch {
      try? await end()
      throw error
    }
    try await end()
  }
}

extension PrometheusServer {
  private struct Answer<Value: Decodable>: Decodable {
    var data: Value
  }

  /// One series and its value now.
  struct Sample: Decodable {
    var metric: [String: String]
    var value: Double

    private enum CodingKeys: CodingKey {
      case metric, value
    }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: CodingKeys.self)
      metric = try members.decode([String: String].self, forKey: .metric)
      var pair = try members.nestedUnkeyedContainer(forKey: .value)
      _ = try pair.decode(Double.self)
      value = Double(try pair.decode(String.self)) ?? .nan
    }
  }

  struct Target: Decodable {
    var health, lastError: String
  }

  struct Rule: Decodable {
    var name, health: String
    var lastError: String?
  }

  /// The current value of an expression. Throws when it cannot be read.
  func query(_ expression: String) async throws -> [Sample] {
    struct Vector: Decodable { var result: [Sample] }
    return try await get("query", [URLQueryItem(name: "query", value: expression)], as: Vector.self).result
  }

  /// The single value of an expression; nil if there is none.
  func value(_ expression: String) async throws -> Double? { try await query(expression).first?.value }

  var targets: [Target] {
    get async throws {
      struct Targets: Decodable { var activeTargets: [Target] }
      return try await get("targets", as: Targets.self).activeTargets
    }
  }

  var rules: [Rule] {
    get async throws {
      struct Group: Decodable { var rules: [Rule] }
      struct Groups: Decodable { var groups: [Group] }
      return try await get("rules", as: Groups.self).groups.flatMap(\.rules)
    }
  }

  private func get<Value: Decodable>(
    _ path: String, _ query: [URLQueryItem] = [], as type: Value.Type
  ) async throws -> Value {
    let url = root.appending(path: path).appending(queryItems: query)
    let (data, response) = try await URLSession.shared.data(from: url)
    guard (response as? HTTPURLResponse)?.statusCode == 200 else {
      throw Unexpected("Prometheus refuses \(query): \(String(decoding: data, as: UTF8.self))")
    }
    return try JSONDecoder().decode(Answer<Value>.self, from: data).data
  }

  /// Waits for a condition that scrapes and evaluations bring about.
  func sees(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !isSo() {
      guard ContinuousClock.now < end else { throw Unexpected("Prometheus did not see \(what) within 60 s") }
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}
