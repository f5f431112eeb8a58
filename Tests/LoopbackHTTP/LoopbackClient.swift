/// An HTTP/1.1 client with one persistent connection to a port of 127.0.0.1.
package final class LoopbackClient {
  private let connection: LoopbackConnection
  private let authorization: String

  /// - Parameter token: Sent as `Authorization: Bearer`.
  package init(port: Int, token: String, receiveTimeoutSeconds: Int = 30) throws(LoopbackError) {
    connection = try LoopbackConnection(port: port, receiveTimeoutSeconds: receiveTimeoutSeconds)
    authorization = "Bearer \(token)"
  }

  /// The request that `get` sends.
  package static func request(_ path: String, authorization: String) -> String {
    "GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(authorization)\r\n\r\n"
  }

  /// Reads a response of status 200 with a Content-Length; returns its body.
  @discardableResult
  package func get(_ path: String) throws(LoopbackError) -> [UInt8] {
    guard connection.send(Self.request(path, authorization: authorization)) else {
      throw LoopbackError("cannot send the request for \(path)")
    }
    var response: [UInt8] = []
    var head: Head?
    while head.map({ response.count < $0.bytes + $0.bodyBytes }) ?? true {
      guard let bytes = connection.receive(), !bytes.isEmpty else {
        throw LoopbackError("incomplete response to \(path)")
      }
      response += bytes
      if head == nil { head = try Head(of: response, path) }
    }
    return Array(response.dropFirst(head?.bytes ?? 0))
  }

  /// The end of a response's head, and the length of its body.
  private struct Head {
    let bytes: Int
    let bodyBytes: Int

    /// Nil while the head is incomplete.
    init?(of response: [UInt8], _ path: String) throws(LoopbackError) {
      let text = String(decoding: response, as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
      let head = text[..<end.upperBound].lowercased()
      guard head.hasPrefix("http/1.1 200"),
        let length = head.firstMatch(of: /content-length: (\d+)/).flatMap({ Int($0.1) })
      else { throw LoopbackError("\(path) returns \(head.prefix(40))") }
      bytes = head.utf8.count
      bodyBytes = length
    }
  }
}
