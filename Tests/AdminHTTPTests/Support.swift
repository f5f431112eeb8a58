import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import PrometheusMetrics

@testable import AdminHTTP

let tokenText = "0123456789abcdef-token"

let fixedToken = TokenSource.fixed(AdminToken(tokenText)!)

let quietLogger: Logger = {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}()

/// An application over a fake source. Requests carry the token unless their headers say otherwise.
struct TestSite {
  var settings = AdminSettings(token: fixedToken)
  var source = FakeSource()
  var metrics = PrometheusRegistry()

  struct Answer {
    var status: Int
    var body: String
    var headers: HTTPFields

    func header(_ name: String) -> String? { headers.value(name) }
  }

  /// Several requests to one application.
  struct Visit {
    var client: any TestClientProtocol

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
      try await request(.get, path, headers)
    }

    func head(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
      try await request(.head, path, headers)
    }

    func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) async throws -> Answer {
      try await request(.post, path, headers, body: body)
    }

    private func request(
      _ method: HTTPRequest.Method, _ path: String, _ headers: [String: String], body: String? = nil
    ) async throws -> Answer {
      let all = ["Authorization": "Bearer \(tokenText)"].merging(headers) { $1 }.filter { !$0.value.isEmpty }
      let response = try await client.execute(
        uri: path, method: method, headers: HTTPFields(all), body: body.map { ByteBuffer(string: $0) })
      return Answer(
        status: response.status.code, body: String(buffer: response.body), headers: response.headers)
    }
  }

  func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await together { try await $0.get(path, headers) }
  }

  func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await together { try await $0.post(path, body, headers) }
  }

  func together<Value: Sendable>(_ body: @escaping @Sendable (Visit) async throws -> Value) async throws -> Value {
    let router = try AdminRoutes(settings: settings, source: source, metrics: metrics, logger: quietLogger).router()
    let application = Application(responder: router.buildResponder(), logger: quietLogger)
    return try await application.test(.router) { try await body(Visit(client: $0)) }
  }
}

extension HTTPFields {
  init(_ headers: [String: String]) {
    self.init()
    for (name, value) in headers { set(name, value) }
  }
}
