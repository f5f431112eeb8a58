import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A server that commands send HTTP requests to: the service, or RabbitMQ's management API.
///
/// Redirects are not followed, so that credentials go to this server only.
struct HTTPEndpoint: Sendable {
  enum Scheme: String {
    case http, https
  }

  var scheme = Scheme.http
  /// An IPv6 address without brackets.
  var host: String
  var port: Int
  /// PEM file of the trusted CAs for https; nil for those of the system.
  var caFile: String?
  /// Value of the Authorization header. Never printed.
  var authorization: String?
  /// Why there is no Authorization header, when the request would need one.
  var tokenProblem: String?
  /// The limit for a small response, from the connection to its last byte; the connection may take half of it.
  var timeout = Duration.seconds(10)

  struct Response: Sendable {
    var status = 0
    var headers = HTTPHeaders()
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// The limit of a response body in memory.
  static let maximumBytes = 4 << 20

  var address: String { "\(scheme)://\(authority)" }

  private var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  /// Sends a GET request whose response fits in memory.
  func get(_ path: String) async throws(HTTPFailure) -> Response { try await response(to: .GET, path) }

  /// Sends a POST request without a body, whose response fits in memory.
  func post(_ path: String) async throws(HTTPFailure) -> Response { try await response(to: .POST, path) }

  private func response(to method: HTTPMethod, _ path: String) async throws(HTTPFailure) -> Response {
    do {
      let deadline = NIODeadline.now() + TimeAmount(timeout)
      return try await withResponse(to: method, path, deadline: deadline, readTimeout: TimeAmount(timeout)) {
        response in
        try await Self.collected(response, by: deadline)
      }
    } catch {
      throw HTTPFailure(error)
    }
  }

  /// Reads a body into memory.
  static func collected(_ response: HTTPClientResponse, by deadline: NIODeadline? = nil) async throws -> Response {
    var result = Response(status: Int(response.status.code), headers: response.headers)
    for try await piece in response.body {
      guard result.body.count + piece.readableBytes <= maximumBytes else {
        throw HTTPFailure("the response is too long")
      }
      if let deadline, deadline < .now() { throw HTTPClientError.deadlineExceeded }
      result.body += piece.readableBytesView
    }
    return result
  }

  /// Sends a request and passes on the response, whose body arrives as it is read.
  ///
  /// - Parameters:
  ///   - deadline: For the head of the response.
  ///   - readTimeout: The longest pause in the response; nil for none.
  func withResponse<Result: Sendable>(
    to method: HTTPMethod, _ path: String, deadline: NIODeadline = .distantFuture, readTimeout: TimeAmount? = nil,
    _ body: (HTTPClientResponse) async throws -> Result
  ) async throws -> Result {
    var request = HTTPClientRequest(url: address + path)
    request.method = method
    request.headers.add(name: "Host", value: authority)
    if method == .POST { request.body = .bytes(ByteBuffer()) }
    if let authorization { request.headers.add(name: "Authorization", value: authorization) }
    let configuration = try configuration(readTimeout: readTimeout)
    return try await HTTPClient.withHTTPClient(
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration
    ) { client in
      try await body(try await client.execute(request, deadline: deadline))
    }
  }

  private func configuration(readTimeout: TimeAmount?) throws -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    if let caFile { tls.trustRoots = .file(caFile) }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: TimeAmount(timeout / 2), read: readTimeout))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    // A backup may take long before its first byte: only keep-alive notices that the peer has gone.
    configuration.http1_1ConnectionDebugInitializer = { channel in
      channel.setOption(.socketOption(.so_keepalive), value: 1)
    }
    return configuration
  }
}
