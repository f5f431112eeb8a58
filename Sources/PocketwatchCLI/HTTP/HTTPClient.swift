import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// A client of HTTP/1.1 without TLS: one request to a connection. For a service on this machine or behind a tunnel.
struct HTTPClient {
  var host: String
  var port: Int
  /// The value of the header Authorization, if any.
  var authorization: String?
  /// Why there is none.
  var tokenProblem: String?

  struct Answer {
    var status = 0
    var headers = HTTPHeaders()
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    mutating func take(_ part: HTTPClientResponsePart) throws(Failure) {
      switch part {
      case .head(let head): (status, headers) = (Int(head.status.code), head.headers)
      case .body(let piece):
        guard body.count + piece.readableBytes <= HTTPClient.maximumBytes else {
          throw Failure(words: "the answer is too long")
        }
        body += piece.readableBytesView
      case .end: break
      }
    }
  }

  /// What went wrong, in words.
  struct Failure: Error {
    var words: String
    /// Whether nobody listens there.
    var isNobodyThere = false
  }

  /// The longest answer that is kept.
  static let maximumBytes = 4 << 20

  var address: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  /// Asks for something small.
  func get(_ path: String) async throws(Failure) -> Answer { try await answer(.GET, path) }

  /// Makes a request whose answer is small.
  func answer(_ method: HTTPMethod, _ path: String) async throws(Failure) -> Answer {
    do {
      return try await withThrowingTaskGroup(of: Answer.self) { group in
        group.addTask {
          var answer = Answer()
          try await request(method, path) { part throws(Failure) in try answer.take(part) }
          return answer
        }
        group.addTask {
          try await Task.sleep(for: .seconds(10))
          throw Failure(words: "no answer within 10 s")
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() else { throw Failure(words: "no answer") }
        return answer
      }
    } catch {
      throw Self.failure(error)
    }
  }

  /// Makes a request and hands over its answer, part by part: the head, pieces of the body, the end.
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
      // At once: after the head alone, the server might answer and close before we are done.
      try await outbound.write(contentsOf: [.head(head(method, path)), .end(nil)])
      for try await part in inbound {
        try take(part)
        if case .end = part { return }
      }
      throw Failure(words: "the connection ended before the answer did")
    }
  }

  private func head(_ method: HTTPMethod, _ path: String) -> HTTPRequestHead {
    var headers = HTTPHeaders([("Host", String(address.dropFirst("http://".count))), ("Connection", "close")])
    if method == .POST { headers.add(name: "Content-Length", value: "0") }
    if let authorization { headers.add(name: "Authorization", value: authorization) }
    return HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
  }

  /// Any error of a request in words.
  static func failure(_ error: any Error) -> Failure {
    switch error {
    case let error as Failure: error
    case let error as NIOConnectionError:
      Failure(
        words: error.connectionErrors.first.map { words($0.error) } ?? "no such host", isNobodyThere: true)
    default: Failure(words: words(error))
    }
  }

  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case is HTTPParserError: "what answers does not speak HTTP, or ended in the middle"
    case ChannelError.connectTimeout: "no connection within 5 s"
    default: "\(error)"
    }
  }
}
