import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import PrometheusMetrics

@testable import AdminHTTP

let tokenText = "0123456789abcdef-token"

/// An application over a fake source, with the headers that a well-meaning client sends.
struct TestSite {
  var settings = AdminSettings()
  var source = FakeSource()
  var metrics = PrometheusRegistry()

  struct Answer {
    var status: Int
    var body: String
    var headers: HTTPFields

    func header(_ name: String) -> String? { headers.value(name) }
  }

  func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await request(.get, path, headers)
  }

  func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) async throws -> Answer {
    try await request(.post, path, headers, body: body)
  }

  private func request(
    _ method: HTTPRequest.Method, _ path: String, _ headers: [String: String], body: String? = nil
  ) async throws -> Answer {
    let router = try AdminRoutes(settings: settings, source: source, metrics: metrics).router()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(responder: router.buildResponder(), logger: logger)
    let fields = HTTPFields(headers)
    return try await application.test(.router) { client in
      let response = try await client.execute(
        uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
      return Answer(
        status: response.status.code, body: String(buffer: response.body), headers: response.headers)
    }
  }
}

extension HTTPFields {
  init(_ headers: [String: String]) {
    self.init()
    for (name, value) in headers { set(name, value) }
  }
}
