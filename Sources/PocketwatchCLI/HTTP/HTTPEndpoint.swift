import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// A server that commands send HTTP/1.1 requests to, one per connection: the service, or RabbitMQ's management API.
struct HTTPEndpoint {
  var host: String
  var port: Int
  /// Value of the Authorization header. Never printed.
  var authorization: String?
  /// Why there is no Authorization header, when the request would need one.
  var tokenProblem: String?

  struct Response {
    var status = 0
    var headers = HTTPHeaders()
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    mutating func take(_ part: HTTPClientResponsePart) throws(Failure) {
      switch part {
      case .head(let head): (status, headers) = (Int(head.status.code), head.headers)
      case .body(let piece):
        guard body.count + piece.readableBytes <= HTTPEndpoint.maximumBytes else {
          throw Failure(message: "the response is too long")
        }
        body += piece.readableBytesView
      case .end: break
      }
    }
  }

  /// Why a request failed.
  struct Failure: Error {
    var message: String
    /// Whether no connection could be established.
    var isUnreachable = false
  }

  /// The limit of a response body in memory.
  static let maximumBytes = 4 << 20

  var address: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  func get(_ path: String) async throws(Failure) -> Response { try await response(to: .GET, path) }

  /// Sends a request whose response fits in memory.
  func response(to method: HTTPMethod, _ path: String) async throws(Failure) -> Response {
    do {
      return try await withThrowingTaskGroup(of: Response.self) { group in
        group.addTask {
          var response = Response()
          try await request(method, path) { part throws(Failure) in try response.take(part) }
          return response
        }
        group.addTask {
          try await Task.sleep(for: .seconds(10))
          throw Failure(message: "no response within 10 s")
        }
        defer { group.cancelAll() }
        guard let response = try await group.next() else { throw Failure(message: "no response") }
        return response
      }
    } catch {
      throw Self.failure(error)
    }
  }

  /// Sends a request and passes on the response in parts: head, pieces of the body, end.
  func request(
    _ method: HTTPMethod, _ path: String, take: (HTTPClientResponsePart) throws -> Void
  ) async throws {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connectTimeout(.seconds(5))
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .connect(host: host, port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
            wrappingChannelSynchronously: channel)
        }
      }
    try await channel.executeThenClose { inbound, outbound in
      // In one write: after the head alone, the server might respond and close the connection.
      try await outbound.write(contentsOf: [.head(head(method, path)), .end(nil)])
      for try await part in inbound {
        try take(part)
        if case .end = part { return }
      }
      throw Failure(message: "the connection was closed before the response was complete")
    }
  }

  private func head(_ method: HTTPMethod, _ path: String) -> HTTPRequestHead {
    var headers = HTTPHeaders([("Host", String(address.dropFirst("http://".count))), ("Connection", "close")])
    if method == .POST { headers.add(name: "Content-Length", value: "0") }
    if let authorization { headers.add(name: "Authorization", value: authorization) }
    return HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
  }

  /// Translates any error of a request.
  static func failure(_ error: any Error) -> Failure {
    switch error {
    case let error as Failure: error
    case let error as NIOConnectionError:
      Failure(
        message: error.connectionErrors.first.map { message(of: $0.error) } ?? "no such host", isUnreachable: true)
    default: Failure(message: message(of: error))
    }
  }

  private static func message(of error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case is HTTPParserError: "not an HTTP response, or an incomplete one"
    case ChannelError.connectTimeout: "connection timed out after 5 s"
    default: "\(error)"
    }
  }
}
